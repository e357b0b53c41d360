/**
 * What we let an agent do, in opencode's words. What it may not do is `ask`: headless, opencode refuses that with a line that
 * says what was wanted, so that one corrected launch can allow it. The shell is `deny`, so that the model is not offered it:
 * offered and then refused it would end nearly every run, since opencode stops at the first refusal.
 */
import type { LaunchRequest } from '../kind.ts';

type Rule = 'allow' | 'ask' | 'deny';
export type Permissions = Readonly<Record<string, Rule | Readonly<Record<string, Rule>>>>;

/** Last match wins, so that `*` stands first. */
export function permissionsOf(request: Pick<LaunchRequest, 'access' | 'directories' | 'tools'>): Permissions {
  const { access, directories, tools } = request;
  const base: Record<string, Rule> = {
    edit: access === 'read' ? 'ask' : 'allow',
    bash: 'deny',
    webfetch: 'deny',
    websearch: 'deny',
    external_directory: 'ask',
  };
  // `--auto` allows what is not said here.
  const rules: Record<string, Rule | Record<string, Rule>> = access === 'all' ? {} : { ...base };
  // Nobody is there to answer; and the same call again and again is ended by us, who can say so.
  rules.question = 'deny';
  rules.doom_loop = 'allow';
  if (access !== 'all' && directories.length > 0)
    rules.external_directory = {
      '*': 'ask',
      ...Object.fromEntries(directories.flatMap((dir) => [dir, join(dir, '*')].map((one) => [one, 'allow']))),
    };
  for (const tool of tools) allow(rules, base, tool);
  return rules;
}

/** `bash`, or `bash(npm test *)` for some of its calls. */
function allow(
  rules: Record<string, Rule | Record<string, Rule>>,
  base: Readonly<Record<string, Rule>>,
  tool: string,
): void {
  const [, name = tool, pattern] = /^([\w-]+)\((.*)\)$/s.exec(tool) ?? [];
  const key = name === 'write' || name === 'patch' ? 'edit' : name;
  if (pattern === undefined || pattern === '*') {
    rules[key] = 'allow';
    return;
  }
  const given = rules[key] ?? base[key] ?? 'ask';
  if (given === 'allow') return;
  rules[key] = { ...(typeof given === 'string' ? { '*': given } : given), [pattern]: 'allow' };
}

function join(dir: string, rest: string): string {
  return dir.endsWith('/') ? `${dir}${rest}` : `${dir}/${rest}`;
}
