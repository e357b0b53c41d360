import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyedTasks } from '../../src/coordinator/keyed-tasks.ts';

test('tasks of one key never overlap and keep their order; keys do not wait for each other', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 20 }),
      async (s, keys) => {
        const tasks = new KeyedTasks();
        const running = new Set<string>();
        const order: Record<string, number[]> = {};
        const done = keys.map((key, n) =>
          tasks.run(key, async () => {
            expect(running.has(key)).toBe(false);
            running.add(key);
            await s.schedule(Promise.resolve(), `${key}${n}`);
            running.delete(key);
            const numbers = order[key] ?? [];
            order[key] = [...numbers, n];
            if (n % 3 === 0) throw new Error('a task that fails holds up nobody');
            return n;
          }),
        );
        await s.waitFor(Promise.allSettled(done));
        for (const numbers of Object.values(order))
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        expect(Object.values(order).flat()).toHaveLength(keys.length);
      },
    ),
  );
});
