/** Files that are odd, come and go, cannot be read, or become something else. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject, type Project, until } from '../daemon/project.ts';
import { asNobody, ended, filesOf, giveToNobody, jobsOf } from './rig.ts';

const cat = (root = '{ path: ./inbox }'): string => `
watch: [${root}]
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents: { work: { kind: command, command: [cat, "\${{ file.path }}"], retry: { attempts: 1 } } }
daemon: { min_free_disk: 1MiB }
`;

/** Undefined while something else stands there. */
function result(project: Project, path: string): string | undefined {
  try {
    return readFileSync(join(project.dir, 'processed/files/inbox', path, 'result.md'), 'utf8');
  } catch {
    return undefined;
  }
}

test('empty files are files; links in circles, out of the root and to nothing, FIFOs and sockets are none', async () => {
  const project = makeProject(cat());
  project.write('inbox/empty', '');
  project.write('inbox/sub/one', '1');
  project.write('elsewhere/secret', 'not ours');
  symlinkSync('circle-b', join(project.inbox, 'circle-a'));
  symlinkSync('circle-a', join(project.inbox, 'circle-b'));
  symlinkSync('..', join(project.inbox, 'sub/up'));
  symlinkSync('.', join(project.inbox, 'self'));
  symlinkSync('../elsewhere', join(project.inbox, 'out'));
  symlinkSync('../elsewhere/secret', join(project.inbox, 'out-file'));
  symlinkSync('nothing', join(project.inbox, 'dangling'));
  execFileSync('mkfifo', [join(project.inbox, 'fifo')]);
  const { code, stdout } = await project.sluice('run', '--json');
  expect([code, JSON.parse(stdout).files.succeeded]).toEqual([0, 2]);
  await project.start();
  expect([...(await ended(project, 2)).keys()].toSorted()).toEqual(['empty', 'sub/one']);
  expect(project.receipt('empty')).toMatchObject({ state: 'succeeded', input: { bytes: 0 } });
});

test('files that vanish between settling and running are cancelled, and the run ends well', async () => {
  const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command: [sh, -c, "rm -rf inbox/*"]
    retry: { attempts: 1 }
    sandbox: { mode: auto, write: [project] }
concurrency_limits: { max_processes: 1 }
daemon: { min_free_disk: 1MiB }
`);
  for (let n = 0; n < 20; n++) project.write(`inbox/${n % 4}/${n}`, `file ${n}`);
  const { code, stdout } = await project.sluice('run', '--json');
  const { files } = JSON.parse(stdout) as { files: Record<string, number> };
  expect([code, files.found, files.succeeded, files.cancelled]).toEqual([0, 20, 1, 19]);
  await project.start();
  const jobs = await jobsOf(project, { state: 'cancelled' });
  expect(new Set(jobs.map(({ reason }) => reason))).toEqual(new Set(['input_gone']));
  expect((await project.status()).queue).toEqual({ queued: 0, running: 0, waiting: 0, held: 0 });
});

test('what the daemon may not read fails or is a condition, the rest goes on; with the right to read it goes on too', async (t) => {
  const user = asNobody();
  if ('reason' in user) return t.skip(user.reason);
  const project = makeProject(cat('{ path: ./inbox, sweep: 1s }'), { wrapper: user.wrapper });
  const secret = project.write('inbox/secret', 'now you see me');
  project.write('inbox/plain', 'hello');
  project.write('inbox/closed/inner', 'behind a door');
  const closed = join(project.inbox, 'closed');
  giveToNobody(project.dir);
  chmodSync(secret, 0o000);
  chmodSync(closed, 0o000);
  await project.start();
  const before = await ended(project, 2);
  expect(before.get('plain')?.disposition).toBe('processed');
  expect(before.get('secret')?.disposition).toBe('failed');
  const [failed] = await jobsOf(project, { state: 'failed' });
  expect(failed?.reason).toBe('input_unreadable');
  expect(failed?.message).toContain('permission denied');
  expect(failed?.fix).toContain('sluice jobs retry');
  const { conditions } = await project.status();
  expect(conditions.find(({ code }) => code === 'ROOT_UNREADABLE')?.message).toContain(closed);
  chmodSync(secret, 0o644);
  chmodSync(closed, 0o755);
  await project.client.post('/api/jobs/retry', { failed: true });
  await until('all three are processed', async () => (await project.status()).files.processed === 3);
  await until('the condition is over', async () =>
    (await project.status()).conditions.every(({ code }) => code !== 'ROOT_UNREADABLE'),
  );
  expect(result(project, 'secret')).toBe('now you see me');
});

test('a path that is a file, then a folder, then a file again has the result of what it is', async () => {
  const project = makeProject(cat());
  const daemon = await project.start();
  const path = project.write('inbox/x', 'first a file');
  await until('x is processed', () => project.receipt('x') !== undefined);
  rmSync(path);
  mkdirSync(path);
  for (const name of ['y', 'result.md', 'receipt.json', 'outputs/z'])
    project.write(`inbox/x/${name}`, `in x: ${name}`);
  await until('what is in the folder is processed', async () => {
    const files = await filesOf(project);
    return ['y', 'result.md', 'receipt.json', 'outputs/z'].every(
      (name) => files.get(`x/${name}`)?.disposition === 'processed',
    );
  });
  for (const name of ['y', 'result.md', 'receipt.json', 'outputs/z'])
    expect(result(project, `x/${name}`)).toBe(`in x: ${name}`);
  rmSync(path, { recursive: true });
  project.write('inbox/x', 'a file again');
  await until(
    'x has its new result',
    async () =>
      (await filesOf(project)).get('x')?.disposition === 'processed' &&
      result(project, 'x') === 'a file again',
  );
  daemon.kill('SIGTERM');
  await daemon.exited;
  // Once more, while nobody looks.
  rmSync(path);
  project.write('inbox/x/deep/er', 'deep');
  await project.start();
  await until(
    'the deep one is processed',
    async () => (await filesOf(project)).get('x/deep/er')?.disposition === 'processed',
  );
  await until('x is gone', async () => !(await filesOf(project)).has('x'));
  expect(result(project, 'x/deep/er')).toBe('deep');
});

test('initial: ignore leaves alone what was there before the first start, and takes what changes or comes', async () => {
  const project = makeProject(cat('{ path: ./inbox, initial: ignore }'));
  for (let n = 0; n < 50; n++) project.write(`inbox/old ${n}`, `${n}`);
  const daemon = await project.start();
  await ended(project, 50);
  project.write('inbox/new', 'new');
  project.write('inbox/old 7', 'changed');
  await until('two are processed', async () => (await project.status()).files.processed === 2);
  expect((await project.status()).files).toEqual({ ignored: 49, processed: 2 });
  daemon.kill('SIGKILL');
  await daemon.exited;
  await project.start();
  project.write('inbox/newer', 'newer');
  await until('three are processed', async () => (await project.status()).files.processed === 3);
  expect((await project.status()).files).toEqual({ ignored: 49, processed: 3 });
});
