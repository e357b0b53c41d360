/** How trees are ended from outside: for an outcome of its own, and from inside a sandbox. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endedBy, endReasonOf, reasonOf } from '../../src/agents/spawner/end-reason.ts';
import type { EndReason } from '../../src/types/agent.ts';
import { type Bench, openBench, own, processesWith, tempDir, until } from './attempts.ts';

const reasons: readonly Exclude<EndReason, string>[] = [
  { kind: 'limit_exceeded', limit: 'usd_per_run', message: 'It cost 2 $', fix: 'Raise it.' },
  { kind: 'stuck', tool: 'Bash', times: 12 },
  { kind: 'refused_command', command: 'git push' },
];

test.for([
  ...reasons.map((reason) => [reason.kind, reason, reason] as const),
  ['a text', 'superseded', { kind: 'cancelled', reason: 'superseded' }] as const,
  ['an error', new Error('stopping'), { kind: 'cancelled', reason: 'stopping' }] as const,
  ['another outcome', { kind: 'exited', exitCode: 0 }, { kind: 'cancelled', reason: 'cancelled' }] as const,
  ['null', null, { kind: 'cancelled', reason: 'cancelled' }] as const,
])('a signal that is aborted with %s', ([, reason, outcome]) => {
  const signal = AbortSignal.abort(reason);
  expect(endedBy(endReasonOf(signal))).toEqual(outcome);
  expect(reasonOf(signal)).toEqual(expect.any(String));
});

describe.each(['auto', 'portable'] as const)('way %s', (way) => {
  const dir = tempDir();
  let bench: Bench;
  /** Its processes get all the time they want to clean up. */
  let patient: Bench;
  beforeAll(async () => {
    bench = await openBench(dir, { way });
    patient = await openBench(dir, { way, graceMs: 60_000 });
  });
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await patient[Symbol.asyncDispose]();
  });

  test('an end for an outcome of its own: that outcome, without the time to clean up, whoever ignores SIGTERM', async () => {
    const controller = new AbortController();
    const script = `trap "" TERM; sleep 61.1${own} & sleep 61.1${own}`;
    const running = patient.run(['sh', '-c', script], {}, controller.signal);
    await until('the sleeps', () => processesWith(`sleep\x0061.1${own}`).length === 2);
    const began = performance.now();
    controller.abort(reasons[0]);
    expect((await running).outcome).toEqual(reasons[0]);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(processesWith(`61.1${own}`)).toEqual([]);
    expect((await patient.run(['true'], {}, controller.signal)).outcome).toEqual(reasons[0]);
  });

  const sandbox = ['bwrap', '--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--proc', '/proc'];
  const confined = (...command: string[]) => [...sandbox, '--dev', '/dev', '--bind', dir, dir, ...command];
  const canConfine = existsSync('/usr/bin/bwrap');

  test('a confined tree gets its time to clean up', async ({ skip }) => {
    skip(!canConfine, 'bubblewrap is not installed');
    for (const wrap of [['--new-session', 'sh'], ['sh']]) {
      const ready = join(dir, `ready-${way}-${wrap.length}`);
      const script = `trap "sleep 0.4; echo clean; exit 7" TERM; : > ${ready}; while :; do sleep 0.02; done; : 62.2${own}-${way}`;
      const controller = new AbortController();
      const running = patient.run(confined(...wrap, '-c', script), { sandboxed: true }, controller.signal);
      await until('the trap', () => existsSync(ready));
      const began = performance.now();
      controller.abort('enough');
      const exit = await running;
      expect(exit.outcome).toEqual({ kind: 'cancelled', reason: 'enough' });
      expect(exit.stdout().toString()).toBe('clean\n');
      expect(performance.now() - began).toBeLessThan(40_000);
    }
    expect(processesWith(`62.2${own}-${way}`)).toEqual([]);
  });

  test('a confined tree that ignores it is ended all the same, with what tore itself loose in it', async ({
    skip,
  }) => {
    skip(!canConfine, 'bubblewrap is not installed');
    const controller = new AbortController();
    const script = `trap "" TERM; (setsid sleep 63.3${own} &); sleep 63.3${own}`;
    const running = bench.run(confined('sh', '-c', script), { sandboxed: true }, controller.signal);
    await until('the sleeps', () => processesWith(`sleep\x0063.3${own}`).length === 2);
    const began = performance.now();
    controller.abort(reasons[1]);
    expect((await running).outcome).toEqual(reasons[1]);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(processesWith(`63.3${own}`)).toEqual([]);
  });

  test('what a confined command exits with stays as it is; its memory is counted across the namespace', async ({
    skip,
  }) => {
    skip(!canConfine, 'bubblewrap is not installed');
    const plain = await bench.run(confined('sh', '-c', 'kill -SEGV $$'), { sandboxed: true });
    expect(plain.outcome).toEqual({ kind: 'exited', exitCode: 128 + 11 });
    const hog = await bench.run(confined('perl', '-e', 'my $x = "a" x (300 << 20); sleep 30'), {
      ...{ sandboxed: true, limits: { memoryBytes: 100 << 20, required: false } },
    });
    expect(hog.outcome).toMatchObject({ kind: 'limit_exceeded', limit: 'memory' });
    expect(hog.endedAt - hog.startedAt).toBeLessThan(20_000);
  });

  test('watched across the namespace too', async ({ skip }) => {
    skip(!canConfine, 'bubblewrap is not installed');
    await using watched = await openBench(dir, { way, limits: 'watched' });
    const hog = await watched.run(confined('perl', '-e', 'my $x = "a" x (300 << 20); sleep 30'), {
      ...{ sandboxed: true, limits: { memoryBytes: 100 << 20, required: false } },
    });
    expect(hog.outcome).toMatchObject({ kind: 'limit_exceeded', limit: 'memory' });
    expect(hog.limits).toEqual({ memory: '100MiB (watched)' });
  });

  test('what was used is told', async () => {
    const script = 'my $x = "a" x (150 << 20); 1 while (times)[0] < 0.2';
    const exit = await bench.run(['perl', '-e', script]);
    expect(exit.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    expect(exit.limits).toBeUndefined();
    if (way === 'portable') return;
    expect(exit.cpuMs).toBeGreaterThanOrEqual(200);
    expect(exit.peakMemoryBytes).toBeGreaterThan(150 << 20);
    const small = await bench.run(['true']);
    expect(small.cpuMs).toBeLessThan(200);
    expect(small.peakMemoryBytes).toBeUndefined();
  });
});
