import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createOutputGuard } from '../../src/aggregator/output-guard.ts';
import { createRig, treeOf } from './rig.ts';

test.each([
  ['ENOSPC', 'DISK_FULL'],
  ['EDQUOT', 'DISK_FULL'],
  ['EACCES', 'OUTPUT_UNWRITABLE'],
  ['EROFS', 'OUTPUT_UNWRITABLE'],
  ['EIO', 'OUTPUT_UNWRITABLE'],
] as const)('%s is the condition %s until a write succeeds', async (system, code) => {
  const log: string[] = [];
  const conditions = {
    raise: (c: { code: string; subject: string; fix: string }) =>
      log.push(`raise ${c.code} ${c.subject} ${c.fix !== ''}`),
    clear: (c: string, subject?: string) => log.push(`clear ${c} ${subject}`),
  };
  const guard = createOutputGuard({ dir: '/p/out', conditions });
  const fault = Object.assign(new Error(`${system}: no`), { code: system });
  await expect(guard.run('deliver', () => Promise.reject(fault))).rejects.toMatchObject({
    name: 'AppError',
    code,
    cause: fault,
  });
  expect(await guard.run('deliver', async () => 1)).toBe(1);
  await guard.run('deliver', async () => 2);
  expect(log).toEqual([`raise ${code} /p/out true`, `clear ${code} /p/out`]);
});

test('a fault of our own is no condition', async () => {
  const conditions = { raise: () => expect.unreachable(), clear: () => expect.unreachable() };
  const bug = new TypeError('x is undefined');
  await expect(
    createOutputGuard({ dir: '/p', conditions }).run('deliver', () => Promise.reject(bug)),
  ).rejects.toBe(bug);
});

test('an output folder that is a file is refused until it is one', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  writeFileSync(rig.output, 'in the way');
  const { job, workDir } = await rig.endJob('a', { result: 'kept', outputs: { x: '1' } });
  await expect(aggregator.publish(job, workDir)).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
  expect([...rig.conditions.keys()]).toEqual([`OUTPUT_UNWRITABLE ${rig.output}`]);
  rmSync(rig.output);
  await aggregator.publish(job, workDir);
  expect(rig.conditions.size).toBe(0);
  expect(treeOf(join(rig.output, 'files'))['inbox/a/result.md']).toBe('kept');
});

/** Publishes job-0001 in a project, as whoever runs it; prints the error's code. */
const script = `
import { createAggregator } from ${JSON.stringify(new URL('../../src/aggregator/aggregator.ts', import.meta.url).href)};
const { options, job, workDir } = JSON.parse(process.argv[1]);
const none = async () => undefined;
const ledger = { jobs: { get: none, tally: async () => [], counts: async () => ({ queued: 0, running: 0, waiting: 0, held: 0 }), list: async () => [] }, files: { get: none } };
const conditions = { raise: () => {}, clear: () => {} };
const aggregator = createAggregator({ ...options, ledger, conditions, redact: (text) => text, now: Date.now });
await aggregator.publish(job, workDir).then(() => console.log('published'), (error) => console.log(error.code));
`;

const isRoot = process.getuid?.() === 0;
test.skipIf(isRoot && !existsSync('/usr/bin/setpriv'))(
  'an output folder without permission (skipped as root without setpriv)',
  async () => {
    await using rig = createRig();
    const { job, workDir } = await rig.endJob('a', { result: 'kept' });
    mkdirSync(rig.output);
    if (isRoot)
      for (const dir of [
        '',
        '.sluice',
        '.sluice/work',
        `.sluice/work/${job.id}`,
        `.sluice/work/${job.id}/1`,
        `.sluice/work/${job.id}/1/result.md`,
      ])
        chownSync(join(rig.dir, dir), 65534, 65534);
    const { ledger: _, conditions: __, redact: ___, now: ____, ...options } = rig.options;
    const command = [
      process.execPath,
      '--input-type=module-typescript',
      '-e',
      script,
      JSON.stringify({ options, job, workDir }),
    ];
    const asUser = isRoot
      ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...command]
      : command;
    const publish = () => execFileSync(asUser[0] as string, asUser.slice(1), { encoding: 'utf8' }).trim();
    chmodSync(rig.output, 0o555);
    expect(publish()).toBe('OUTPUT_UNWRITABLE');
    chmodSync(rig.output, 0o777);
    expect(publish()).toBe('published');
    expect(treeOf(join(rig.output, 'files'))['inbox/a/result.md']).toBe('kept');
  },
);

const canMount = isRoot && mountProbe();
test.skipIf(!canMount)(
  'a full disk, and space again (skipped where a small file system cannot be mounted)',
  async () => {
    await using rig = createRig();
    mkdirSync(rig.output);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', rig.output]);
    try {
      await using aggregator = rig.start();
      const ballast = join(rig.output, 'ballast');
      const freeKiB = [0, 4, 8, 36];
      for (const [i, kib] of freeKiB.entries()) {
        const { job, workDir } = await rig.endJob(`f${i}`, {
          result: 'r'.repeat(2000),
          outputs: { x: 'x'.repeat(30_000) },
        });
        writeFileSync(ballast, Buffer.alloc((256 - kib) * 1024 - usedBytes(rig.output)));
        await expect(aggregator.publish(job, workDir), `with ${kib} KiB`).rejects.toMatchObject({
          code: 'DISK_FULL',
        });
        expect([...rig.conditions.keys()]).toEqual([`DISK_FULL ${rig.output}`]);
        rmSync(ballast);
        await aggregator.publish(job);
        expect(rig.conditions.size).toBe(0);
        expect(await aggregator.locate(job)).toBeDefined();
      }
    } finally {
      execFileSync('umount', [rig.output]);
    }
  },
);

function usedBytes(dir: string): number {
  return Number(execFileSync('df', ['--output=used', '-B1', dir], { encoding: 'utf8' }).split('\n')[1]);
}

function mountProbe(): boolean {
  try {
    mkdirSync('/tmp/sluice-mount-probe', { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/tmp/sluice-mount-probe'], { stdio: 'ignore' });
    execFileSync('umount', ['/tmp/sluice-mount-probe']);
    return statSync('/tmp/sluice-mount-probe').isDirectory();
  } catch {
    return false;
  } finally {
    rmSync('/tmp/sluice-mount-probe', { recursive: true, force: true });
  }
}
