/** Findings about globs: those that are not well formed, those that can never match, rules that never get a file. */
import picomatch from 'picomatch';
import { messageOf } from '../types/errors.ts';
import type { Findings, Path } from './source.ts';

const maxLength = 4096;

export function checkPatterns(
  findings: Findings,
  path: Path,
  value: string | readonly (string | undefined)[],
): void {
  const patterns = [value].flat();
  for (const [index, pattern] of patterns.entries()) {
    if (pattern === undefined) continue;
    const at = typeof value === 'string' ? path : [...path, index];
    const found = problemOf(pattern);
    if (found) findings.error('BAD_PATTERN', at, found.problem, found.fix);
  }
  if (patterns.every((pattern) => pattern?.startsWith('!') && !pattern.startsWith('!(')))
    findings.error(
      'BAD_PATTERN',
      path,
      'a rule that only takes away matches nothing',
      'Add what it matches first: `["**", "!drafts/**"]`.',
    );
}

function problemOf(pattern: string): { problem: string; fix: string } | undefined {
  const body = pattern.startsWith('!') && !pattern.startsWith('!(') ? pattern.slice(1) : pattern;
  if (body.trim() === '') return { problem: 'the pattern is empty', fix: 'Write a glob such as `**/*.csv`.' };
  if (pattern.length > maxLength)
    return {
      problem: `the pattern is longer than ${maxLength} characters`,
      fix: 'Use several patterns or rules.',
    };
  if (body.startsWith('/'))
    return {
      problem: `the pattern "${pattern}" starts with "/"`,
      fix: `Patterns are relative to the root: write \`${pattern.replace('/', '')}\`.`,
    };
  if (body.split('/').includes('..'))
    return {
      problem: `the pattern "${pattern}" leaves the root`,
      fix: 'Watch the other folder as a root of its own.',
    };
  if (body.endsWith('/'))
    return {
      problem: `the pattern "${pattern}" matches no file: it ends with "/"`,
      fix: `Write \`${pattern}**\` for everything in that folder.`,
    };
  try {
    picomatch.parse(body, { dot: true, flags: 's', strictBrackets: true } as never);
    picomatch.makeRe(body, { dot: true, flags: 's', debug: true });
    return undefined;
  } catch (error) {
    const message = messageOf(error);
    return {
      problem: `the pattern "${pattern}" is not well formed: ${message.charAt(0).toLowerCase()}${message.slice(1)}`,
      fix: 'Close the bracket, or put `\\` before one that is meant literally.',
    };
  }
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
