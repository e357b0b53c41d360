/** What verdicts decide: the four rules, votes, rules of one's own; and that nothing missing ever helps the work. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReviewDecision, ReviewsConfig } from '../../src/config/config.ts';
import { decide, isWorse, type Policy, type Vote } from '../../src/reviews/policy.ts';

const letters = { a: 'approved', c: 'concern', b: 'blocker', m: 'missing' } as const;

/** `a c2 b0.5 m`: verdicts, with weights other than 1. */
function votes(text: string): readonly Vote[] {
  return text
    .split(' ')
    .filter((one) => one !== '')
    .map((one, index) => ({
      agent: `agent-${index}`,
      verdict: letters[one[0] as keyof typeof letters],
      weight: one.length > 1 ? Number(one.slice(1)) : 1,
    }));
}

const four: Policy = { policy: 'four_rules', quorum: 1 };
const byVotes: Policy = { policy: 'votes', quorum: 1 };

describe('the four rules', () => {
  const table: readonly (readonly [string, ReviewDecision])[] = [
    ['a', 'continue'],
    ['a a a', 'continue'],
    ['a c', 'warn'],
    ['c', 'warn'],
    ['c c', 'pause'],
    ['a a a c c', 'pause'],
    ['b', 'stop'],
    ['a a a b', 'stop'],
    ['c c b', 'stop'],
    // Weights: of concerns. No weight silences a concern or a blocker.
    ['c2', 'pause'],
    ['c1.9', 'warn'],
    ['c0.5 c0.5', 'warn'],
    ['c0.7 c0.7 c0.6', 'pause'],
    ['c0', 'warn'],
    ['b0 a5', 'stop'],
    // What is missing is no approval.
    ['a m', 'warn'],
    ['m', 'pause'],
    ['', 'pause'],
    ['c m', 'warn'],
    ['b m m', 'stop'],
  ];
  test.each(table)('%j: %s', (text, decision) => {
    expect(decide(votes(text), four, 1).decision).toBe(decision);
  });

  test.each([
    ['a m', 2, 'pause', true],
    ['a a m', 2, 'warn', false],
    ['c m', 2, 'pause', true],
    ['b m', 2, 'stop', false],
    ['a', 0, 'continue', false],
    ['m', 0, 'pause', true],
  ] as const)('%j with a quorum of %d: %s', (text, quorum, decision, isUndecided) => {
    expect(decide(votes(text), { ...four, quorum }, 1)).toMatchObject({ decision, isUndecided });
  });

  test.each([
    ['a', 'continue'],
    ['a m', 'pause'],
    ['a a m', 'warn'],
    ['a m m', 'pause'],
    ['a a m m', 'pause'],
    ['m', 'pause'],
    ['', 'pause'],
  ] as const)('%j without a quorum: more than half of those who were asked: %s', (text, decision) => {
    expect(decide(votes(text), { policy: 'four_rules' }, 1).decision).toBe(decision);
  });

  test('why names who said it, and who said nothing', () => {
    expect(decide(votes('a b m'), four, 1).why).toBe('agent-1 has a blocker; no valid verdict from agent-2');
    expect(decide(votes('c c2 a'), four, 1).why).toBe('agent-0, agent-1 have concerns (weight 3)');
    expect(decide(votes('a m m'), { ...four, quorum: 2 }, 1).why).toBe(
      '1 valid verdict, 2 needed; no valid verdict from agent-1, agent-2',
    );
  });
});

describe('votes', () => {
  test.each([
    ['a', 'continue', false],
    ['a a c', 'warn', false],
    ['a c c', 'pause', false],
    ['b b a', 'stop', false],
    ['b a a', 'warn', false],
    ['b2 a', 'stop', false],
    ['a b', 'pause', true],
    ['a c', 'pause', true],
    ['b c', 'pause', true],
    ['a0 c0', 'pause', true],
    ['a a m', 'warn', false],
    ['m', 'pause', true],
    ['a0.1 a0.2 c0.3', 'pause', true],
    ['a0.3 c0.1 b0.2', 'pause', true],
    // More of it is against the work than for it, and not enough to stop it.
    ['a b c', 'pause', false],
    ['a2 c b', 'pause', true],
    ['a2.1 c b', 'warn', false],
    ['b2 a c', 'pause', true],
    ['b2.1 a c', 'stop', false],
  ] as const)('%j: %s', (text, decision, isUndecided) => {
    expect(decide(votes(text), byVotes, 1)).toMatchObject({ decision, isUndecided });
  });

  test('most of the weight stops without a quorum, too', () => {
    expect(decide(votes('b m'), { ...byVotes, quorum: 2 }, 1).decision).toBe('stop');
  });
});

describe('rules of one’s own', () => {
  const own = (...rules: readonly (readonly [string, ReviewDecision])[]): Policy => ({
    policy: rules.map(([condition, decision]) => ({ if: condition, decision })),
    quorum: 1,
  });

  test.each<readonly [string, Policy, ReviewDecision, boolean]>([
    ['a b', own(['blockers >= 1', 'stop'], ['true', 'continue']), 'stop', false],
    ['a c', own(['blockers >= 1', 'stop'], ['true', 'continue']), 'continue', false],
    ['a a', own(['${{ approved >= 2 && missing == 0 }}', 'continue']), 'continue', false],
    ['a m', own(['approved >= 2 && missing == 0', 'continue']), 'pause', true],
    ['c m', own(['verdicts == 1 && missing == 1 && concerns == 1', 'warn']), 'warn', false],
    ['c', own(['round >= 2', 'stop'], ['concerns', 'warn']), 'warn', false],
    ['a', own(), 'pause', true],
    ['a', own(['approvals > 0', 'continue'], ['true', 'continue']), 'pause', true],
    ['a', own(["approved == 'one'", 'continue'], ['true', 'continue']), 'pause', true],
    ['a', own(['approved >', 'continue']), 'pause', true],
    ['a', own(["hashFiles('*') == ''", 'continue']), 'pause', true],
    ['m', own(['true', 'continue']), 'pause', true],
  ])('%j', (text, policy, decision, isUndecided) => {
    expect(decide(votes(text), policy, 1)).toMatchObject({ decision, isUndecided });
  });

  test('the round can be asked for; what holds, or cannot be evaluated, is named', () => {
    const policy = own(['round >= 2', 'stop'], ['concerns > 0', 'warn']);
    expect(decide(votes('c'), policy, 2)).toMatchObject({
      decision: 'stop',
      why: 'rule 1 (`round >= 2`) holds: agent-0 has a concern',
    });
    expect(decide(votes('c'), own(['nonsense > 1', 'warn']), 1).why).toMatch(
      /^rule 1 \(`nonsense > 1`\) cannot be evaluated: .*nonsense/,
    );
  });
});

const vote = fc.record({
  agent: fc.string({ maxLength: 4 }),
  verdict: fc.constantFrom(...Object.values(letters)),
  weight: fc.constantFrom(0, 0.1, 0.2, 0.5, 0.7, 1, 1, 1, 2, 3),
});
const someVotes = fc.array(vote, { maxLength: 6 });
/** Those without rules of one's own, which may say anything. */
const policies = fc.record({
  policy: fc.constantFrom<ReviewsConfig['policy'] & string>('four_rules', 'votes'),
  quorum: fc.nat(4),
});

describe('always', () => {
  test('an approval more never makes it worse', () => {
    fc.assert(
      fc.property(someVotes, vote, policies, (before, added, policy) => {
        const after = [...before, { ...added, verdict: 'approved' as const }];
        expect(isWorse(decide(after, policy, 1).decision, decide(before, policy, 1).decision)).toBe(false);
      }),
    );
  });

  test('an answer that is missing is never better than an approval or than the concern it might have been', () => {
    fc.assert(
      fc.property(someVotes, vote, policies, (others, one, policy) => {
        const of = (verdict: Vote['verdict']) => decide([...others, { ...one, verdict }], policy, 1).decision;
        expect(isWorse(of('approved'), of('missing'))).toBe(false);
        expect(of('missing')).not.toBe('continue');
      }),
    );
  });

  test('a concern in the place of an approval, a blocker in that of a concern, never makes it better', () => {
    fc.assert(
      fc.property(someVotes, vote, policies, (others, one, policy) => {
        const of = (verdict: Vote['verdict']) => decide([...others, { ...one, verdict }], policy, 1).decision;
        expect(isWorse(of('approved'), of('concern'))).toBe(false);
        expect(isWorse(of('concern'), of('blocker'))).toBe(false);
        expect([of('concern'), of('blocker')]).not.toContain('continue');
      }),
    );
  });

  test('a blocker more never makes it better, once there are verdicts enough', () => {
    fc.assert(
      fc.property(someVotes, vote, policies, (before, added, policy) => {
        const after = [...before, { ...added, verdict: 'blocker' as const }];
        fc.pre(before.filter(({ verdict }) => verdict !== 'missing').length >= policy.quorum);
        expect(isWorse(decide(before, policy, 1).decision, decide(after, policy, 1).decision)).toBe(false);
      }),
    );
  });

  test('any blocker stops by the four rules; the order of verdicts does not matter', () => {
    fc.assert(
      fc.property(
        someVotes.chain((some) =>
          fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
        ),
        policies,
        ([some, shuffled], policy) => {
          const decided = decide(some, policy, 1);
          expect(decide(shuffled, policy, 1).decision).toBe(decided.decision);
          if (policy.policy === 'four_rules' && some.some(({ verdict }) => verdict === 'blocker'))
            expect(decided.decision).toBe('stop');
        },
      ),
    );
  });
});
