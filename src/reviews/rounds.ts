/**
 * Whether the author is asked to answer what was found, and another round follows. A reviewer that always finds something
 * must come to an end: by the number of rounds, and sooner when the author has nothing more to change.
 */
import type { ReviewFinding, ReviewVerdict } from '../types/review.ts';
import type { Judgement } from './policy.ts';

export interface RoundState {
  readonly judgement: Judgement;
  readonly verdicts: readonly Pick<ReviewVerdict, 'agent' | 'verdict' | 'findings'>[];
  /** 1 for the first. */
  readonly round: number;
  readonly maxRounds: number;
  readonly canRevise: boolean;
  readonly workSha256: string;
  /** Of the round before this one; absent: there was none. */
  readonly previousSha256?: string;
}

export type NextRound =
  | { readonly kind: 'revise'; readonly findings: readonly BlockingFinding[] }
  /** The decision stands. */
  | { readonly kind: 'ends'; readonly why: string };

export interface BlockingFinding extends ReviewFinding {
  readonly agent: string;
}

export function nextRound(o: RoundState): NextRound {
  const { judgement, round, maxRounds } = o;
  const findings = blockingFindings(o.verdicts);
  if (judgement.decision === 'continue') return ends('the work is accepted');
  if (judgement.isUndecided) return ends('a person decides');
  if (findings.length === 0) return ends('nothing blocks it');
  if (!o.canRevise) return ends('its author cannot be asked');
  if (o.workSha256 === o.previousSha256) return ends('the work is unchanged since the last round');
  // After a person's answer it is judged once more, however many rounds there were.
  if (round > maxRounds) return ends('no round is left');
  if (round === maxRounds)
    return ends(`${round === 1 ? 'the only round is' : `all ${round} rounds are`} over`);
  return { kind: 'revise', findings };
}

/** What the author has to answer, in the order of the verdicts. */
export function blockingFindings(verdicts: RoundState['verdicts']): readonly BlockingFinding[] {
  return verdicts.flatMap(({ agent, verdict, findings }) =>
    verdict === 'missing'
      ? []
      : findings.filter(({ severity }) => severity === 'blocking').map((finding) => ({ ...finding, agent })),
  );
}

function ends(why: string): NextRound {
  return { kind: 'ends', why };
}
