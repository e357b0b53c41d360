/** The means behind limits, one by one: what an ordinary user gets, groups of version 2, tables, pacing, wording. */
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { ownGroups, readOwnGroups } from '../../src/agents/spawner/limits/cgroup-table.ts';
import { openCgroup2 } from '../../src/agents/spawner/limits/cgroup2.ts';
import { findClaim } from '../../src/agents/spawner/limits/cgroup2-claim.ts';
import { limitsProblem } from '../../src/agents/spawner/limits/problem.ts';
import { nextLookMs, treeMemory } from '../../src/agents/spawner/limits/tree-memory.ts';
import { parsePs, readProcRow } from '../../src/agents/spawner/process-table.ts';
import type { LimitsBackendName } from '../../src/agents/spawner/spawner.ts';
import { checkLimits } from '../../src/service/doctor/limits.ts';
import { readSurroundings } from '../../src/service/doctor/surroundings.ts';
import { newTag, openBench, own, processesWith, tempDir, until } from './attempts.ts';

const mebi = 1 << 20;
const nobody = 65_534;

test('an ordinary user without a service manager: memory is watched, CPU is asked nicely', ({ skip }) => {
  skip(process.getuid?.() !== 0, 'only root can become somebody else');
  const dir = tempDir();
  chownSync(dir, nobody, nobody);
  const fixture = fileURLToPath(new URL('./fixtures/limited.ts', import.meta.url));
  const limits = { memoryBytes: 200 * mebi, cpuPercent: 50, required: false };
  const command = ['perl', '-e', `my $x = "a" x (500 << 20); sleep 30; "55.5${own}"`];
  const become = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups'];
  const args = [...become, process.execPath, fixture, dir, JSON.stringify(limits), ...command];
  const { stdout, stderr } = spawnSync('setpriv', args, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({
    backend: 'watched',
    exit: {
      outcome: { kind: 'limit_exceeded', limit: 'memory' },
      limits: { cpu: 'not enforced (niced)', memory: '200MiB (watched)' },
    },
  });
  expect(processesWith(`55.5${own}`)).toEqual([]);
});

test('groups of version 2: inside from the start, counted, ended at once, removed', async ({ skip }) => {
  const { unified } = readOwnGroups();
  const isRoot = unified !== undefined && !existsSync(join(unified, 'cgroup.type'));
  skip(!isRoot || process.getuid?.() !== 0, 'needs the root of all groups, and the right to divide it');
  if (unified === undefined) return;
  const tag = newTag();
  // Where version 1 has the controllers, what remains of version 2 are the groups.
  const backend = openCgroup2({ tag, base: unified, home: unified, controllers: [] });
  onTestFinished(() => backend.close());
  const cage = backend.open('1', {}, {});
  const dir = join(unified, `sluice-${tag}`, '1');
  const child = cage.enter(() =>
    spawn('sh', ['-c', `(setsid sleep 56.6${own} &); sleep 56.6${own}`], { stdio: 'ignore' }),
  );
  expect(readFileSync('/proc/self/cgroup', 'utf8')).not.toContain(tag);
  const inside = () =>
    readFileSync(join(dir, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  const sleeps = await until('the sleeps', () => {
    const found = processesWith(`sleep\x0056.6${own}`);
    return found.length === 2 && found;
  });
  expect(inside()).toEqual(expect.arrayContaining([child.pid, ...sleeps]));
  cage.remove();
  expect(existsSync(dir)).toBe(true);
  expect(cage.usage().cpuMs).toEqual(expect.any(Number));
  cage.kill();
  await until('an empty group', () => inside().length === 0);
  cage.remove();
  expect(existsSync(dir)).toBe(false);
});

test('a group that others are in is not divided', ({ skip }) => {
  const { unified } = readOwnGroups();
  skip(unified === undefined, 'no groups of version 2 here');
  expect(() => findClaim(unified as string, process.pid)).toThrow(/controller|not ours alone|denied/);
});

test.for([
  [
    'version 2 alone',
    '0::/user.slice/a\n',
    '30 1 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
    { unified: '/sys/fs/cgroup/user.slice/a', byController: {} },
  ],
  [
    'both, controllers mounted together, a path with a blank',
    '4:cpu,cpuacct:/x\n3:memory:/y z\n1:name=systemd:/\n0::/\n',
    '1 1 0:1 / /cg/cpu\\040it rw shared:3 - cgroup cgroup rw,cpu,cpuacct\n2 1 0:2 / /cg/memory rw - cgroup cgroup rw,memory\n3 1 0:3 / /cg/u rw - cgroup2 cgroup2 rw\n',
    {
      unified: '/cg/u',
      byController: { cpu: '/cg/cpu it/x', cpuacct: '/cg/cpu it/x', memory: '/cg/memory/y z' },
    },
  ],
  [
    'a container that sees a part',
    '3:memory:/docker/abc/in\n2:cpu:/elsewhere\n',
    '1 1 0:1 /docker/abc /cg/memory ro - cgroup cgroup rw,memory\n2 1 0:2 /docker/abc /cg/cpu ro - cgroup cgroup rw,cpu\n',
    { byController: { memory: '/cg/memory/in' } },
  ],
  ['nothing', '', '', { byController: {} }],
] as const)('own groups: %s', ([, cgroup, mountinfo, expected]) => {
  const { byController, ...rest } = ownGroups(cgroup, mountinfo);
  expect({ ...rest, byController: Object.fromEntries(byController) }).toEqual(expected);
});

test('the next look at the memory is due before the limit can be reached at the speed seen last', () => {
  const gigabytes = { min: 0, max: 2 ** 34 };
  fc.assert(
    fc.property(
      fc.integer(gigabytes),
      fc.integer(gigabytes),
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: 20, max: 500 }),
      (grownBytes, leftBytes, elapsedMs, lastMs) => {
        const ms = nextLookMs({ grownBytes, leftBytes, elapsedMs, lastMs });
        expect(ms).toBeGreaterThanOrEqual(20);
        expect(ms).toBeLessThanOrEqual(500);
        if (ms > 20) expect((grownBytes / elapsedMs) * ms).toBeLessThanOrEqual(leftBytes);
      },
    ),
  );
});

test('pages that a forked program shares count once', async () => {
  const script = 'my $x = "a" x (60 << 20); for (1 .. 3) { fork or last } print "ready\\n"; $| = 1; sleep 57';
  const child = spawn('perl', ['-e', `$| = 1; ${script}`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void process.kill(-(child.pid as number), 'SIGKILL'));
  let said = '';
  child.stdout.on('data', (text: Buffer) => {
    said += text;
  });
  await until('four processes', () => said.split('\n').length === 5);
  const tree = processesWith('sleep 57').flatMap((pid) => readProcRow(pid) ?? []);
  expect(tree).toHaveLength(4);
  expect(treeMemory(tree, Number.POSITIVE_INFINITY)).toBeGreaterThan(4 * 60 * mebi);
  const exact = treeMemory(tree, 100 * mebi);
  expect(exact).toBeGreaterThan(60 * mebi);
  expect(exact).toBeLessThan(200 * mebi);
});

test('the doctor says what the helper would use', async () => {
  await using bench = await openBench(tempDir());
  const surroundings = readSurroundings({ env: process.env, asService: false, config: undefined });
  const [check] = checkLimits(undefined, surroundings);
  expect(check).toMatchObject({
    ok: 'ok',
    message: expect.stringContaining(
      { cgroup2: 'v2', cgroup1: 'v1', 'systemd-run': 'systemd-run', watched: 'not enforced' }[
        bench.spawner.limitsBackend
      ],
    ),
  });
});

test('what `ps` prints is read', () => {
  const text =
    '  501     1   501 Ss    2048 Mon Mar  2 10:11:12 2026\n  502   501   501 R+       0 Mon Mar  2 10:11:13 2026\nbad\n';
  expect(parsePs(text)).toMatchObject([
    { pid: 501, ppid: 1, pgid: 501, state: 'S', rssBytes: 2 * mebi, start: Date.UTC(2026, 2, 2, 10, 11, 12) },
    { pid: 502, ppid: 501, state: 'R', rssBytes: 0 },
  ]);
});

test.for<[LimitsBackendName, object, boolean]>([
  ['watched', { cpuPercent: 50, required: true }, true],
  ['watched', { cpuPercent: 50, required: false }, false],
  ['watched', { memoryBytes: 1, runtimeMs: 1, required: true }, false],
  ['cgroup1', { cpuPercent: 50, required: true }, false],
  ['systemd-run', { cpuPercent: 50, memoryBytes: 1, required: true }, false],
])('with %s and %j: refused %j', ([backend, limits, isRefused]) => {
  const problem = limitsProblem({ name: 'a', limits: limits as never }, backend);
  expect(problem?.code).toBe(isRefused ? 'LIMITS_UNAVAILABLE' : undefined);
  if (isRefused) expect(problem?.fix).toBeTruthy();
});
