import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentConfig, BudgetConfig, RuleConfig } from '../../src/config/config.ts';
import {
  createBudgets,
  dayOf,
  formatUsd,
  nextDayAt,
  type RunningSpent,
} from '../../src/coordinator/budget.ts';
import type { SpendingRow } from '../../src/ledger/ledger.ts';

const now = Date.UTC(2026, 10, 20, 18, 30);
const midnight = '2026-11-21T00:00:00.000Z';
type Bounds = Partial<BudgetConfig>;

function budgets({ x, y, r, all }: { x?: Bounds; y?: Bounds; r?: Bounds; all?: Bounds }) {
  const budget = (bounds: Bounds | undefined): { budget?: BudgetConfig } =>
    bounds ? { budget: { unknownCost: 'refuse', ...bounds } } : {};
  const agents = new Map(
    Object.entries({ x, y, free: { usdPerDay: 0.01 } }).map(([name, bounds]) => [
      name,
      { name, ...budget(bounds) } as AgentConfig,
    ]),
  );
  const rules = [{ name: 'r', ...budget(r) }, { name: 's' }] as RuleConfig[];
  return createBudgets({ agents, rules, ...budget(all) }, (agent) => agent === 'free');
}
const row = (agent: string, rule: string, more: Partial<SpendingRow> = {}): SpendingRow => ({
  ...{ day: '2026-11-20', agent, rule, attempts: 1, unknown: 0, costUsd: 0, tokens: 0 },
  ...more,
});
const usage = (tokens: number) => ({
  ...{ input_tokens: tokens, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 0 },
});
const runs = (costUsd: number | null, more: Partial<RunningSpent> = {}): RunningSpent => ({
  ...{ job: 'j', agent: 'x', rule: 'r', spent: { costUsd } },
  ...more,
});

test('days are UTC days', () => {
  expect(dayOf(now)).toBe('2026-11-20');
  expect(dayOf(Date.UTC(2026, 10, 20, 23, 59, 59, 999))).toBe('2026-11-20');
  expect(new Date(nextDayAt(now)).toISOString()).toBe(midnight);
  const atMidnight = Date.UTC(2026, 11, 31);
  expect(new Date(nextDayAt(atMidnight)).toISOString()).toBe('2027-01-01T00:00:00.000Z');
});

test.each([
  [1, '$1.00'],
  [1.02, '$1.02'],
  [1.0004, '$1.0004'],
  [0.0042, '$0.0042'],
  [0.1 + 0.2, '$0.30'],
  [0.00001234, '$0.000012'],
  [0, '$0.00'],
])('%d is %s', (value, text) => {
  expect(formatUsd(value)).toBe(text);
});

describe('may work begin', () => {
  type Case = [string, Parameters<typeof budgets>[0], SpendingRow[], RunningSpent[], object | 'free'];
  test.each<Case>([
    ['no bounds', {}, [row('x', 'r', { costUsd: 1e6, unknown: 1 })], [], 'free'],
    ['nothing spent', { x: { usdPerDay: 1 } }, [], [], 'free'],
    ['something left', { x: { usdPerDay: 1 } }, [row('x', 'r', { costUsd: 0.99 })], [], 'free'],
    [
      'nothing left',
      { x: { usdPerDay: 1 } },
      [row('x', 'r', { costUsd: 0.6 }), row('x', 's', { costUsd: 0.4 })],
      [],
      {
        code: 'BUDGET_SPENT',
        limit: 'usd_per_day',
        scope: 'agent "x"',
        spent: 1,
        bound: 1,
        until: nextDayAt(now),
        message: 'agent "x" has spent $1.00 of its $1.00 per day',
        fix: `It goes on by itself at ${midnight}; to go on now, raise \`agents.x.budget.usd_per_day\`.`,
      },
    ],
    [
      'ten times ten cents are a dollar',
      { x: { usdPerDay: 1 } },
      Array.from({ length: 10 }, (_, i) => row('x', `r${i}`, { costUsd: 0.1 })),
      [],
      { code: 'BUDGET_SPENT' },
    ],
    ['what others spent', { x: { usdPerDay: 1 } }, [row('y', 'r', { costUsd: 5 })], [], 'free'],
    [
      'running attempts count',
      { x: { usdPerDay: 1 } },
      [row('x', 'r', { costUsd: 0.5 })],
      [runs(0.5, { rule: 's' })],
      { code: 'BUDGET_SPENT', spent: 1 },
    ],
    [
      'a rule with all its agents',
      { r: { usdPerDay: 1 } },
      [row('y', 'r', { costUsd: 0.5 })],
      [runs(0.5)],
      {
        scope: 'rule "r"',
        message: 'rule "r" has spent $1.00 of its $1.00 per day',
        fix: expect.stringContaining('`budget.usd_per_day` of rule "r"'),
      },
    ],
    ['a rule, other rules', { r: { usdPerDay: 1 } }, [row('x', 's', { costUsd: 5 })], [], 'free'],
    [
      'all together',
      { all: { usdPerDay: 2 } },
      [row('y', 's', { costUsd: 2.5 })],
      [],
      { scope: 'daemon', message: 'the daemon has spent $2.50 of its $2.00 per day' },
    ],
    [
      'tokens',
      { x: { tokensPerDay: 5_000_000 } },
      [row('x', 'r', { tokens: 5_000_001 })],
      [],
      {
        limit: 'tokens_per_day',
        spent: 5_000_001,
        message: 'agent "x" has used 5,000,001 of its 5,000,000 tokens per day',
      },
    ],
    [
      'running tokens',
      { x: { tokensPerDay: 100 } },
      [],
      [runs(null, { spent: { costUsd: null, usage: usage(100) } })],
      { code: 'BUDGET_SPENT', spent: 100 },
    ],
    [
      'a sum that is not whole says so',
      { x: { usdPerDay: 1, unknownCost: 'allow' } },
      [row('x', 'r', { costUsd: 1, unknown: 2 })],
      [],
      { message: 'agent "x" has spent at least $1.00 of its $1.00 per day' },
    ],
    [
      'unknown cost',
      { x: { usdPerDay: 20 } },
      [row('x', 'r', { unknown: 3, attempts: 4 })],
      [],
      {
        code: 'COST_UNKNOWN',
        limit: 'usd_per_day',
        scope: 'agent "x"',
        spent: null,
        bound: 20,
        until: nextDayAt(now),
        message: 'agent "x" did not say what 3 attempts today cost, and agent "x" may use $20.00 per day',
        fix: expect.stringContaining('`agents.x.budget.unknown_cost: allow`'),
      },
    ],
    [
      'unknown cost with a bound per run only',
      { x: { usdPerRun: 1 } },
      [row('x', 'r', { unknown: 1 })],
      [],
      {
        code: 'COST_UNKNOWN',
        limit: 'usd_per_run',
        message: expect.stringContaining('what an attempt today cost'),
      },
    ],
    [
      'unknown but allowed',
      { x: { usdPerDay: 1, unknownCost: 'allow' } },
      [row('x', 'r', { unknown: 3 })],
      [],
      'free',
    ],
    ["another agent's silence", { all: { usdPerDay: 1 } }, [row('y', 'r', { unknown: 3 })], [], 'free'],
    [
      'its own silence under the budget of all',
      { all: { usdPerDay: 1 } },
      [row('x', 's', { unknown: 1 })],
      [],
      {
        code: 'COST_UNKNOWN',
        scope: 'daemon',
        message: expect.stringContaining('the daemon may use $1.00 per day'),
      },
    ],
    ['silence for another rule', { r: { usdPerDay: 1 } }, [row('x', 's', { unknown: 1 })], [], 'free'],
    [
      'silence for this rule',
      { r: { usdPerDay: 1 } },
      [row('x', 'r', { unknown: 1 })],
      [],
      { scope: 'rule "r"' },
    ],
    [
      'an agent that is let through is so everywhere',
      { x: { unknownCost: 'allow' }, r: { usdPerDay: 1 }, all: { usdPerDay: 1 } },
      [row('x', 'r', { unknown: 1 })],
      [],
      'free',
    ],
    [
      'a bound on tokens, an agent that tells tokens but no cost',
      { x: { tokensPerDay: 100 } },
      [row('x', 'r', { unknown: 1, tokens: 50 })],
      [],
      'free',
    ],
    [
      'a bound on tokens, an agent that tells cost but no tokens',
      { x: { tokensPerDay: 100 } },
      [row('x', 'r', { attempts: 2, costUsd: 1 })],
      [],
      {
        code: 'COST_UNKNOWN',
        limit: 'tokens_per_day',
        message: expect.stringContaining('how many tokens 2 attempts'),
      },
    ],
    [
      'attempts that cost nothing for sure',
      { x: { tokensPerDay: 100, usdPerDay: 1 } },
      [row('x', 'r', { attempts: 2 })],
      [],
      'free',
    ],
  ])('%s', (_what, config, today, running, expected) => {
    const found = budgets(config).at({ today, running, now }).stop('x', 'r');
    if (expected === 'free') expect(found).toBe('free');
    else expect(found).toMatchObject(expected);
  });

  test('an agent that can cost nothing is never asked', () => {
    const all = budgets({ all: { usdPerDay: 1 }, r: { usdPerDay: 1 } });
    const today = [row('free', 'r', { unknown: 9 }), row('x', 'r', { costUsd: 9 })];
    expect(all.at({ today, running: [], now }).stop('free', 'r')).toBe('free');
    expect(all.isLimited('free', 'r')).toBe(false);
  });
});

test('whether anything is bounded at all', () => {
  const some = budgets({ x: { usdPerRun: 1 }, y: { unknownCost: 'refuse' } });
  expect(some.isLimited('x', 's')).toBe(true);
  expect(some.isLimited('y', 's')).toBe(false);
  expect(some.isLimited('gone', 'gone')).toBe(false);
  expect(budgets({ r: { tokensPerDay: 1 } }).isLimited('y', 'r')).toBe(true);
  expect(budgets({ all: { tokensPerRun: 1 } }).isLimited('gone', 'gone')).toBe(true);
});

describe('has a running attempt crossed a bound', () => {
  type Case = [string, Parameters<typeof budgets>[0], SpendingRow[], RunningSpent[], object | undefined];
  test.each<Case>([
    ['nothing told', { x: { usdPerRun: 1 } }, [], [runs(null)], undefined],
    ['exactly the bound', { x: { usdPerRun: 1 } }, [], [runs(1)], undefined],
    [
      'more',
      { x: { usdPerRun: 1 } },
      [],
      [runs(1.02)],
      {
        kind: 'limit_exceeded',
        limit: 'usd_per_run',
        message: 'agent "x" has spent $1.02 of its $1.00 per run',
        fix: 'What it wrote is kept. Raise `agents.x.budget.usd_per_run`, or give it less to do, then `sluice jobs retry`.',
      },
    ],
    [
      'with earlier attempts',
      { x: { usdPerRun: 1 } },
      [],
      [runs(0.5, { before: { costUsd: 0.6 } })],
      { message: 'agent "x" has spent $1.10 of its $1.00 per run' },
    ],
    [
      "others' spending is not this run's",
      { x: { usdPerRun: 1 } },
      [],
      [runs(0.6), runs(0.6, { job: 'k' })],
      undefined,
    ],
    [
      'a batch has the bound of each of its files',
      { x: { usdPerRun: 1 } },
      [],
      [runs(2.9, { files: 3 })],
      undefined,
    ],
    [
      'a batch that is beyond it',
      { x: { usdPerRun: 1 } },
      [],
      [runs(3.5, { files: 3 })],
      { message: 'agent "x" has spent $3.50 of its $3.00 for 3 runs' },
    ],
    [
      'tokens of a run',
      { r: { tokensPerRun: 1_000 } },
      [],
      [runs(null, { spent: { costUsd: null, usage: { ...usage(600), output_tokens: 600 } } })],
      { limit: 'tokens_per_run', message: 'rule "r" has used 1,200 of its 1,000 tokens per run' },
    ],
    [
      'the day, with what others spend now',
      { x: { usdPerDay: 2 } },
      [row('x', 's', { costUsd: 1 })],
      [runs(0.6), runs(0.6, { job: 'k', rule: 's' })],
      { limit: 'usd_per_day', message: 'agent "x" has spent $2.20 of its $2.00 per day (2026-11-20)' },
    ],
    [
      "a rule's day",
      { r: { usdPerDay: 1 } },
      [row('y', 'r', { costUsd: 0.8 })],
      [runs(0.3)],
      { message: 'rule "r" has spent $1.10 of its $1.00 per day (2026-11-20)' },
    ],
    [
      "everybody's day",
      { all: { usdPerDay: 1 } },
      [row('y', 's', { costUsd: 0.8, unknown: 1 })],
      [runs(0.3)],
      { message: 'the daemon has spent at least $1.10 of its $1.00 per day (2026-11-20)' },
    ],
    ['exactly the day', { all: { usdPerDay: 1 } }, [row('y', 's', { costUsd: 0.7 })], [runs(0.3)], undefined],
    [
      'the run before the day',
      { x: { usdPerDay: 1 }, all: { usdPerRun: 1 } },
      [],
      [runs(2)],
      { limit: 'usd_per_run', message: 'agent "x" has spent $2.00 of its $1.00 per run' },
    ],
    ['an agent that costs nothing', { all: { usdPerDay: 1 } }, [], [runs(5, { agent: 'free' })], undefined],
    ['an attempt that is not there', { x: { usdPerRun: 1 } }, [], [runs(5, { job: 'k' })], undefined],
  ])('%s', (_what, config, today, running, expected) => {
    const found = budgets(config).at({ today, running, now }).crossed('j');
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(expected);
  });
});

test('what is told is never lost: the order of rows and their division among rules change nothing', () => {
  const cents = fc.integer({ min: 0, max: 300 });
  fc.assert(
    fc.property(fc.array(cents, { maxLength: 12 }), fc.array(cents, { maxLength: 5 }), (ended, live) => {
      const today = ended.map((cost, i) => row('x', `r${i}`, { costUsd: cost / 100 }));
      const running = live.map((cost, i) => runs(cost / 100, { job: `j${i}` }));
      const sum = [...ended, ...live].reduce((a, b) => a + b, 0);
      const stop = budgets({ x: { usdPerDay: 5 } })
        .at({ today: today.toReversed(), running, now })
        .stop('x', 'r');
      expect(stop !== 'free').toBe(sum >= 500);
    }),
  );
});
