/**
 * The rules that hold whatever happens: random operations in random order by several holders of leases, some stale,
 * with a clock that jumps and restarts in between. After each one the rules are checked; at the end the queue drains.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Lease, Ledger } from '../../../src/ledger/ledger.ts';
import { finalStates, type JobRecord, type WaitReason } from '../../../src/types/job.ts';
import type { MakePlace } from '../contract.ts';
import { attempt, spec } from '../specs.ts';

const RUNS = 12;
const OPERATIONS = 60;
const agents = ['a', 'b'];
const limits = new Map([
  ['a', 2],
  ['b', 1],
]);
const reasons: readonly WaitReason[] = ['backoff', 'agent_unavailable', 'single_flight'];

type Operation = (world: World) => Promise<void>;

class World {
  now = 1_000_000_000;
  /** All that were ever handed out; those that are over are the stale ones. */
  readonly leases: Lease[] = [];
  readonly ends = new Map<string, string>();
  known = 0;
  worker = 1;
  ledger: Ledger;
  readonly reopen: () => Promise<void>;

  constructor(ledger: Ledger, reopen: (world: World) => Promise<void>) {
    this.ledger = ledger;
    this.reopen = () => reopen(this);
  }

  lease(pick: number): Lease | undefined {
    return this.leases[pick % Math.max(1, this.leases.length)];
  }

  async ended(job: JobRecord | undefined): Promise<void> {
    if (!job) return;
    expect(this.ends.has(job.id), `job ${job.id} ended twice`).toBe(false);
    this.ends.set(job.id, job.state);
  }
}

const nat = fc.nat({ max: 1_000 });

/** Runs `change` with a lease; where that is stale, nothing at all may be different afterwards. */
async function withLease(
  world: World,
  pick: number,
  change: (lease: Lease) => Promise<unknown>,
): Promise<void> {
  const lease = world.lease(pick);
  if (!lease) return;
  // A clock that was set back moves other jobs when it is next looked at: now, and not by the change.
  await world.ledger.jobs.heartbeat('nobody', 1);
  const before = await world.ledger.jobs.list({ limit: 1_000 });
  const job = before.find(({ id }) => id === lease.job.id);
  const isLatest = world.leases.findLast((other) => other.job.id === lease.job.id) === lease;
  const isStale = job?.state !== 'running' || !isLatest;
  await change(lease);
  if (isStale) expect(await world.ledger.jobs.list({ limit: 1_000 })).toEqual(before);
}

const operations: fc.Arbitrary<Operation>[] = [
  fc.tuple(nat, nat, nat, nat).map(([path, key, agent, priority]) => async (world) => {
    const id = `j${world.known++}`;
    const superseded = await world.ledger.jobs.enqueue(
      spec({
        id,
        path: `p${path % 12}`,
        key: key % 3 === 0 ? '' : `k${key % 4}`,
        agent: agents[agent % 2] as string,
        priority: priority % 5,
      }),
    );
    for (const older of superseded) await world.ended(await world.ledger.jobs.get(older));
  }),
  fc.nat({ max: 4 }).map((max) => async (world) => {
    const worker = `w${world.worker}`;
    world.leases.push(...(await world.ledger.jobs.claim({ max, limits, worker, leaseMs: 1_000 })));
  }),
  fc.tuple(nat, fc.boolean()).map(
    ([pick, counts]) =>
      (world) =>
        withLease(world, pick, (lease) => world.ledger.jobs.attempted(lease, attempt(lease.token), counts)),
  ),
  fc.tuple(nat, nat).map(
    ([pick, state]) =>
      (world) =>
        withLease(world, pick, async (lease) => {
          const end = { state: finalStates[state % 5] as (typeof finalStates)[number], costUsd: 1 };
          await world.ended(await world.ledger.jobs.end(lease, end));
        }),
  ),
  fc.tuple(nat, nat, nat).map(
    ([pick, reason, delay]) =>
      (world) =>
        withLease(world, pick, (lease) =>
          world.ledger.jobs.retry(lease, {
            reason: reasons[reason % 3] as WaitReason,
            notBefore: world.now + delay * 100,
          }),
        ),
  ),
  fc.tuple(nat, fc.boolean()).map(
    ([pick, interrupted]) =>
      (world) =>
        withLease(world, pick, (lease) =>
          world.ledger.jobs.release(lease, { interrupted, maxInterruptions: 2 }),
        ),
  ),
  nat.map((pick) => async (world) => {
    const job = await world.ledger.jobs.endIdle(`j${pick % Math.max(1, world.known)}`, {
      state: 'cancelled',
    });
    await world.ended(job);
  }),
  nat.map((reason) => async (world) => {
    await world.ledger.jobs.wake({ reason: reasons[reason % 3] as WaitReason });
  }),
  fc.tuple(nat, nat).map(([pick, to]) => async (world) => {
    const id = `j${pick % Math.max(1, world.known)}`;
    const agent = agents[to % 2] as string;
    await world.ledger.jobs.reroute(id, { rule: 'other', agent, key: `k${to % 4}`, priority: to % 5 });
  }),
  nat.map((pick) => async (world) => {
    await world.ledger.jobs.unhold(`j${pick % Math.max(1, world.known)}`);
  }),
  fc.integer({ min: -3_600_000, max: 3_600_000 }).map((ms) => async (world) => {
    world.now += ms;
  }),
  fc.constant((world) => world.reopen()),
];

async function check({ ledger, ends }: World): Promise<void> {
  const jobs = await ledger.jobs.list({ limit: 1_000 });
  const running = jobs.filter(({ state }) => state === 'running');
  for (const [agent, limit] of limits)
    expect(running.filter((job) => job.agent === agent).length, `running of ${agent}`).toBeLessThanOrEqual(
      limit,
    );
  const keys = running.map(({ key }) => key).filter((key) => key !== '');
  expect(new Set(keys).size, 'running jobs with one key').toBe(keys.length);
  const paths = running.map(({ input }) => input.path);
  expect(new Set(paths).size, 'running jobs of one path').toBe(paths.length);
  const ended = jobs.filter(({ endedAt }) => endedAt !== undefined);
  expect(Object.fromEntries(ended.map(({ id, state }) => [id, state]))).toEqual(Object.fromEntries(ends));
  const tally = await ledger.jobs.tally();
  expect(tally.reduce((sum, row) => sum + row.jobs, 0)).toBe(ended.length);
  expect(tally.reduce((sum, row) => sum + row.costUsd, 0)).toBe(
    ended.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0),
  );
  expect(tally.every(({ durationMs }) => durationMs >= 0)).toBe(true);
  const counts = await ledger.jobs.counts();
  for (const state of ['queued', 'running', 'waiting', 'held'] as const)
    expect(jobs.filter((job) => job.state === state).length, state).toBe(counts[state]);
}

/** With nobody doing anything but work, everything comes to its end. */
async function drain(world: World): Promise<void> {
  const { jobs } = world.ledger;
  for (const job of await jobs.list({ states: ['held'], limit: 1_000 })) await jobs.unhold(job.id);
  await jobs.wake({ reason: 'agent_unavailable' });
  for (const lease of await jobs.orphaned('nobody'))
    await jobs.release(lease, { interrupted: false, maxInterruptions: 2 });
  for (;;) {
    const leases = await jobs.claim({ max: 3, limits, worker: 'drain', leaseMs: 1_000 });
    await check(world);
    for (const lease of leases) await world.ended(await jobs.end(lease, { state: 'succeeded', costUsd: 2 }));
    if (leases.length > 0) continue;
    const dueAt = await jobs.nextDueAt();
    if (dueAt === undefined) break;
    world.now = Math.max(world.now, dueAt);
  }
  expect(await jobs.counts()).toEqual({ queued: 0, running: 0, waiting: 0, held: 0 });
  expect(world.ends.size).toBe(world.known);
}

export function randomContract(makePlace: MakePlace): void {
  test('limits, single flight, fences, totals and progress hold under any order of events', {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(...operations), { minLength: OPERATIONS, maxLength: OPERATIONS }),
        async (steps) => {
          const place = makePlace();
          const clock = { now: (): number => 0 };
          const open = (): Promise<Ledger> => place.open(() => clock.now());
          const world = new World(await open(), async (self) => {
            await self.ledger[Symbol.asyncDispose]();
            self.ledger = await open();
            self.worker += 1;
          });
          clock.now = () => world.now;
          try {
            for (const step of steps) {
              await step(world);
              await check(world);
            }
            await drain(world);
          } finally {
            await world.ledger[Symbol.asyncDispose]();
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
}
