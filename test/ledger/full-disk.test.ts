/**
 * A disk that is really full: a small file system of its own, filled by a file beside the ledger. Writes go on being
 * accepted and seen, and are on disk once there is space.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import type { AppError } from '../../src/types/errors.ts';
import { startChild } from './child.ts';
import { attempt, claim, claimOne, file, ids, spec } from './specs.ts';
import { stateFolder } from './state-folder.ts';

/** A mount of one MiB, or why there is none. */
function smallDisk(): { folder: string } | { reason: string } {
  const folder = join(stateFolder(), 'disk');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'sluice-test', folder], { stdio: 'pipe' });
  } catch (error) {
    return { reason: `no file system can be mounted here: ${String(error).split('\n', 1)}` };
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return { folder };
}

function fill(folder: string): string {
  const ballast = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(ballast, Buffer.alloc(bavail * bsize));
  return ballast;
}

function reports(): {
  onFull: (problem: AppError | undefined) => void;
  next: () => Promise<AppError | undefined>;
} {
  let { promise, resolve } = Promise.withResolvers<AppError | undefined>();
  return {
    onFull: (problem) => resolve(problem),
    async next() {
      const problem = await promise;
      ({ promise, resolve } = Promise.withResolvers<AppError | undefined>());
      return problem;
    },
  };
}

test('a full disk: what is accepted is seen, counted and fenced as ever, and is on disk when there is space', async (t) => {
  const disk = smallDisk();
  if ('reason' in disk) return t.skip(disk.reason);
  const stateDir = join(disk.folder, '.sluice');
  const { onFull, next } = reports();
  const { ledger } = openSqliteLedger({ stateDir, onFull });
  onTestFinished(() => ledger[Symbol.asyncDispose]());
  for (let n = 0; n < 50; n++) await ledger.jobs.enqueue(spec({ id: `before${n}` }));
  await ledger.durable();

  const ballast = fill(disk.folder);
  for (let n = 0; n < 200; n++) await ledger.files.put(file(`first${n}`));
  const problem = await next();
  expect(problem).toMatchObject({ code: 'DISK_FULL', fix: expect.stringContaining('Make space') });
  await whileFull(ledger);
  for (let n = 0; n < 200; n++) await ledger.files.put(file(`later${n}`));
  expect((await ledger.files.list({ limit: 1_000 })).length).toBe(400);
  expect((await ledger.files.inFolder('inbox', '')).size).toBe(0);

  rmSync(ballast);
  expect(await next()).toBeUndefined();
  await ledger.durable();
  await ledger[Symbol.asyncDispose]();
  const { ledger: again, setAside } = openSqliteLedger({ stateDir, verify: true });
  await using _ = again;
  expect(setAside).toBeUndefined();
  expect((await again.files.list({ limit: 1_000 })).length).toBe(400);
  expect(await again.jobs.counts()).toEqual({ queued: 47, running: 2, waiting: 0, held: 0 });
  expect((await again.jobs.tally()).map(({ state, jobs }) => [state, jobs])).toEqual([['succeeded', 1]]);
});

/** Nothing may be handed out twice, and no stale token may count, because a commit was rolled back. */
async function whileFull({ jobs }: Ledger): Promise<void> {
  const first = await claimOne({ jobs } as Ledger);
  const rest = await claim({ jobs } as Ledger, { limit: 3 });
  expect(ids([first, ...rest])).toEqual(['before0', 'before1', 'before2']);
  expect(await claim({ jobs } as Ledger, { limit: 3 })).toEqual([]);
  expect(await jobs.attempted(first, attempt(1), true)).toBe(true);
  expect(await jobs.end(first, { state: 'succeeded' })).toMatchObject({ state: 'succeeded' });
  expect(await jobs.end(first, { state: 'failed' })).toBeUndefined();
  expect(await jobs.counts()).toMatchObject({ queued: 47, running: 2 });
}

test('a ledger that is closed while the disk is full says what could not be written', async (t) => {
  const disk = smallDisk();
  if ('reason' in disk) return t.skip(disk.reason);
  const { ledger } = openSqliteLedger({ stateDir: disk.folder });
  fill(disk.folder);
  for (let n = 0; n < 200; n++) await ledger.files.put(file(`f${n}`));
  const waited = expect(ledger.durable()).rejects.toMatchObject({ code: 'DISK_FULL' });
  await expect(ledger[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'DISK_FULL' });
  await waited;
});

test('opening on a full disk is refused politely, and nothing is set aside', (t) => {
  const disk = smallDisk();
  if ('reason' in disk) return t.skip(disk.reason);
  fill(disk.folder);
  expect(() => openSqliteLedger({ stateDir: disk.folder })).toThrow(
    expect.objectContaining({ code: 'DISK_FULL' }),
  );
  expect(() => openSqliteLedger({ stateDir: join(disk.folder, 'deeper') })).toThrow(
    expect.objectContaining({ code: 'DISK_FULL' }),
  );
});

test('a limit on the size of files (or a quota) is told like a full disk, and passes like one', async () => {
  const stateDir = stateFolder();
  const child = startChild('sh', [
    '-c',
    // dash counts blocks of 512 bytes; the soft limit can be raised again by the process itself or from outside.
    'ulimit -S -f 600; exec "$0" "$@"',
    process.execPath,
    join(import.meta.dirname, 'writer.ts'),
    'until-full',
    stateDir,
  ]);
  expect(await child.line('the problem')).toBe('DISK_FULL');
  execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:unlimited']);
  expect(await child.line('the end of the problem')).toBe('written');
  const written = Number(await child.line('the number of files'));
  await child.kill('SIGKILL');
  await using ledger = openSqliteLedger({ stateDir, verify: true }).ledger;
  expect((await ledger.files.list({ limit: 100_000 })).length).toBe(written);
});
