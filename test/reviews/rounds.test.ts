/** Whether the author is asked again, and that it always comes to an end. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReviewsConfig } from '../../src/config/config.ts';
import { decide } from '../../src/reviews/policy.ts';
import { blockingFindings, nextRound, type RoundState } from '../../src/reviews/rounds.ts';
import type { ReviewFinding } from '../../src/types/review.ts';

const blocking: ReviewFinding = { severity: 'blocking', text: 'The total is wrong.' };
const minor: ReviewFinding = { severity: 'minor', text: 'A comma.' };
const verdict = (
  kind: 'approved' | 'concern' | 'blocker' | 'missing',
  ...findings: readonly ReviewFinding[]
) => ({ agent: kind, verdict: kind, findings, weight: 1 });

const policies: Pick<ReviewsConfig, 'policy' | 'quorum'> = { policy: 'four_rules', quorum: 1 };

function state(verdicts: readonly ReturnType<typeof verdict>[], facts: Partial<RoundState> = {}): RoundState {
  return {
    verdicts,
    judgement: decide(verdicts, policies, facts.round ?? 1),
    round: 1,
    maxRounds: 3,
    canRevise: true,
    workSha256: 'b',
    ...facts,
  };
}

test.each<readonly [string, RoundState, string]>([
  ['a blocker with rounds left', state([verdict('blocker', blocking)]), 'revise'],
  ['a concern with a blocking finding', state([verdict('concern', blocking)]), 'revise'],
  ['changed since', state([verdict('blocker', blocking)], { round: 2, previousSha256: 'a' }), 'revise'],
  ['approved', state([verdict('approved')]), 'the work is accepted'],
  ['concerns without a blocking finding', state([verdict('concern', minor)]), 'nothing blocks it'],
  ['the last round', state([verdict('blocker', blocking)], { round: 3 }), 'all 3 rounds are over'],
  ['one round alone', state([verdict('blocker', blocking)], { maxRounds: 1 }), 'the only round is over'],
  [
    'unchanged',
    state([verdict('blocker', blocking)], { round: 2, previousSha256: 'b' }),
    'the work is unchanged since the last round',
  ],
  [
    'work that goes on',
    state([verdict('blocker', blocking)], { canRevise: false }),
    'its author cannot be asked',
  ],
  ['too few verdicts', state([verdict('missing', blocking)]), 'a person decides'],
  [
    'a tie',
    state([verdict('blocker', blocking), verdict('approved')], {
      judgement: decide([verdict('blocker'), verdict('approved')], { policy: 'votes', quorum: 1 }, 1),
    }),
    'a person decides',
  ],
])('%s', (_name, round, outcome) => {
  const next = nextRound(round);
  expect(next.kind === 'revise' ? 'revise' : next.why).toBe(outcome);
});

test('the author gets the blocking findings with who found them, and no others', () => {
  const verdicts = [
    verdict('blocker', blocking, minor),
    verdict('missing', blocking),
    verdict('concern', { ...blocking, text: 'No test.' }),
  ];
  expect(blockingFindings(verdicts)).toEqual([
    { ...blocking, agent: 'blocker' },
    { severity: 'blocking', text: 'No test.', agent: 'concern' },
  ]);
});

test('a reviewer that always finds something comes to an end, whatever the author does', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.nat(3), { minLength: 10 }),
      (maxRounds, works) => {
        let previousSha256: string | undefined;
        for (let round = 1; ; round += 1) {
          const workSha256 = `work ${works[round % works.length]}`;
          const next = nextRound(
            state([verdict('blocker', blocking)], {
              round,
              maxRounds,
              workSha256,
              ...(previousSha256 !== undefined && { previousSha256 }),
            }),
          );
          if (next.kind === 'ends') return round <= maxRounds;
          previousSha256 = workSha256;
        }
      },
    ),
  );
});
