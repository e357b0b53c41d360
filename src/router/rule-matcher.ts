/**
 * What one rule says about one path, judged by picomatch alone: the index only decides which rules are asked. Compiled
 * when first asked: of thousands of rules a daemon often needs a few, and compiling one costs as much as a hundred tests.
 */
import type { RuleConfig } from '../config/config.ts';
import { compileGlob } from '../config/glob.ts';

export type Verdict =
  | { readonly kind: 'matches'; readonly pattern: string }
  /** A pattern fits, but the rule's `!` pattern `by` (as written) does too. */
  | { readonly kind: 'taken_away'; readonly pattern: string; readonly by: string }
  | { readonly kind: 'no_match' };

export interface RuleMatcher {
  matches(path: string): boolean;
  judge(path: string): Verdict;
}

/** `!x` takes away what `x` matches; `!(x)` is an extglob and matches like any other pattern. */
export function isNegation(pattern: string): boolean {
  return pattern.startsWith('!') && !pattern.startsWith('!(');
}

interface CompiledPattern {
  readonly pattern: string;
  readonly test: (path: string) => boolean;
}

export function compileRule(rule: Pick<RuleConfig, 'patterns'>): RuleMatcher {
  const wanted: CompiledPattern[] = [];
  const refused: CompiledPattern[] = [];
  for (const pattern of rule.patterns) {
    if (isNegation(pattern)) refused.push({ pattern, test: compileGlob(pattern.slice(1)) });
    else wanted.push({ pattern, test: compileGlob(pattern) });
  }
  const find = (list: readonly CompiledPattern[], path: string) =>
    list.find((compiled) => compiled.test(path));
  return {
    matches: (path) => find(wanted, path) !== undefined && find(refused, path) === undefined,
    judge(path) {
      const fits = find(wanted, path);
      if (fits === undefined) return { kind: 'no_match' };
      const by = find(refused, path);
      if (by !== undefined) return { kind: 'taken_away', pattern: fits.pattern, by: by.pattern };
      return { kind: 'matches', pattern: fits.pattern };
    },
  };
}
