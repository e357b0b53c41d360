/**
 * The same as `random.ts` for what is limited: lanes, batches, rates, keys, paths, fallbacks, parking, halves of batches,
 * with restarts in between. A model counts what runs by the leases that were handed out, and the starts by the clock.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Lease, Ledger } from '../../../src/ledger/ledger.ts';
import type { WaitReason } from '../../../src/types/job.ts';
import type { MakePlace } from '../contract.ts';
import { attempt, ids, spec } from '../specs.ts';

const RUNS = 10;
const OPERATIONS = 60;
const LANE = 'a\0slow';
const BATCH = 3;
const MAX_FILES = 5;
const limits = new Map([
  ['a', 3],
  ['b', 2],
]);
const lanes = new Map([[LANE, { agent: 'a', limit: 1 }]]);
const rates = new Map([['b', { count: 2, perMs: 1_000 }]]);
const batchSizes = new Map([['slow', BATCH]]);
const reasons: readonly WaitReason[] = ['backoff', 'breaker', 'budget', 'single_flight', 'batch'];
const hold = { reason: 'loop', message: 'm', fix: 'f' } as const;

/** What runs is known by the leases; one attempt is one list of them. */
class Model {
  now = 1_000_000;
  ledger: Ledger;
  readonly open: () => Promise<Ledger>;
  running: Lease[][] = [];
  readonly startsOfB: number[] = [];
  readonly ended = new Set<string>();
  known = 0;

  constructor(ledger: Ledger, open: () => Promise<Ledger>) {
    this.ledger = ledger;
    this.open = open;
  }

  async claim(max: number, maxFiles: number): Promise<void> {
    const query = { max, limits, lanes, rates, batchSizes, maxFiles, worker: 'w', leaseMs: 1_000 };
    const leases = await this.ledger.jobs.claim(query);
    expect(leases.length).toBeLessThanOrEqual(max);
    const attempts = leases.map((lease) => [lease, ...lease.companions]);
    expect(attempts.flat().length).toBeLessThanOrEqual(maxFiles);
    for (const together of attempts) {
      expect(together.length, 'files of a batch').toBeLessThanOrEqual(together[0]?.job.batch ? BATCH : 1);
      expect(new Set(together.map(({ job }) => `${job.agent} ${job.rule} ${job.batch}`)).size).toBe(1);
      if (together[0]?.job.agent === 'b') this.startsOfB.push(this.now);
    }
    this.running.push(...attempts);
  }

  /** Ends its lease, and with the last of them its attempt. */
  async leave(pick: number, how: (lease: Lease) => Promise<unknown>): Promise<void> {
    const together = this.running[pick % Math.max(1, this.running.length)];
    const lease = together?.pop();
    if (!lease) return;
    expect(await how(lease), `job ${lease.job.id} is ours`).toBeTruthy();
    this.running = this.running.filter((attempt) => attempt.length > 0);
  }

  async check(): Promise<void> {
    const { jobs } = this.ledger;
    const attempts = (agent: string, lane?: string): number =>
      this.running.filter(
        ([lease]) => lease?.job.agent === agent && (lane ?? lease.job.lane) === lease.job.lane,
      ).length;
    for (const [agent, limit] of limits) expect(attempts(agent), agent).toBeLessThanOrEqual(limit);
    expect(attempts('a', LANE), 'the lane').toBeLessThanOrEqual(1);
    const load = await jobs.load();
    for (const agent of limits.keys()) expect(load.get(agent) ?? 0, `load of ${agent}`).toBe(attempts(agent));
    const files = this.running.flat().map(({ job }) => job);
    const keys = files.map(({ key }) => key).filter((key) => key !== '');
    expect(new Set(keys).size, 'one of a key').toBe(keys.length);
    expect(new Set(files.map(({ input }) => input.path)).size, 'one of a path').toBe(files.length);
    for (const at of this.startsOfB)
      expect(
        this.startsOfB.filter((other) => other >= at && other < at + 1_000).length,
        'rate',
      ).toBeLessThanOrEqual(2);
    expect(ids(await jobs.orphaned('nobody')).sort()).toEqual(files.map(({ id }) => id).sort());
    const { queued, running, waiting, held } = await jobs.counts();
    expect(queued + running + waiting + held + this.ended.size, 'nothing is lost').toBe(this.known);
    const open = await jobs.openByAgent();
    expect([...open.values()].reduce((sum, n) => sum + n, 0)).toBe(queued + running + waiting + held);
    const waits = await jobs.waits();
    expect(waits.reduce((sum, row) => sum + row.jobs, 0)).toBe(waiting);
  }
}

type Operation = (model: Model) => Promise<unknown>;
const nat = fc.nat({ max: 1_000 });

const enqueue: fc.Arbitrary<Operation> = fc.tuple(nat, nat, nat).map(([path, key, kind]) => async (model) => {
  const id = `j${model.known++}`;
  const isSlow = kind % 3 !== 0;
  const batch = { group: 'slow\0in', notBefore: model.now + (kind % 5) * 100, maxFiles: 4 };
  const older = await model.ledger.jobs.enqueue(
    spec({
      id,
      path: `p${path % 25}`,
      key: key % 3 === 0 ? `k${key % 4}` : '',
      priority: kind % 4,
      agent: kind % 4 === 0 ? 'b' : 'a',
      ...(isSlow && { rule: 'slow', batch, ...(kind % 4 !== 0 && { lane: LANE }) }),
      ...(kind % 11 === 0 && { hold }),
    }),
  );
  for (const gone of older) model.ended.add(gone);
});

const end: fc.Arbitrary<Operation> = fc.tuple(nat, fc.boolean()).map(
  ([pick, tells]) =>
    (model) =>
      model.leave(pick, async (lease) => {
        if (tells) await model.ledger.jobs.attempted(lease, attempt(lease.token, { costUsd: 1 }), true);
        model.ended.add(lease.job.id);
        return await model.ledger.jobs.end(lease, { state: 'succeeded' });
      }),
);

const operations: fc.Arbitrary<Operation>[] = [
  enqueue,
  enqueue,
  enqueue,
  fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: MAX_FILES })).map(
    ([max, maxFiles]) =>
      (model) =>
        model.claim(max, maxFiles),
  ),
  fc.constant((model) => model.claim(4, MAX_FILES)),
  end,
  end,
  fc.tuple(nat, nat).map(
    ([pick, delay]) =>
      (model) =>
        model.leave(pick, (lease) =>
          model.ledger.jobs.retry(lease, {
            reason: reasons[delay % reasons.length] as WaitReason,
            ...(delay % 3 !== 0 && { notBefore: model.now + delay }),
          }),
        ),
  ),
  nat.map(
    (pick) => (model) =>
      model.leave(pick, (lease) => {
        const agent = lease.job.agent === 'a' ? 'b' : 'a';
        const to = { rule: lease.job.rule, agent, key: `f${pick % 3}`, priority: 1 };
        return model.ledger.jobs.fallBack(lease, to, { agent: lease.job.agent, reason: 'exit_code' });
      }),
  ),
  nat.map(
    (pick) => (model) =>
      model.leave(pick, (lease) => model.ledger.jobs.regroup(lease, `slow\0in\0${pick % 2}`)),
  ),
  nat.map((pick) => (model) => model.leave(pick, (lease) => model.ledger.jobs.hold(lease, hold))),
  nat.map(
    (pick) => (model) =>
      model.leave(pick, (lease) =>
        model.ledger.jobs.release(lease, { interrupted: pick % 2 === 0, maxInterruptions: 2 }),
      ),
  ),
  nat.map((n) => async (model) => {
    const o = {
      reason: 'breaker',
      message: 'm',
      fix: 'f',
      ...(n % 2 === 0 && { notBefore: model.now + n }),
    } as const;
    await model.ledger.jobs.park(n % 3 === 0 ? { rule: 'slow' } : { agent: n % 3 === 1 ? 'a' : 'b' }, o);
  }),
  nat.map((n) => (model) => model.ledger.jobs.wake({ reason: reasons[n % reasons.length] as WaitReason })),
  nat.map((pick) => (model) => model.ledger.jobs.unhold(`j${pick % Math.max(1, model.known)}`)),
  nat.map((pick) => async (model) => {
    const id = `j${pick % Math.max(1, model.known)}`;
    if (await model.ledger.jobs.endIdle(id, { state: 'cancelled' })) model.ended.add(id);
  }),
  nat.map((ms) => async (model) => {
    model.now += ms;
  }),
  fc.constant(async (model) => {
    await model.ledger.jobs.prune(0, 100, 3);
  }),
  fc.constant(async (model) => {
    await model.ledger[Symbol.asyncDispose]();
    model.ledger = await model.open();
  }),
];

/** With nobody doing anything but work, everything comes to its end, and no limit is exceeded on the way. */
async function drain(model: Model): Promise<void> {
  const { jobs } = model.ledger;
  for (const { id } of await jobs.list({ states: ['held'], limit: 1_000 })) await jobs.unhold(id);
  for (const reason of reasons) await jobs.wake({ reason });
  for (;;) {
    await model.claim(4, MAX_FILES);
    await model.check();
    const isWorking = model.running.length > 0;
    while (model.running.length > 0)
      await model.leave(0, (lease) => {
        model.ended.add(lease.job.id);
        return jobs.end(lease, { state: 'succeeded' });
      });
    if (isWorking) continue;
    const dueAt = (await jobs.rateFreeAt('b', { count: 2, perMs: 1_000 })) ?? (await jobs.nextDueAt());
    if (dueAt === undefined) break;
    model.now = Math.max(model.now, dueAt);
  }
  expect(await jobs.counts()).toEqual({ queued: 0, running: 0, waiting: 0, held: 0 });
  expect(model.ended.size).toBe(model.known);
}

export function randomLimitContract(makePlace: MakePlace): void {
  test('no limit of agent, lane, rate, batch, key or path is ever exceeded, nothing is lost, the queue drains', {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(...operations), { minLength: OPERATIONS, maxLength: OPERATIONS }),
        async (steps) => {
          const place = makePlace();
          const clock = { now: (): number => 0 };
          const open = (): Promise<Ledger> => place.open(() => clock.now());
          const model = new Model(await open(), open);
          clock.now = () => model.now;
          try {
            for (const step of steps) {
              await step(model);
              await model.check();
            }
            await drain(model);
          } finally {
            await model.ledger[Symbol.asyncDispose]();
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
}
