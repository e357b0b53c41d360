/** A session under random commits, locks, ends, restarts and a clock that goes on: it is what a simple model of it says. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { StateChange } from '../../../src/ledger/session-ledger.ts';
import type { MakePlace } from '../contract.ts';

const RUNS = 15;
const OPERATIONS = 50;

interface Known {
  readonly value: unknown;
  readonly revision: number;
  readonly until: number;
}

class World {
  now = 1_000_000;
  ledger: Ledger;
  readonly reopen: () => Promise<void>;
  /** What is there, and the highest revision that a key ever had. */
  readonly values = new Map<string, Known>();
  readonly highest = new Map<string, number>();
  /** Deleted keys are forgotten by now: new ones begin higher. */
  isSettled = false;
  readonly locks = new Map<string, { holder: string; until: number }>();

  constructor(ledger: Ledger, reopen: (world: World) => Promise<void>) {
    this.ledger = ledger;
    this.reopen = () => reopen(this);
  }

  known(key: string): Known | undefined {
    const found = this.values.get(key);
    return found && found.until > this.now ? found : undefined;
  }
}

const keyOf = ({ owner, key }: { owner: string; key: string }): string => `${owner}/${key}`;
const place = { owner: fc.constantFrom('', 'lint'), key: fc.constantFrom('a', 'b', 'c') };
const ifRevision = fc.option(fc.nat({ max: 6 }), { nil: undefined });
const change: fc.Arbitrary<StateChange> = fc
  .oneof(
    fc.record({
      op: fc.constant('set' as const),
      ...place,
      value: fc.jsonValue({ maxDepth: 1 }),
      ttlMs: fc.option(fc.integer({ min: 1, max: 2_000 }), { nil: undefined }),
      ifRevision,
    }),
    fc.record({ op: fc.constant('delete' as const), ...place, ifRevision }),
    fc.record({ op: fc.constant('check' as const), ...place, ifRevision: fc.nat({ max: 6 }) }),
  )
  .map((one) => JSON.parse(JSON.stringify(one)) as StateChange);

/** Says what each change does to a copy of what is there; undefined when one of them does not hold. */
function predict(world: World, changes: readonly StateChange[]): Map<string, Known | undefined> | undefined {
  const after = new Map<string, Known | undefined>();
  const highest = new Map(world.highest);
  for (const one of changes) {
    const key = keyOf(one);
    const before = after.has(key) ? after.get(key) : world.known(key);
    if (one.ifRevision !== undefined && one.ifRevision !== (before?.revision ?? 0)) return undefined;
    if (one.op === 'check' || (one.op === 'delete' && !before)) continue;
    const revision = (highest.get(key) ?? 0) + 1;
    highest.set(key, revision);
    const until = world.now + ((one.op === 'set' ? one.ttlMs : undefined) ?? Number.POSITIVE_INFINITY);
    after.set(key, one.op === 'set' ? { value: one.value, revision, until } : undefined);
  }
  return after;
}

type Operation = (world: World) => Promise<void>;

const operations: fc.Arbitrary<Operation>[] = [
  fc.array(change, { maxLength: 4 }).map((changes) => async (world) => {
    const expected = predict(world, changes);
    const result = await world.ledger.sessions.commit('s', 'me', changes);
    if (!world.isSettled) expect(result.kind).toBe(expected ? 'committed' : 'conflict');
    if (result.kind === 'conflict') return;
    expect(new Set(result.entries.map(keyOf))).toEqual(new Set((expected ?? new Map()).keys()));
    for (const { owner, key, revision } of result.entries) {
      const name = keyOf({ owner, key });
      expect(revision, 'revisions grow').toBeGreaterThan(world.highest.get(name) ?? 0);
      world.highest.set(name, revision);
      const value = expected?.get(name);
      if (value && !world.isSettled) expect(revision).toBe(value.revision);
      if (value) world.values.set(name, { ...value, revision });
      else world.values.delete(name);
    }
  }),
  fc
    .record({
      name: fc.constantFrom('l', 'm'),
      holder: fc.constantFrom('h1', 'h2', 'h3'),
      ttl: fc.integer({ min: 1, max: 2_000 }),
    })
    .map(({ name, holder, ttl }) => async (world) => {
      const held = world.locks.get(name);
      const isFree = !held || held.until <= world.now || held.holder === holder;
      const result = await world.ledger.sessions.lock('s', name, holder, ttl);
      expect(result.isHeld).toBe(isFree);
      if (isFree) world.locks.set(name, { holder, until: world.now + ttl });
      expect(result).toMatchObject(world.locks.get(name) as object);
    }),
  fc
    .record({ name: fc.constantFrom('l', 'm'), holder: fc.constantFrom('h1', 'h2', 'h3') })
    .map(({ name, holder }) => async (world) => {
      const held = world.locks.get(name);
      const isTheirs = held?.holder === holder && held.until > world.now;
      expect(await world.ledger.sessions.unlock('s', name, holder)).toBe(isTheirs);
      if (isTheirs) world.locks.delete(name);
    }),
  fc.constantFrom('h1', 'h2', 'h3').map((holder) => async (world) => {
    await world.ledger.sessions.unlockAll(holder);
    for (const [name, held] of world.locks) if (held.holder === holder) world.locks.delete(name);
  }),
  fc.integer({ min: 1, max: 1_500 }).map((ms) => async (world) => {
    world.now += ms;
  }),
  fc.constant(async (world: World) => {
    world.now += 2 * 3_600_000;
    world.isSettled = true;
    await world.ledger.sessions.expire();
  }),
  fc.constant(async (world: World) => void (await world.ledger.sessions.expire())),
  fc.constant((world: World) => world.reopen()),
];

async function compare(world: World): Promise<void> {
  const { sessions } = world.ledger;
  const there = await sessions.entries('s');
  const expected = [...world.values].filter(([, { until }]) => until > world.now);
  expect(new Map(there.map((entry) => [keyOf(entry), [entry.value, entry.revision]]))).toEqual(
    new Map(expected.map(([key, { value, revision }]) => [key, [value, revision]])),
  );
  const bytes = there.reduce((sum, { value }) => sum + Buffer.byteLength(JSON.stringify(value)), 0);
  expect(await sessions.size('s')).toEqual({ entries: there.length, bytes });
  expect((await sessions.get('s'))?.entries).toBe(there.length);
}

export function randomSessionContract(makePlace: MakePlace): void {
  test('commits are all or nothing, revisions grow, locks have one holder, and what is over is gone', async () => {
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
          });
          clock.now = () => world.now;
          await world.ledger.sessions.open({ id: 's', kind: 'manual', title: '' });
          try {
            for (const step of steps) {
              await step(world);
              await compare(world);
            }
          } finally {
            await world.ledger[Symbol.asyncDispose]();
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
}
