/** What a round is called in file names and steps: `round-2`, `milestone-1`, `security-round-1`. */
import type { ReviewRecord } from '../types/review.ts';

export function roundName({
  name,
  trigger,
  round,
}: Pick<ReviewRecord, 'name' | 'trigger' | 'round'>): string {
  const kind = isLive({ trigger }) ? trigger : 'round';
  return `${name === undefined ? '' : `${name}-`}${kind}-${round}`;
}

/** Of work that goes on: it has no report yet, only what it told so far. */
export function isLive({ trigger }: Pick<ReviewRecord, 'trigger'>): boolean {
  return trigger !== 'result' && trigger !== 'step';
}

/** Names of steps hold no slash: the configuration refuses them. */
export function roundFile(round: Parameters<typeof roundName>[0], extension: 'json' | 'md'): string {
  return `${roundName(round)}.${extension}`;
}
