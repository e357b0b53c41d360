/** Limits on whole trees of processes, by each means that this machine has and by watching alone. */
import { existsSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LimitsBackendName } from '../../src/agents/spawner/spawner.ts';
import { type Bench, openBench, own, processesWith, tempDir, until } from './attempts.ts';

const dir = tempDir();
const mebi = 1 << 20;
const memory = (bytes: number) => ({ limits: { memoryBytes: bytes, required: false } });
/** Takes so much memory, really writes to it, and goes on. */
const hog = (megabytes: number, mark: string) =>
  `my $x = "a" x (${megabytes} << 20); my $mark = "${mark}"; sleep 30`;

const backends: readonly LimitsBackendName[] = ['cgroup2', 'cgroup1', 'systemd-run', 'watched'];

describe.each(backends)('limits by %s', (limits) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench(dir, { limits });
  });
  afterAll(() => bench[Symbol.asyncDispose]());
  const isMissing = () => bench.spawner.limitsBackend !== limits;
  const missing = `this machine does not give us ${limits}`;

  test('500 MB where 200 MiB are allowed: ended at once, and it says so', async ({ skip }) => {
    skip(isMissing(), missing);
    const began = performance.now();
    const exit = await bench.run(['perl', '-e', hog(500, `51.1${own}`)], memory(200 * mebi));
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(exit.outcome).toMatchObject({
      ...{ kind: 'limit_exceeded', limit: 'memory', fix: expect.stringContaining('limits.memory') },
      message: expect.stringContaining('200MiB'),
    });
    expect(exit.limits).toEqual({ memory: expect.stringMatching(/^200MiB \(.+\)$/) });
    expect(exit.peakMemoryBytes).toBeGreaterThan(150 * mebi);
    expect(processesWith(`51.1${own}`)).toEqual([]);
  });

  test('each below the bound, together above it; what shrugs off the loss of a child is ended too', async ({
    skip,
  }) => {
    skip(isMissing(), missing);
    const one = `perl -e '${hog(90, `51.2${own}`)}'`;
    const script = `trap "" TERM; for i in 1 2 3 4; do ${one} & done; wait; sleep 30`;
    const exit = await bench.run(['sh', '-c', script], memory(200 * mebi));
    expect(exit.outcome).toMatchObject({ kind: 'limit_exceeded', limit: 'memory' });
    expect(exit.endedAt - exit.startedAt).toBeLessThan(20_000);
    expect(processesWith(`51.2${own}`)).toEqual([]);
  });

  test('a Node program that stays below runs as ever', async ({ skip }) => {
    skip(isMissing(), missing);
    const script = 'const a = Buffer.alloc(40 << 20, 1); console.log(a.length)';
    const exit = await bench.run([process.execPath, '-e', script], memory(200 * mebi));
    expect(exit.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    expect(exit.stdout().toString()).toBe(`${40 << 20}\n`);
  });

  test('a file that is written is no memory that is used up', async ({ skip }) => {
    skip(isMissing(), missing);
    const script = `head -c ${150 * mebi} /dev/zero > big-${limits}; cat big-${limits} | wc -c; rm big-${limits}`;
    const exit = await bench.run(['sh', '-c', script], memory(50 * mebi));
    expect(exit.outcome).toEqual({ kind: 'exited', exitCode: 0 });
  });

  test('CPU: two busy processes have half a core together', async ({ skip }) => {
    skip(isMissing(), missing);
    const busy = 'perl -e "1 while 1"';
    const runtimeMs = limits === 'watched' ? 300 : 2_000;
    const exit = await bench.run(['sh', '-c', `${busy} & ${busy} & wait`], {
      limits: { cpuPercent: 50, runtimeMs, required: false },
    });
    expect(exit.outcome).toMatchObject({ kind: 'limit_exceeded', limit: 'runtime' });
    const share = (100 * (exit.cpuMs ?? 0)) / (exit.endedAt - exit.startedAt);
    if (limits === 'watched') {
      expect(exit.limits).toEqual({ cpu: 'not enforced (niced)', runtime: '300ms' });
      return;
    }
    expect(exit.limits).toEqual({ cpu: expect.stringMatching(/^50% \(.+\)$/), runtime: '2s' });
    // Where others want the CPU too it need not get its half.
    expect(share).toBeLessThan(60);
    expect(share).toBeGreaterThan(0);
  });

  test('200 children are ended with it', async ({ skip }) => {
    skip(isMissing(), missing);
    const script = `i=0; while [ $i -lt 200 ]; do sleep 53.3${own} & i=$((i+1)); done; wait`;
    const controller = new AbortController();
    const limits = { memoryBytes: 1024 * mebi, cpuPercent: 400, required: false };
    const running = bench.run(['sh', '-c', script], { limits }, controller.signal);
    await until('all children', () => processesWith(`sleep\x0053.3${own}`).length === 200);
    controller.abort('enough');
    expect((await running).outcome).toEqual({ kind: 'cancelled', reason: 'enough' });
    expect(processesWith(`sleep\x0053.3${own}`)).toEqual([]);
  });

  test('a refused start says why, as without limits', async ({ skip }) => {
    skip(isMissing(), missing);
    const exit = await bench.run(['no-such-command'], memory(200 * mebi));
    expect(exit.outcome).toMatchObject({ kind: 'spawn_failed', code: 'ENOENT' });
  });

  test('limits that are required: refused where the CPU cannot be held', async ({ skip }) => {
    skip(isMissing(), missing);
    const exit = await bench.run(['true'], { limits: { cpuPercent: 50, required: true } });
    const refused = { kind: 'unconfinable', fix: expect.any(String) };
    expect(exit.outcome).toMatchObject(limits === 'watched' ? refused : { kind: 'exited', exitCode: 0 });
  });
});

test('no group is left behind, and those of a helper that was killed go with the next', async ({ skip }) => {
  const groups = (tag: string, controller: string) => {
    const path = new RegExp(`^\\d+:${controller}:(.*)$`, 'm').exec(
      readFileSync('/proc/self/cgroup', 'utf8'),
    )?.[1];
    return existsSync(`/sys/fs/cgroup/${controller}${path}/sluice-${tag}`);
  };
  const bench = await openBench(tempDir(), { limits: 'cgroup1' });
  skip(bench.spawner.limitsBackend !== 'cgroup1', 'this machine does not give us cgroup1');
  const limits = { memoryBytes: 100 * mebi, cpuPercent: 50, required: true };
  const running = bench.run(['sleep', `54.4${own}`], { limits });
  await until('the sleep', () => processesWith(`sleep\x0054.4${own}`).length === 1);
  process.kill(bench.spawner.pid as number, 'SIGKILL');
  expect((await running).outcome).toEqual({ kind: 'interrupted' });
  expect(groups(bench.tag, 'memory')).toBe(true);
  expect((await bench.run(['true'])).outcome).toEqual({ kind: 'exited', exitCode: 0 });
  expect(groups(bench.tag, 'memory')).toBe(false);
  expect((await bench.run(['true'], { limits })).outcome).toEqual({ kind: 'exited', exitCode: 0 });
  expect(groups(bench.tag, 'memory')).toBe(true);
  await bench[Symbol.asyncDispose]();
  expect(groups(bench.tag, 'memory')).toBe(false);
  expect(groups(bench.tag, 'cpu')).toBe(false);
});
