/** What other agents said of a job's work, round after round, and what was made of it. */
import type { ReviewView } from '../../../operations/review-view.ts';
import { printableName } from '../../../types/printable-name.ts';
import { paint } from '../../paint.ts';

export function reviewLines(reviews: readonly ReviewView[]): readonly string[] {
  return reviews.flatMap(({ round, trigger, decision, why, verdicts, is_revised: isRevised }) => [
    `${paint('bold', `review ${round}`)} (${trigger})  ${decisionWords(decision)}${why === undefined ? '' : `: ${printableName(why)}`}${isRevised ? '; sent back to its author' : ''}`,
    ...verdicts.flatMap(({ agent, verdict, summary, findings }) => [
      `  ${printableName(agent)}: ${paint(colors[verdict] ?? 'dim', verdict)}${summary === '' ? '' : `, ${printableName(summary)}`}`,
      ...findings.map(
        ({ severity, text, place }) =>
          `    ${severity}${place === undefined ? '' : ` ${printableName(place)}`}: ${printableName(cut(text))}`,
      ),
    ]),
  ]);
}

/** The whole of it stands in `reviews/`. */
const FINDING_CHARS = 500;

function cut(text: string): string {
  return text.length <= FINDING_CHARS ? text : `${text.slice(0, FINDING_CHARS)}…`;
}

const colors: Readonly<Record<string, Parameters<typeof paint>[0]>> = {
  approved: 'green',
  concern: 'yellow',
  blocker: 'red',
};

function decisionWords(decision: string | undefined): string {
  return decision === undefined ? 'goes on' : decision;
}
