import { expect, test } from 'vitest';
import { anyDisk, linesOf, reconfigure, script, statesOf } from './agents.ts';
import { makeProject, type Project, until } from './project.ts';

const drop = (project: Project, n: number, ending = 'txt'): void => {
  for (let i = 0; i < n; i++) project.write(`inbox/f${i}.${ending}`, `content ${ending} ${i}`);
};

/** The most starts in any span of this length. */
function busiest(starts: readonly number[], perMs: number): number {
  return Math.max(...starts.map((from) => starts.filter((at) => at >= from && at < from + perMs).length));
}

test('what runs beside an agent with a rate is not slowed; with 5/s no second has more than five starts, and the queue drains', async () => {
  const project = makeProject(`
routing_rules:
  - { name: slow, pattern: "*.txt", agent: work }
  - { name: fast, pattern: "*.fast", agent: other }
agents:
${script('work', 'true', 'rate: 5/d')}
${script('other', 'true')}
concurrency_limits: { max_processes: 4, max_concurrent_files: 8 }
${anyDisk}`);
  await project.start();
  drop(project, 12);
  drop(project, 6, 'fast');
  await until(
    'the others are done',
    () => project.receipts().filter(({ agent }) => agent === 'other').length === 6,
  );
  await until('the first five are done', () => statesOf(project).succeeded === 11);
  expect((await project.status()).limits['agents.work.rate']).toMatchObject({ limit: 5, per_ms: 86_400_000 });
  expect((await project.status()).waits).toEqual([]);
  reconfigure(project, (text) => text.replace('rate: 5/d', 'rate: 5/s'));
  await until('all are done', () => statesOf(project).succeeded === 18);
  const starts = project
    .receipts()
    .filter(({ agent }) => agent === 'work')
    .map(({ started_at: at }) => Date.parse(at ?? ''));
  expect(busiest(starts, 1_000)).toBeLessThanOrEqual(5);
});

test("a rule's max_load holds over all its agents, and hides no work of other rules", async () => {
  const project = makeProject(`
routing_rules:
  - { name: few, pattern: "*.few", agent: [a, b], max_load: 2, priority: 10 }
  - { name: many, pattern: "*.many", agent: a }
agents:
${script('a', 'case $1 in *.few) while [ ! -e gate ]; do sleep 0.02; done;; esac')}
${script('b', 'while [ ! -e gate ]; do sleep 0.02; done')}
concurrency_limits: { max_processes: 6, max_concurrent_files: 12 }
${anyDisk}`);
  await project.start();
  drop(project, 6, 'few');
  await until('two run', () => linesOf(project).length === 2);
  drop(project, 5, 'many');
  await until('the other rule is done', () => statesOf(project).succeeded === 5);
  const { limits, queue } = await project.status();
  expect([queue.running, queue.queued, limits['rules.few.max_load']]).toEqual([
    2,
    4,
    { limit: 2, used: 2, peak: 2 },
  ]);
  reconfigure(project, (text) => text.replace('max_load: 2', 'max_load: 3'));
  await until(
    'a third one runs',
    () => linesOf(project).filter((path) => path.endsWith('.few')).length === 3,
  );
  reconfigure(project, (text) => text.replace(', max_load: 3', ''));
  await until('without the limit all run', () => linesOf(project).length === 11);
  project.write('gate', '');
  await until('all are done', () => statesOf(project).succeeded === 11);
});
