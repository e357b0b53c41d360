import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject, type Project, until } from './project.ts';

/** Waits at `gate-<name>` files, so that the test decides when an attempt ends; each start is a line in `starts.log`. */
const gated = (root = '{ path: ./inbox }', rule = ''): string => `
watch: [${root}]
routing_rules: [{ name: all, pattern: "**", agent: work${rule} }]
agents:
  work:
    kind: command
    command:
      - sh
      - -c
      - "echo $1 >> starts.log; while [ ! -e gate ]; do sleep 0.02; done; cat \\"$2\\""
      - sh
      - "\${{ file.rel }}"
      - "\${{ file.path }}"
    retry: { attempts: 1 }
    sandbox: { mode: auto, write: [project] }
daemon: { min_free_disk: 1MiB }
`;

const starts = (project: Project): string[] => {
  try {
    return readFileSync(join(project.dir, 'starts.log'), 'utf8').trimEnd().split('\n');
  } catch {
    return [];
  }
};
/** As the ledger knows it. */
async function bytesOf(project: Project, path: string): Promise<number | undefined> {
  const { stdout } = await project.sluice('files', '--json');
  const files = JSON.parse(stdout) as { readonly path: string; readonly bytes: number }[];
  return files.find((file) => file.path === path)?.bytes;
}
const result = (project: Project, path: string): string =>
  readFileSync(join(project.dir, 'processed/files/inbox', path, 'result.md'), 'utf8');

test('a file that changes under its attempt is superseded, and its new content is processed', async () => {
  const project = makeProject(gated());
  await project.start();
  project.write('inbox/a.txt', 'first');
  await until('the attempt runs', () => starts(project).length === 1);
  project.write('inbox/a.txt', 'second, and longer');
  await until(
    'the new version is queued',
    async () => (await project.status()).queue.waiting + (await project.status()).queue.queued > 0,
  );
  project.write('gate', '');
  await until('the new content has its result', () => project.receipt('a.txt')?.state === 'succeeded');
  expect(result(project, 'a.txt')).toBe('second, and longer');
  const { jobs } = await project.client.get<{ jobs: { state: string }[] }>('/api/jobs');
  expect(jobs.map(({ state }) => state)).toEqual(['succeeded', 'superseded']);
  expect(starts(project)).toHaveLength(2);
});

test('on_change: restart ends the attempt on the old content at once', async () => {
  const project = makeProject(gated('{ path: ./inbox, on_change: restart }'));
  await project.start();
  project.write('inbox/a.txt', 'first');
  await until('the attempt runs', () => starts(project).length === 1);
  project.write('inbox/a.txt', 'second');
  await until('the new attempt runs while the gate is closed', () => starts(project).length === 2);
  project.write('gate', '');
  await until('the result is there', () => project.receipt('a.txt')?.state === 'succeeded');
  expect(result(project, 'a.txt')).toBe('second');
});

test('of five files with one content one runs and four are answered from the cache', async () => {
  const project = makeProject(gated());
  await project.start();
  for (const name of ['a', 'b', 'c', 'd', 'e']) project.write(`inbox/${name}.txt`, 'the same');
  await until('one runs and four wait for it', async () => {
    const { queue } = await project.status();
    return queue.running === 1 && queue.waiting + queue.queued === 4;
  });
  project.write('gate', '');
  await until('all have a receipt', () => project.receipts().length === 5);
  const states = project.receipts().map(({ state }) => state);
  expect(states.toSorted()).toEqual(['cached', 'cached', 'cached', 'cached', 'succeeded']);
  expect(starts(project)).toHaveLength(1);
  for (const name of ['a', 'b', 'c', 'd', 'e']) expect(result(project, `${name}.txt`)).toBe('the same');
});

test('a removed file cancels its queued job, and its earlier result stays', async () => {
  const project = makeProject(`${gated()}\nconcurrency_limits: { max_processes: 1 }\n`);
  await project.start();
  project.write('inbox/a.txt', 'runs');
  await until('the first runs', () => starts(project).length === 1);
  project.write('inbox/b.txt', 'waits');
  await until('the second is queued', async () => (await project.status()).queue.queued === 1);
  rmSync(join(project.inbox, 'b.txt'));
  await until('the second is cancelled', async () => (await project.status()).queue.queued === 0);
  project.write('gate', '');
  await until('the first has its receipt', () => project.receipt('a.txt') !== undefined);
  rmSync(join(project.inbox, 'a.txt'));
  const { jobs } = await project.client.get<{ jobs: { state: string; reason?: string }[] }>('/api/jobs');
  expect(jobs.map(({ state, reason }) => [state, reason])).toEqual([
    ['cancelled', 'input_gone'],
    ['succeeded', undefined],
  ]);
  expect(result(project, 'a.txt')).toBe('runs');
});

test('a touch is no work; a changed command is', async () => {
  const project = makeProject(gated());
  project.write('gate', '');
  project.write('inbox/a.txt', 'x');
  expect((await project.sluice('run')).code).toBe(0);
  utimesSync(join(project.inbox, 'a.txt'), new Date(), new Date(Date.now() - 5_000));
  expect((await project.sluice('run')).stdout).toContain('1 cached');
  expect((await project.sluice('run')).stdout).toContain('1 unchanged');
  expect(starts(project)).toHaveLength(1);
  project.write(
    'config/orchestrator.yaml',
    readFileSync(join(project.dir, 'config/orchestrator.yaml'), 'utf8').replace('cat', 'wc -c <'),
  );
  expect((await project.sluice('run')).stdout).toContain('1 succeeded');
  expect((await project.sluice('run', '--force')).stdout).toContain('1 succeeded');
  expect(starts(project)).toHaveLength(3);
});

test.each(['fails', 'dies with its daemon'])(
  'touched under an attempt that %s, it is tried again',
  async (how) => {
    const project = makeProject(
      gated()
        .replace('cat \\"$2\\"', 'test $(wc -l < starts.log) -gt 1 && cat \\"$2\\"')
        .replace('attempts: 1', 'attempts: 2, initial: 10ms'),
    );
    const daemon = await project.start();
    const file = project.write('inbox/a.txt', 'x');
    await until('it runs', () => starts(project).length === 1);
    const touchedAt = Date.now();
    utimesSync(file, new Date(), new Date(touchedAt - 5_000));
    await until('that was seen', async () => {
      const { files } = await project.client.get<{ files: { seen_at: string }[] }>('/api/files');
      return Date.parse(files[0]?.seen_at ?? '') >= touchedAt;
    });
    if (how !== 'fails') {
      daemon.kill('SIGKILL');
      await daemon.exited;
      await project.start();
    }
    project.write('gate', '');
    await until('it has its result', () => project.receipt('a.txt')?.state === 'succeeded');
    expect(result(project, 'a.txt')).toBe('x');
    expect(starts(project)).toHaveLength(2);
  },
);

test('preserve_original: false moves the file to the archive, only after success', async () => {
  const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents: { work: { kind: command, command: [grep, good, "\${{ file.path }}"], retry: { attempts: 1 } } }
output_settings: { preserve_original: false }
daemon: { min_free_disk: 1MiB }
`);
  project.write('inbox/sub/a.txt', 'good');
  project.write('inbox/b.txt', 'bad');
  expect((await project.sluice('run')).code).toBe(1);
  expect(
    execFileSync('find', ['inbox', 'processed/archive', '-type', 'f'], { cwd: project.dir, encoding: 'utf8' })
      .trim()
      .split('\n')
      .toSorted(),
  ).toEqual(['inbox/b.txt', 'processed/archive/inbox/sub/a.txt']);
});

test('inspect reads the same content as what its name says: a report is not shared between endings', async () => {
  const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: inspect }]
agents: { inspect: { kind: builtin } }
daemon: { min_free_disk: 1MiB }
`);
  for (const name of ['a.csv', 'b.csv', 'c.txt']) project.write(`inbox/${name}`, 'id,total\n1,2\n');
  expect((await project.sluice('run')).code).toBe(0);
  expect(result(project, 'a.csv')).toMatch(/^CSV/);
  expect(result(project, 'b.csv')).toMatch(/^CSV/);
  expect(result(project, 'c.txt')).not.toMatch(/^CSV/);
  expect(
    project
      .receipts()
      .map(({ state }) => state)
      .toSorted(),
  ).toEqual(['cached', 'succeeded', 'succeeded']);
});

test('on_change: ignore lets the result stand for the content that the attempt began with', async () => {
  const project = makeProject(gated('{ path: ./inbox, on_change: ignore }'));
  await project.start();
  project.write('inbox/a.txt', 'first');
  await until('the attempt runs', () => starts(project).length === 1);
  project.write('inbox/a.txt', 'second');
  project.write('inbox/b.txt', 'other');
  await until('what came after the change was taken in', () => starts(project).length === 2);
  // A file that is written again so soon has to be quiet for a moment, and is taken in after the other one.
  await until('the change was taken in', async () => (await bytesOf(project, 'a.txt')) === 'second'.length);
  project.write('gate', '');
  await until('both have a receipt', () => project.receipts().length === 2);
  expect(project.receipt('a.txt')?.state).toBe('succeeded');
  expect(starts(project)).toHaveLength(2);
  project.write('inbox/a.txt', 'third');
  await until('a change at rest is processed', () => starts(project).length === 3);
});

test('on: [added] leaves changes alone, on: [changed] what is new; run takes both', async () => {
  const project = makeProject(`
watch:
  - { path: ./inbox, on: [added] }
  - { path: ./edits, on: [changed] }
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents: { work: { kind: command, command: [sh, -c, "echo $1 >> starts.log", sh, "${'${{ file.rel }}'}"], sandbox: { mode: auto, write: [project] } } }
daemon: { min_free_disk: 1MiB }
`);
  project.write('edits/old.txt', 'old');
  const daemon = await project.start();
  project.write('inbox/new.txt', 'one');
  await until('the new file is processed', () => starts(project).includes('new.txt'));
  project.write('inbox/new.txt', 'two');
  project.write('edits/old.txt', 'changed');
  await until('the changed file is processed', () => starts(project).includes('old.txt'));
  project.write('inbox/last.txt', 'x');
  await until('the last file is processed', () => starts(project).includes('last.txt'));
  expect(starts(project).toSorted()).toEqual(['last.txt', 'new.txt', 'old.txt']);
  daemon.kill('SIGTERM');
  await daemon.exited;
  expect((await project.sluice('run')).stdout).toContain('1 succeeded');
  expect(starts(project).filter((name) => name === 'new.txt')).toHaveLength(2);
});
