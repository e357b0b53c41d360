/** What the author of reviewed work is told: each finding that blocks it, who it is from, and where. */
import type { BlockingFinding } from './rounds.ts';

export function guidanceOf(findings: readonly BlockingFinding[], round: number): string {
  const lines = findings.flatMap(({ agent, text, place, evidence }) => [
    `- ${text} (${agent}${place === undefined ? '' : `, at ${place}`})`,
    ...(evidence ? [`  shown by: ${evidence}`] : []),
  ]);
  return [
    `Your work was reviewed (round ${round}). These findings block it. Mend what is right about them; where one is wrong, say why in your answer.`,
    ...lines,
  ].join('\n');
}
