/** What the author of reviewed work is told: each finding that blocks it, who it is from, where, and what it had answered. */
import type { BlockingFinding } from './rounds.ts';
import { cutChars } from './texts.ts';

/** An agent that is started anew does not know any more what it has said. */
const REPORT_CHARS = 12_000;

/** @param report Its result text; empty or absent: there is none, or it is too long to be quoted. */
export function guidanceOf(findings: readonly BlockingFinding[], round: number, report = ''): string {
  const lines = findings.flatMap(({ agent, text, place, evidence }) => [
    `- ${text} (${agent}${place === undefined ? '' : `, at ${place}`})`,
    ...(evidence ? [`  shown by: ${evidence}`] : []),
  ]);
  const said = report.trim();
  return [
    `Your work was reviewed (round ${round}). These findings block it. Mend what is right about them; where one is wrong, say why in your answer.`,
    ...lines,
    ...(said === '' ? [] : ['', 'This is what you had answered:', '', cutChars(said, REPORT_CHARS)]),
  ].join('\n');
}
