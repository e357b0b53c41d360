/** Which steps have ended when another begins, and which wait for each other; compared with a plain search. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { circles, type OrderedStep, stepsBefore, waitsFor } from '../../src/config/step-order.ts';

const step = (name: string, needs?: readonly string[]): OrderedStep => ({ name, ...(needs && { needs }) });
const before = (steps: readonly OrderedStep[]) => {
  const found = stepsBefore(steps);
  return steps.map((_, index) => steps.filter(({ name }) => found[index]?.has(name)).map(({ name }) => name));
};

test.each<[string, readonly OrderedStep[], readonly (readonly string[])[]]>([
  ['order alone', [step('a'), step('b'), step('c')], [[], ['a'], ['a', 'b']]],
  ['needs', [step('a', []), step('b', []), step('c', ['a'])], [[], [], ['a']]],
  ['a step after one with needs follows it', [step('a'), step('b', []), step('c')], [[], [], ['b']]],
  [
    'a diamond',
    [step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c'])],
    [[], ['a'], ['a'], ['a', 'b', 'c']],
  ],
  ['needs of what stands below', [step('a', ['b']), step('b', [])], [['b'], []]],
  ['an unknown name is nothing', [step('a', ['x'])], [[]]],
])('%s', (_name, steps, expected) => {
  expect(before(steps)).toEqual(expected);
  expect(circles(steps)).toEqual([]);
});

test.each<[string, readonly OrderedStep[], readonly (readonly string[])[]]>([
  ['itself', [step('a', ['a'])], [['a']]],
  ['two', [step('a', ['b']), step('b', ['a'])], [['a', 'b']]],
  ['by order', [step('a', ['b']), step('b')], [['a', 'b']]],
  ['two circles', [step('a', ['a']), step('b', ['c']), step('c', ['b'])], [['a'], ['b', 'c']]],
  ['behind a way in', [step('x', []), step('a', ['b', 'x']), step('b', ['a'])], [['a', 'b']]],
])('circle: %s', (_name, steps, expected) => {
  expect(circles(steps)).toEqual(expected);
});

const graphs = fc.integer({ min: 1, max: 40 }).chain((size) =>
  fc
    .array(fc.option(fc.array(fc.nat(size - 1), { maxLength: 4 }), { nil: undefined }), {
      minLength: size,
      maxLength: size,
    })
    .map((needs) =>
      needs.map((list, index) =>
        step(
          `s${index}`,
          list?.map((at) => `s${at}`),
        ),
      ),
    ),
);

test('every graph: the same as a search, and a circle where there is one', () => {
  fc.assert(
    fc.property(graphs, (steps) => {
      const reach = (start: number): Set<string> => {
        const seen = new Set<string>();
        const open = [...waitsFor(steps, start)];
        for (let name = open.pop(); name !== undefined; name = open.pop()) {
          if (seen.has(name)) continue;
          seen.add(name);
          open.push(...waitsFor(steps, Number(name.slice(1))));
        }
        return seen;
      };
      const reached = steps.map((_, index) => reach(index));
      const inCircle = steps.filter(({ name }, index) => reached[index]?.has(name));
      const found = circles(steps);
      expect(found.length > 0).toBe(inCircle.length > 0);
      for (const circle of found)
        for (const [index, name] of circle.entries())
          expect(waitsFor(steps, Number(name.slice(1)))).toContain(circle[(index + 1) % circle.length]);
      if (inCircle.length === 0)
        expect(before(steps)).toEqual(
          reached.map((set) => steps.map(({ name }) => name).filter((name) => set.has(name))),
        );
    }),
  );
});

test('20,000 steps in a chain, and one that needs them all', () => {
  const steps = Array.from({ length: 20_000 }, (_, index) => step(`s${index}`));
  const all = [
    ...steps,
    step(
      'end',
      steps.map(({ name }) => name),
    ),
  ];
  const found = stepsBefore(all);
  expect(found.at(-1)?.has('s0')).toBe(true);
  expect(found[10_000]?.has('s10000')).toBe(false);
  expect(circles(all)).toEqual([]);
});
