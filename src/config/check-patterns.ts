/** Findings about globs: those that are not well formed, those that can never match, rules that never get a file. */
import { checkPattern } from './check-pattern.ts';
import type { Findings, Path } from './source.ts';

export function checkPatterns(
  findings: Findings,
  path: Path,
  value: string | readonly (string | undefined)[],
): void {
  const patterns = [value].flat();
  for (const [index, pattern] of patterns.entries()) {
    if (pattern === undefined) continue;
    const at = typeof value === 'string' ? path : [...path, index];
    const found = checkPattern(pattern);
    if (found) findings.error('BAD_PATTERN', at, found.message, found.fix);
  }
  if (patterns.every((pattern) => pattern?.startsWith('!') && !pattern.startsWith('!(')))
    findings.error(
      'BAD_PATTERN',
      path,
      'a rule that only takes away matches nothing',
      'Add what it matches first: `["**", "!drafts/**"]`.',
    );
}

interface Shadowable {
  readonly patterns: readonly string[];
}

/**
 * Rules that an earlier one leaves nothing: it has each of their patterns, or one that takes everything. Only what is
 * certain is reported; whether one glob contains another is not decided here.
 * @param rules In the order in which they are tried.
 */
export function shadows<R extends Shadowable>(
  rules: readonly R[],
): { readonly later: R; readonly earlier: R }[] {
  const takenBy = new Map<string, R>();
  const found: { later: R; earlier: R }[] = [];
  for (const rule of rules) {
    const positive = rule.patterns.filter((pattern) => !pattern.startsWith('!') || pattern.startsWith('!('));
    const everything = takenBy.get('**') ?? takenBy.get('**/*');
    const owners = positive.map((pattern) => takenBy.get(pattern) ?? everything);
    const [earlier] = owners;
    if (earlier && owners.every((owner) => owner !== undefined)) found.push({ later: rule, earlier });
    if (positive.length < rule.patterns.length) continue;
    for (const pattern of positive) if (!takenBy.has(pattern)) takenBy.set(pattern, rule);
  }
  return found;
}
