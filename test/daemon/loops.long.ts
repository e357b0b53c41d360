/** Rules that feed themselves or each other come to rest: a real daemon, and commands that nothing confines. */
import { expect, test } from 'vitest';
import { comesToRest, makeSome, runs, startRules } from './loops-rig.ts';
import { until } from './project.ts';

test.each([3])(
  'a rule that writes %d new files into its own folder comes to rest; what is held can be let go',
  async (count) => {
    const project = await startRules({ a: makeSome('inbox', 'a', count) });
    project.write('inbox/a-seed', 'x');
    const held = await comesToRest(project);
    expect(new Set(held.map(({ reason }) => reason))).toEqual(new Set(['loop']));
    const { conditions } = await project.status();
    expect(conditions.map(({ code }) => code)).toContain('LOOP_SUSPECTED');
    const before = runs(project).length;
    const [first] = held;
    const released = await project.sluice('jobs', 'release', first?.job_id ?? '');
    expect(released.code).toBe(0);
    await until('the released one has run', () => runs(project).length === before + 1);
    await comesToRest(project);
    // A person is served beside it.
    project.write('inbox/a-by-hand', 'by hand');
    await until('the drop is processed', () => project.receipt('a-by-hand')?.state === 'succeeded');
  },
);

test('a pair of rules in two folders that feed each other comes to rest', async () => {
  const project = await startRules({
    a: makeSome('second', 'b', 2),
    b: `sleep 0.2; ${makeSome('inbox', 'a', 1)}`,
  });
  project.write('inbox/a-seed', 'x');
  await comesToRest(project);
});

test('a script that drops the next file when it sees the receipt of the last one is served to its end', async () => {
  const project = await startRules({ a: 'true' });
  for (let n = 0; n < 60; n++) {
    project.write(`inbox/a-${n}`, `content ${n}`);
    await until(`receipt ${n}`, () => project.receipt(`a-${n}`)?.state === 'succeeded');
  }
  expect(runs(project)).toHaveLength(60);
});
