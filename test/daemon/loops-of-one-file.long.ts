/** A person who saves one file again and again is served. (A command that changes its own input: a torture test.) */
import { expect, test } from 'vitest';
import { jobs, runs, startRules } from './loops-rig.ts';
import { until } from './project.ts';

/** With events, a file that is reopened at once has to be quiet for up to five seconds: the tests would take minutes. */
const root = ', mode: poll, sweep: 200ms, settle: 100ms';

test('a person who saves one file twenty times while an agent works on it is served each time', async () => {
  const project = await startRules({ a: 'sleep 0.4' }, { root });
  for (let save = 1; save <= 20; save++) {
    project.write('inbox/a.txt', `version ${save}`);
    await until(`attempt ${save} runs`, () => runs(project).length === save);
  }
  await until('the last version is processed', () => project.receipt('a.txt')?.state === 'succeeded');
  expect((await jobs(project)).filter(({ state }) => state === 'held')).toEqual([]);
  expect(runs(project)).toHaveLength(20);
});
