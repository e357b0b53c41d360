import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { makeProject, until } from './project.ts';

/** The first five end at once, the others when `release` exists; each writes a line when its work is done. */
const recording = (): string => `version: 1
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command:
      - sh
      - -c
      - "case $1 in a*) ;; *) while [ ! -e release ]; do sleep 0.02; done;; esac; echo $1 >> done.log"
      - sh
      - "\${{ file.rel }}"
    sandbox: { mode: auto, write: [project] }
concurrency_limits: { max_processes: 5, max_concurrent_files: 5 }
daemon: { min_free_disk: 1MiB }
`;

test('after kill -9 with 5 running and 20 queued every file is processed, and nothing runs twice to its end', async () => {
  const project = makeProject('');
  project.write('config/orchestrator.yaml', recording());
  const names = Array.from({ length: 25 }, (_, n) => `${n < 5 ? 'a' : 'b'}${n}.txt`);
  const drop = (some: readonly string[]): void => {
    for (const name of some) project.write(`inbox/${name}`, `content of ${name}`);
  };
  drop(names.slice(0, 5));
  const first = await project.start();
  await until('five are done', async () => (await project.status()).files.processed === 5);
  drop(names.slice(5));
  await until('five are done, five run and fifteen are queued', async () => {
    const { queue, files } = await project.status();
    return files.processed === 5 && queue.running === 5 && queue.queued === 15;
  });
  first.kill('SIGKILL');
  await first.exited;

  const second = await project.start();
  // Only now: what the first daemon had started is gone, and cannot do its work between our kill and its own end.
  project.write('release', '');
  await until('no job is open', async () => {
    const { queue } = await project.status();
    return queue.queued + queue.running + queue.waiting === 0 && project.receipts().length === 25;
  });
  second.kill('SIGTERM');
  expect(await second.exited).toBe(0);

  const done = readFileSync(join(project.dir, 'done.log'), 'utf8').trimEnd().split('\n');
  expect(project.receipts().map(({ state }) => state)).toEqual(Array(25).fill('succeeded'));
  expect(done.toSorted()).toEqual(names.toSorted());
});

test('a restart starts nothing again that is done or failed', async () => {
  const project = makeProject('');
  project.write(
    'config/orchestrator.yaml',
    `version: 1
routing_rules:
  - { name: bad, pattern: "*.bad", agent: fails }
  - { name: all, pattern: "**", agent: work }
agents:
  work: { kind: command, command: [sh, -c, "echo run >> ${project.dir}/runs.log"], sandbox: { mode: auto, write: [project] } }
  fails:
    kind: command
    command: [sh, -c, "echo run >> ${project.dir}/runs.log; exit 1"]
    retry: { attempts: 1 }
    sandbox: { mode: auto, write: [project] }
daemon: { min_free_disk: 1MiB }
`,
  );
  for (const name of ['a.txt', 'b.txt', 'c.bad']) project.write(`inbox/${name}`, name);
  const first = await project.start();
  await until('all three have a receipt', () => project.receipts().length === 3);
  first.kill('SIGKILL');
  await first.exited;
  const second = await project.start();
  await until(
    'a sweep has ended',
    async () => (await project.status()).roots[0]?.last_sweep_at !== undefined,
  );
  second.kill('SIGTERM');
  await second.exited;
  expect(readFileSync(join(project.dir, 'runs.log'), 'utf8').trim().split('\n')).toHaveLength(3);
});

/** What another process sees is committed. */
function startsOnDisk(dir: string): number {
  using db = new DatabaseSync(join(dir, '.sluice/ledger.db'), { readOnly: true, timeout: 10_000 });
  const row = db.prepare("select fence from job where state = 'running'").get();
  return Number(row?.fence ?? 0);
}

test('a job under which the daemon dies five times in a row is held until a person releases it', async () => {
  const project = makeProject('');
  project.write('config/orchestrator.yaml', recording());
  project.write('inbox/b.txt', 'what kills us');
  for (let death = 1; death <= 5; death++) {
    const daemon = await project.start();
    await until(`the ledger on disk knows of the ${death}. start`, () => startsOnDisk(project.dir) === death);
    daemon.kill('SIGKILL');
    await daemon.exited;
  }
  await project.start();
  const { queue, files } = await project.status();
  expect([queue.held, queue.running, files]).toEqual([1, 0, { held: 1 }]);
  const { jobs } = await project.client.get<{ jobs: { job_id: string; fix: string }[] }>('/api/jobs');
  const id = jobs[0]?.job_id ?? '';
  expect(jobs[0]?.fix).toContain(`sluice jobs release ${id.slice(0, 8)}`);

  project.write('release', '');
  expect((await project.sluice('jobs', 'release', id.slice(0, 8))).code).toBe(0);
  await until('it has run to its end', () => project.receipt('b.txt')?.state === 'succeeded');
  expect((await project.status()).files).toEqual({ processed: 1 });
});
