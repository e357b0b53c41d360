/** The order of steps against a naive reading of the rules, on random graphs that end in random order. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildDag, DagState, type DagStep, type StepEnding } from '../../src/workflows/dag.ts';

interface Case {
  readonly steps: readonly (DagStep & { readonly wish: StepEnding; readonly runsAnyway: boolean })[];
  readonly order: readonly number[];
}

const aCase: fc.Arbitrary<Case> = fc
  .integer({ min: 1, max: 12 })
  .chain((size) =>
    fc.record({
      steps: fc.tuple(
        ...Array.from({ length: size }, (_, index) =>
          fc.record({
            // Earlier steps only: no cycles. Names are shuffled against the order below.
            needs: fc.option(fc.subarray(Array.from({ length: index }, (__, at) => `s${at}`)), {
              nil: undefined,
            }),
            wish: fc.constantFrom<StepEnding>('succeeded', 'failed', 'forgiven', 'skipped'),
            runsAnyway: fc.boolean(),
          }),
        ),
      ),
      order: fc.array(fc.nat(), { minLength: size, maxLength: size }),
    }),
  )
  .map(({ steps, order }) => ({
    order,
    steps: steps.map(({ needs, ...step }, index) => ({
      name: `s${index}`,
      ...step,
      ...(needs !== undefined && { needs }),
    })),
  }));

/** The rules, word by word, over the final states of all steps. */
class Naive {
  readonly #steps: Case['steps'];
  readonly ended = new Map<string, StepEnding>();

  constructor(steps: Case['steps']) {
    this.#steps = steps;
  }

  waitsFor(index: number): readonly string[] {
    const { needs } = this.#steps[index] as Case['steps'][number];
    return needs ?? (index === 0 ? [] : [(this.#steps[index - 1] as Case['steps'][number]).name]);
  }

  mayStart(index: number): boolean {
    const { name } = this.#steps[index] as Case['steps'][number];
    return !this.ended.has(name) && this.waitsFor(index).every((one) => this.ended.has(one));
  }

  ancestors(name: string): ReadonlySet<string> {
    const { needs = [] } = this.#steps.find((step) => step.name === name) as Case['steps'][number];
    return new Set(needs.flatMap((need) => [need, ...this.ancestors(need)]));
  }

  before(index: number): { readonly success: boolean; readonly failure: boolean; readonly reason?: string } {
    const { name, needs } = this.#steps[index] as Case['steps'][number];
    if (needs === undefined) {
      const failure = this.#steps.slice(0, index).some((above) => this.ended.get(above.name) === 'failed');
      return { success: !failure, failure };
    }
    if ([...this.ancestors(name)].some((one) => this.ended.get(one) === 'failed'))
      return { success: false, failure: true, reason: 'need_failed' };
    if (needs.some((need) => this.ended.get(need) === 'skipped'))
      return { success: false, failure: false, reason: 'need_skipped' };
    return { success: true, failure: false };
  }
}

test('each step starts once, after all that it waits for, and hears of exactly what the rules say', () => {
  fc.assert(
    fc.property(aCase, ({ steps, order }) => {
      const state = new DagState(buildDag(steps));
      const naive = new Naive(steps);
      const started = new Set<number>();
      const free = new Set<number>();
      const offer = (indexes: readonly number[]): void => {
        for (const index of indexes) {
          expect(started.has(index)).toBe(false);
          started.add(index);
          free.add(index);
        }
      };
      offer(state.startable());
      for (const pick of order) {
        expect([...free].sort((a, b) => a - b)).toEqual(
          steps.map((_, i) => i).filter((i) => naive.mayStart(i)),
        );
        const index = [...free][pick % free.size] as number;
        free.delete(index);
        const { success, failure, obstacle } = state.before(index);
        const expected = naive.before(index);
        expect({ success, failure, ...(obstacle && { reason: obstacle.reason }) }).toEqual(expected);
        const { name, wish, runsAnyway } = steps[index] as Case['steps'][number];
        const ending: StepEnding = obstacle && !runsAnyway ? 'skipped' : wish;
        naive.ended.set(name, ending);
        offer(state.settle(index, ending));
      }
      expect(state.isDone).toBe(true);
      expect(started.size).toBe(steps.length);
    }),
    { numRuns: 500 },
  );
});

test('a restart in between changes nothing', () => {
  fc.assert(
    fc.property(aCase, fc.nat(), ({ steps, order }, cut) => {
      const dag = buildDag(steps);
      const whole = new DagState(dag);
      const ended = new Map<string, StepEnding>();
      let free = [...whole.startable()];
      for (const pick of order.slice(0, cut % (steps.length + 1))) {
        const index = free[pick % free.length] as number;
        const { name, wish } = steps[index] as Case['steps'][number];
        ended.set(name, wish);
        free = [...free.filter((one) => one !== index), ...whole.settle(index, wish)];
      }
      const restarted = new DagState(dag);
      restarted.restore((name) => ended.get(name));
      expect(new Set(restarted.startable())).toEqual(new Set(free));
      for (const index of free) expect(restarted.before(index)).toEqual(whole.before(index));
      expect(restarted.isDone).toBe(whole.isDone);
    }),
  );
});

test('needs may name steps further down; what waits for itself is refused by name', () => {
  const dag = buildDag([{ name: 'a', needs: ['b'] }, { name: 'b', needs: [] }, { name: 'c' }]);
  expect(new DagState(dag).startable()).toEqual([1]);
  expect(() =>
    buildDag([
      { name: 'a', needs: ['b'] },
      { name: 'b', needs: ['a'] },
    ]),
  ).toThrow('wait for each other: a, b');
  expect(() => buildDag([{ name: 'a', needs: ['x'] }])).toThrow('"a" needs "x"');
});
