/**
 * Says in words why a rule takes a path or leaves it: what `sluice why` prints. Every reason is tried out with picomatch
 * before it is given (would it match in lower case? does the name alone fit?), so that none of them is a guess.
 */
import type { RuleConfig } from '../config/config.ts';
import { compileGlob } from '../config/glob.ts';
import { isNegation, type Verdict } from './rule-matcher.ts';
import { splitGlob } from './split-glob.ts';

/** @param winner The rule that takes the path, if any does. */
export function explainRule(o: {
  readonly path: string;
  readonly rule: RuleConfig;
  readonly verdict: Verdict;
  readonly winner: RuleConfig | undefined;
}): string {
  const { path, rule, verdict, winner } = o;
  switch (verdict.kind) {
    case 'matches':
      if (winner === undefined || winner === rule) return `matches \`${verdict.pattern}\``;
      if (winner.priority === rule.priority) {
        return `matches \`${verdict.pattern}\`, but rule "${winner.name}" has the same priority (${winner.priority}) and stands before it`;
      }
      return `matches \`${verdict.pattern}\`, but rule "${winner.name}" (priority ${winner.priority}) comes first`;
    case 'taken_away':
      return `matches \`${verdict.pattern}\`, but is taken away by \`${verdict.by}\``;
    case 'no_match': {
      const wanted = rule.patterns.filter((pattern) => !isNegation(pattern));
      if (wanted.length === 0) return 'has only `!` patterns, which take away: it can not match anything';
      return wanted.map((pattern) => whyNot(pattern, path)).join('; ');
    }
    default:
      return verdict satisfies never;
  }
}

/** Why one pattern, which does not match, does not. */
function whyNot(pattern: string, path: string): string {
  if (fits(pattern.toLowerCase(), path.toLowerCase())) {
    return `differs from \`${pattern}\` only in upper and lower case, which count`;
  }
  const slash = path.lastIndexOf('/');
  const [folder, name] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
  const glob = splitGlob(pattern);
  if (!fits(glob.name, name)) return `needs a name like \`${glob.name}\` (\`${pattern}\`)`;
  if (glob.folder === '') {
    return `needs a file in the root's own folder: \`${pattern}\` does not cross \`/\` (\`**/${pattern}\` would)`;
  }
  if (folder === '')
    return `needs a file in a folder \`${glob.folder}\`, not in the root's own (\`${pattern}\`)`;
  if (!fits(glob.folder, folder))
    return `the name fits \`${glob.name}\`, but the folder \`${folder}\` is not \`${glob.folder}\``;
  return `does not match \`${pattern}\``;
}

function fits(pattern: string, path: string): boolean {
  return pattern !== '' && compileGlob(pattern)(path);
}
