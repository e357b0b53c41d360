/**
 * The `sandbox` of an agent that starts programs, and of command steps: what it may write to, reach and run.
 */
import type { SandboxConfig } from './config.ts';
import { type FolderAdvice, resolveFolder } from './resolve-folder.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { CommandAgentFile } from './schema-agents.ts';
import type { Path } from './source.ts';
import { splitCommand } from './split-command.ts';

type SandboxFile = Loose<NonNullable<CommandAgentFile['sandbox']>>;

/** What every agent gets that starts no program: there is nothing to confine. */
export const nothingToConfine: SandboxConfig = {
  mode: 'auto',
  write: [],
  network: 'none',
  blocked: [],
  confirm: [],
};

/**
 * @param at Path of the `sandbox`.
 * @param sandbox With the schema's defaults, also when it is not written.
 * @param unwritten The mode where no `sandbox` is written.
 */
export async function resolveSandbox(
  context: Resolving,
  at: Path,
  sandbox: SandboxFile,
  unwritten: 'auto' | 'required' = 'auto',
): Promise<SandboxConfig> {
  const { findings } = context;
  const written = findings.has(at);
  if (sandbox.mode === 'off') {
    for (const key of ['write', 'network', 'blocked', 'confirm'] as const)
      if (sandbox[key] !== undefined && findings.has([...at, key]))
        findings.add(
          'error',
          'CONFLICT',
          { path: [...at, key], key: true },
          `\`${key}\` has no effect: the sandbox is off`,
          `Remove \`${key}\`, or choose \`mode: required\` or \`mode: auto\`.`,
        );
    if (sandbox.reason === undefined && !findings.has([...at, 'reason']))
      findings.add(
        'error',
        'MISSING_KEY',
        { path: at, key: true },
        '`mode: off` says no `reason`',
        'Add `reason: "only reads, written by us"`: why that is acceptable here; the receipt repeats it.',
      );
    return { mode: 'off', reason: sandbox.reason ?? '' };
  }
  if (findings.has([...at, 'reason']))
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'reason'], key: true },
      '`reason` has no effect: the sandbox is not off',
      'Remove it, or write `mode: off`.',
    );
  const write = new Set<string>();
  for (const [index, entry] of (sandbox.write ?? []).entries()) {
    if (entry === undefined) continue;
    const found =
      entry === 'workspace' ? entry : await resolveFolder(context, [...at, 'write', index], entry, writable);
    if (found !== undefined) write.add(found);
  }
  const blocked = resolveCommands(context, [...at, 'blocked'], sandbox.blocked ?? []);
  const confirm = resolveCommands(context, [...at, 'confirm'], sandbox.confirm ?? []);
  const refused = new Set(blocked.map((words) => words.join(' ')));
  for (const [index, words] of confirm.entries())
    if (refused.has(words.join(' ')))
      findings.error(
        'CONFLICT',
        [...at, 'confirm', index],
        `"${words.join(' ')}" is blocked, and to be confirmed`,
        'Keep it in one of the two lists; both have defaults, which a list of your own replaces.',
      );
  return {
    // Who writes a sandbox relies on it; without one it is what can be had.
    mode: sandbox.mode ?? (written ? 'required' : unwritten),
    write: [...write],
    network: resolveNetwork(context, [...at, 'network'], sandbox.network ?? 'none'),
    blocked,
    confirm,
  };
}

const writable: FolderAdvice = {
  placeholder:
    'Write `workspace` for the tree that the file lies in; the folder of the job is always writable.',
  project: 'Write `project`: the project folder without it.',
  word: 'project',
};

function resolveNetwork(
  { findings }: Resolving,
  at: Path,
  network: Loose<string | readonly string[]>,
): 'none' | 'allow' | readonly string[] {
  if (typeof network === 'string') return network === 'allow' ? 'allow' : 'none';
  const hosts = (network as readonly (string | undefined)[]).filter((host) => host !== undefined);
  for (const [index, host] of hosts.entries()) {
    const isWord = host === 'none' || host === 'allow';
    if (isHost(host) && !isWord) continue;
    const near = hostIn(host);
    findings.error(
      'BAD_VALUE',
      [...at, index],
      isWord ? `"${host}" stands among hosts` : `"${host}" is no host name`,
      isWord
        ? `Write \`network: ${host}\`, without brackets.`
        : `Write a name without scheme, port and path: \`${near ?? 'api.example.com'}\`; \`*.example.com\` stands for every name below.`,
    );
  }
  return hosts.length === 0 ? 'none' : hosts;
}

function isHost(text: string): boolean {
  return (
    text.length <= 253 &&
    /^(\*\.(?=.*\.))?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/.test(
      text,
    )
  );
}

function hostIn(text: string): string | undefined {
  const url = text.includes('://') ? text : `http://${text}`;
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  return isHost(host) ? host : undefined;
}

/** `git push` → `['git', 'push']`. */
function resolveCommands(
  { findings }: Resolving,
  at: Path,
  commands: readonly (string | undefined)[],
): readonly (readonly string[])[] {
  const found: (readonly string[])[] = [];
  for (const [index, command] of commands.entries()) {
    if (command === undefined) continue;
    const split = splitCommand(command);
    if ('problem' in split)
      findings.error(
        'BAD_VALUE',
        [...at, index],
        `"${command}" cannot be split into words: ${split.problem}`,
        'Write the first words of a command: `git push`.',
      );
    else if (split.words[0]?.includes('/') || split.words[0] === '')
      findings.error(
        'BAD_VALUE',
        [...at, index],
        `"${split.words[0]}" is a path`,
        'Write the name of the program as it is looked up on PATH.',
      );
    else found.push(split.words);
  }
  return found;
}
