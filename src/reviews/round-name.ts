/** What a round is called in file names and steps: `round-2`, `milestone-1`, `security-round-1`. */
import type { ReviewRecord } from '../types/review.ts';

export function roundName({
  name,
  trigger,
  round,
}: Pick<ReviewRecord, 'name' | 'trigger' | 'round'>): string {
  const kind = trigger === 'result' || trigger === 'step' ? 'round' : trigger;
  return `${name === undefined ? '' : `${name}-`}${kind}-${round}`;
}

/** Names of steps hold no slash: the configuration refuses them. */
export function roundFile(round: Parameters<typeof roundName>[0], extension: 'json' | 'md'): string {
  return `${roundName(round)}.${extension}`;
}
