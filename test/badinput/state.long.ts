/** What people and disks do to our own files: nothing that was accepted is lost, and nothing that has a result runs again. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject, type Project, until } from '../daemon/project.ts';
import { fillUp } from './fill-up.ts';
import {
  asNobody,
  ended,
  filesOf,
  giveToNobody,
  jobsOf,
  mountSmall,
  processesOf,
  setClock,
  withClock,
} from './rig.ts';

/** Each start is a line; files that are called bad fail. */
const counting = (more = ''): string => `
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command: [sh, -c, 'echo "$1" >> starts.log; cat "$2"; case $1 in bad*) exit 1;; esac', sh, "\${{ file.rel }}", "\${{ file.path }}"]
    retry: { attempts: 1 }
    sandbox: { mode: auto, write: [project] }
daemon: { min_free_disk: 1KiB }
${more}`;

const starts = (project: Project): string[] =>
  project.exists('starts.log')
    ? readFileSync(join(project.dir, 'starts.log'), 'utf8').trim().split('\n').toSorted()
    : [];

const codesOf = async (project: Project): Promise<string[]> =>
  (await project.status()).conditions.map(({ code }) => code);

async function processedThree(): Promise<Project> {
  const project = makeProject(counting());
  for (const name of ['a', 'b', 'bad']) project.write(`inbox/${name}`, `content of ${name}`);
  expect((await project.sluice('run')).code).toBe(1);
  return project;
}

test.each<[string, (stateDir: string) => void]>([
  ['garbage in it', (dir) => writeFileSync(join(dir, 'ledger.db'), Buffer.alloc(100_000, 'garbage'))],
  ['a few bytes left', (dir) => truncateSync(join(dir, 'ledger.db'), 700)],
  ['been removed', (dir) => rmSync(join(dir, 'ledger.db'))],
  ['been removed with all of .sluice', (dir) => rmSync(dir, { recursive: true })],
])(
  'a ledger that has %s while nobody ran is made again from the receipts; nothing runs twice',
  async (_, harm) => {
    const project = await processedThree();
    const stateDir = join(project.dir, '.sluice');
    for (const left of ['ledger.db-wal', 'ledger.db-shm']) rmSync(join(stateDir, left), { force: true });
    harm(stateDir);
    // As after a crash: only then is every page read before use.
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(join(stateDir, 'daemon.json'), '{}');
    await project.start();
    project.write('inbox/new', 'new');
    await until('all four are known and have ended', async () => (await ended(project, 4)).size === 4);
    const files = await filesOf(project);
    expect(Object.fromEntries([...files].map(([path, { disposition }]) => [path, disposition]))).toEqual({
      a: 'processed',
      b: 'processed',
      bad: 'failed',
      new: 'processed',
    });
    expect(starts(project)).toEqual(['a', 'b', 'bad', 'new']);
    expect(await codesOf(project)).toContain('LEDGER_DAMAGED');
    expect(project.receipts()).toHaveLength(4);
  },
);

test('a daemon whose .sluice is removed ends and says so; the next start goes on where it was', async () => {
  const project = await processedThree();
  const daemon = await project.start();
  project.write('inbox/c', 'content of c');
  await until('c is processed', () => project.receipt('c') !== undefined);
  rmSync(join(project.dir, '.sluice'), { recursive: true });
  project.write('inbox/d', 'content of d');
  expect(await daemon.exited).toBe(1);
  expect(daemon.lines.join('\n')).toContain('was removed or replaced while it was in use');
  await until('no process is left', () => processesOf(project).length === 0);
  await project.start();
  await ended(project, 5);
  expect([...new Set(starts(project))]).toEqual(['a', 'b', 'bad', 'c', 'd']);
  // Only what ended in the moment before it was noticed may run again.
  expect(starts(project).filter((name) => name !== 'd')).toEqual(['a', 'b', 'bad', 'c']);
});

test('an output folder that is removed, or moved, is made again; what it held can be written again', async () => {
  const project = await processedThree();
  await project.start();
  rmSync(join(project.dir, 'processed'), { recursive: true });
  project.write('inbox/c', 'content of c');
  await until('c has its receipt', () => project.receipt('c')?.state === 'succeeded');
  renameSync(join(project.dir, 'processed'), join(project.dir, 'old'));
  project.write('inbox/d', 'content of d');
  await until('d has its receipt', () => project.receipt('d')?.state === 'succeeded');
  await until('the overview is back', () => project.exists('processed/index.html'));
  await project.client.post('/api/control/rebuild-reports');
  expect(
    project
      .receipts()
      .map(({ input }) => input.path)
      .toSorted(),
  ).toEqual(['a', 'b', 'bad', 'c', 'd']);
  expect(starts(project)).toEqual(['a', 'b', 'bad', 'c', 'd']);
});

test('an output folder that cannot be written: results wait, a condition says so, and all come when it can', async (t) => {
  const user = asNobody();
  if ('reason' in user) return t.skip(user.reason);
  const project = makeProject(counting(), { wrapper: user.wrapper });
  mkdirSync(join(project.dir, 'processed'));
  giveToNobody(project.dir);
  const daemon = await project.start();
  chmodSync(join(project.dir, 'processed'), 0o500);
  for (const name of ['a', 'b', 'bad']) project.write(`inbox/${name}`, `content of ${name}`);
  await until('the condition says so', async () => (await codesOf(project)).includes('OUTPUT_UNWRITABLE'));
  const files = await ended(project, 3);
  expect(files.get('a')?.disposition).toBe('processed');
  expect(project.receipts()).toEqual([]);
  expect((await project.status()).state).toBe('running');
  chmodSync(join(project.dir, 'processed'), 0o700);
  // They are tried again every 15 s, and at a start.
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
  await project.start();
  await until('all three have receipts', () => project.receipts().length === 3);
  expect(readFileSync(join(project.dir, 'processed/files/inbox/a/result.md'), 'utf8')).toBe('content of a');
  expect(starts(project)).toEqual(['a', 'b', 'bad']);
  expect(await codesOf(project)).not.toContain('OUTPUT_UNWRITABLE');
});

test('a disk that is full: what landed is kept, and all of it is processed when there is space', async (t) => {
  const outer = makeProject('');
  const within = join(outer.dir, 'disk');
  mkdirSync(within);
  const refused = mountSmall(within, '6m');
  if (refused) return t.skip(refused.reason);
  const config = counting()
    .replace('>> starts.log', `>> ${outer.inbox}/starts.log`)
    .replace('[project]', `["${outer.inbox}"]`);
  const project = makeProject(config, { within });
  const daemon = await project.start();
  project.write('inbox/before', 'before');
  await until('the first is processed', () => project.receipt('before')?.state === 'succeeded');
  const names = Array.from({ length: 20 }, (_, n) => `f${n}`);
  for (const name of names) writeFileSync(join(project.inbox, name), name);
  const ballast = join(within, 'ballast');
  fillUp(ballast);
  await until('a condition says that the disk is full', async () =>
    (await codesOf(project)).some((code) => code === 'DISK_FULL' || code === 'DISK_LOW'),
  );
  rmSync(ballast);
  await until('every file has its receipt', () => project.receipts().length === 21);
  const done = readFileSync(join(outer.inbox, 'starts.log'), 'utf8').trim().split('\n');
  expect(project.receipts().map(({ state, reason, message }) => [state, reason, message])).toEqual(
    Array(21).fill(['succeeded', undefined, undefined]),
  );
  expect(new Set(done)).toEqual(new Set(['before', ...names]));
  await until('the condition is over', async () =>
    (await codesOf(project)).every((code) => code !== 'DISK_FULL' && code !== 'DISK_LOW'),
  );
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
  expect((await jobsCount(project)).open).toBe(0);
});

async function jobsCount(project: Project): Promise<{ open: number }> {
  await project.start();
  const open = (await jobsOf(project)).filter(({ state }) =>
    ['queued', 'running', 'waiting', 'held'].includes(state),
  );
  return { open: open.length };
}

test('a clock that is set back by an hour delays nothing and hides no newer result', async () => {
  const project = makeProject(
    `
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command: [sh, -c, 'cat "$1"; case $1 in *slow) test -e tried || { touch tried; exit 1; };; esac', sh, "\${{ file.path }}"]
    retry: { attempts: 2, initial: 5s, max: 5s }
    sandbox: { mode: auto, write: [project] }
daemon: { min_free_disk: 1MiB }
`,
    withClock,
  );
  project.write('inbox/a', 'first');
  await project.start();
  await until('a is processed', () => project.receipt('a')?.state === 'succeeded');
  project.write('inbox/slow', 'slow');
  await until(
    'the slow one waits for its second try',
    async () => (await project.status()).queue.waiting === 1,
  );
  setClock(project, -3_600_000);
  project.write('inbox/a', 'second, an hour earlier');
  project.write('inbox/b', 'b');
  const second = 'second, an hour earlier';
  // The older result makes room before the new one takes its place; the receipt comes last.
  await until(
    'the new content of a has its result',
    () => project.receipt('a')?.input.bytes === second.length,
  );
  expect(readFileSync(join(project.dir, 'processed/files/inbox/a/result.md'), 'utf8')).toBe(second);
  await until('the slow one is tried again', () => project.receipt('slow')?.state === 'succeeded');
  await until('b is processed', () => project.receipt('b')?.state === 'succeeded');
  expect(existsSync(join(project.dir, 'tried'))).toBe(true);
  expect(readdirSync(join(project.dir, 'processed/files/inbox'))).toHaveLength(3);
});
