/** One owner per project, told by real processes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockProject, readOwner } from '../../src/ledger/lock.ts';
import { startChild } from './child.ts';
import { stateFolder } from './state-folder.ts';

const holder = (stateDir: string) =>
  startChild(process.execPath, [join(import.meta.dirname, 'writer.ts'), 'lock', stateDir]);

function refusal(stateDir: string): { error: unknown; ms: number } {
  const started = performance.now();
  try {
    lockProject(stateDir, 'run')[Symbol.dispose]();
  } catch (error) {
    return { error, ms: performance.now() - started };
  }
  throw new Error('the lock was given twice');
}

test('a second process is refused at once and told by whom, also while the holder is stopped', async () => {
  const stateDir = stateFolder();
  const child = holder(stateDir);
  expect(await child.line('the lock is held')).toBe('clean');
  const named = expect.objectContaining({
    code: 'PROJECT_LOCKED',
    message: expect.stringContaining(`\`sluice start\` (pid ${child.pid}, since `),
  });
  for (const signal of ['SIGSTOP', 'SIGCONT'] as const) {
    // The fastest of five: what is measured is the lock, not how busy this machine is.
    const refusals = Array.from({ length: 5 }, () => refusal(stateDir));
    for (const { error } of refusals) expect(error).toEqual(named);
    expect(Math.min(...refusals.map(({ ms }) => ms))).toBeLessThan(500);
    child.process.kill(signal);
  }
  expect(readOwner(stateDir)).toMatchObject({ pid: child.pid, command: 'start' });
});

test('the lock is free at once after kill -9, and says that the end was not clean', async () => {
  const stateDir = stateFolder();
  const child = holder(stateDir);
  await child.line('the lock is held');
  await child.kill('SIGKILL');
  const lock = lockProject(stateDir, 'run');
  expect(lock.wasUnclean).toBe(true);
  lock[Symbol.dispose]();
  lock[Symbol.dispose]();
  using after = lockProject(stateDir, 'run');
  expect(after.wasUnclean).toBe(false);
});

test('a process that gives the lock back leaves a clean end', async () => {
  const stateDir = stateFolder();
  const child = holder(stateDir);
  await child.line('the lock is held');
  child.process.stdin?.end();
  await expect(child.line('nothing more')).rejects.toThrow('the child ended');
  using lock = lockProject(stateDir, 'run');
  expect(lock.wasUnclean).toBe(false);
});

test('the same process is refused too, and the lock outlives the attempt', async () => {
  const stateDir = stateFolder();
  using lock = lockProject(stateDir, 'run');
  expect(lock.wasUnclean).toBe(false);
  for (let n = 0; n < 2; n++)
    expect(refusal(stateDir).error).toMatchObject({
      code: 'PROJECT_LOCKED',
      message: expect.stringContaining(`\`sluice run\` (pid ${process.pid}`),
    });
  const child = startChild(process.execPath, ['-e', childTries(stateDir)]);
  expect(await child.line('what another process is told')).toBe('PROJECT_LOCKED');
});

function childTries(stateDir: string): string {
  const lock = join(import.meta.dirname, '../../src/ledger/lock.ts');
  return `const { lockProject } = await import(${JSON.stringify(lock)});
    try { lockProject(${JSON.stringify(stateDir)}, 'x'); console.log('given') } catch (e) { console.log(e.code) }`;
}

test('a sidecar that was torn by a crash still tells that the end was not clean', () => {
  const stateDir = stateFolder();
  writeFileSync(join(stateDir, 'daemon.json'), '{"pi');
  using lock = lockProject(stateDir, 'run');
  expect(lock.wasUnclean).toBe(true);
});

test('an owner that is dead is not named', () => {
  const stateDir = stateFolder();
  using _ = lockProject(stateDir, 'run');
  writeFileSync(join(stateDir, 'daemon.json'), '{"pid":4194999,"command":"start","startedAt":"x"}');
  expect(refusal(stateDir).error).toMatchObject({ message: expect.stringContaining('another process') });
});

test('where no lock can be made the error says where and what to do', async () => {
  const folder = stateFolder();
  const inTheWay = join(folder, 'file');
  writeFileSync(inTheWay, '');
  expect(refusal(join(inTheWay, '.sluice')).error).toMatchObject({
    code: 'STATE_UNWRITABLE',
    message: expect.stringContaining('ENOTDIR'),
    fix: expect.stringContaining('can write'),
  });
  const taken = join(folder, 'taken');
  mkdirSync(join(taken, 'daemon.lock.db'), { recursive: true });
  expect(refusal(taken).error).toMatchObject({ code: 'STATE_UNWRITABLE' });
  const garbage = join(folder, 'garbage');
  mkdirSync(garbage);
  writeFileSync(join(garbage, 'daemon.lock.db'), 'garbage'.repeat(2_000));
  expect(refusal(garbage).error).toMatchObject({ code: 'STATE_UNWRITABLE' });
});

test.skipIf(process.getuid?.() !== 0)(
  'a folder of another user is refused (as nobody; needs root)',
  async () => {
    const stateDir = stateFolder();
    lockProject(stateDir, 'run')[Symbol.dispose]();
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];
    const child = startChild('setpriv', [...nobody, '-e', childTries(stateDir)]);
    expect(await child.line('what nobody is told')).toBe('STATE_UNWRITABLE');
  },
);
