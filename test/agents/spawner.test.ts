/** The spawner's promises, against real processes and in both ways of starting them. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartRequest } from '../../src/agents/spawner/spawner.ts';
import { type Bench, openBench, own, processesWith, tempDir, until } from './attempts.ts';

describe.each(['auto', 'portable'] as const)('way %s', (way) => {
  const dir = tempDir();
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench(dir, { way });
    writeFileSync(join(dir, 'plain'), '#!/bin/sh\necho no\n', { mode: 0o644 });
    writeFileSync(join(dir, 'bad-interpreter'), '#!/nonexistent/sh\n', { mode: 0o755 });
    writeFileSync(join(dir, 'relative'), '#!/bin/sh\npwd\n', { mode: 0o755 });
    mkdirSync(join(dir, 'folder'));
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  const outcomes: [string, string[], Partial<StartRequest>, object][] = [
    ['exit 0', ['true'], {}, { kind: 'exited', exitCode: 0 }],
    ['exit code', ['sh', '-c', 'exit 77'], {}, { kind: 'exited', exitCode: 77 }],
    ['signal', ['sh', '-c', 'kill -SEGV $$'], {}, { kind: 'signalled', signal: 'SIGSEGV' }],
    ['time-out', ['sleep', '30'], { timeoutMs: 150 }, { kind: 'timed_out', afterMs: 150 }],
    [
      'idle',
      ['sh', '-c', 'echo a; sleep 0.2; echo b; sleep 30'],
      { idleTimeoutMs: 400 },
      { kind: 'stalled', idleMs: 400 },
    ],
    ['missing command', ['no-such-command'], {}, { kind: 'spawn_failed', code: 'ENOENT' }],
    ['missing path', ['/no/such/command'], {}, { kind: 'spawn_failed', code: 'ENOENT' }],
    ['empty command', [''], {}, { kind: 'spawn_failed', code: 'ENOENT' }],
    ['not executable', ['./plain'], {}, { kind: 'spawn_failed', code: 'EACCES' }],
    ['folder as command', ['./folder'], {}, { kind: 'spawn_failed', code: 'EACCES' }],
    ['missing interpreter', ['./bad-interpreter'], {}, { kind: 'spawn_failed', code: 'ENOENT' }],
    [
      'missing working folder',
      ['true'],
      { cwd: '/no/such/folder' },
      { kind: 'spawn_failed', code: 'ENOENT' },
    ],
    ['argument of 128 KiB', ['echo', 'x'.repeat(128 << 10)], {}, { kind: 'spawn_failed', code: 'E2BIG' }],
    ['NUL in an argument', ['echo', 'a\0b'], {}, { kind: 'spawn_failed', code: 'EINVAL' }],
    ['output', ['sh', '-c', 'head -c 2000000 /dev/zero'], {}, { kind: 'output_exceeded', maxBytes: 1 << 20 }],
    [
      'output on both',
      ['sh', '-c', 'head -c 600000 /dev/zero; head -c 600000 /dev/zero >&2'],
      {},
      { kind: 'output_exceeded' },
    ],
  ];
  test.for(outcomes)('outcome: %s', async ([, argv, more, outcome]) => {
    expect((await bench.run(argv, more)).outcome).toMatchObject(outcome);
  });

  test('a refusal says what is wrong', async () => {
    expect((await bench.run(['./folder'])).outcome).toMatchObject({
      message: expect.stringContaining('is a folder'),
    });
    expect((await bench.run(['nope'])).outcome).toMatchObject({
      message: expect.stringContaining('on PATH'),
    });
  });

  test('stdout and stderr are files, stdin is closed, the working folder is the one given', async () => {
    const exit = await bench.run(['sh', '-c', 'cat; pwd; echo oops >&2']);
    expect(exit).toMatchObject({ outcome: { exitCode: 0 }, stderrBytes: 5 });
    expect(exit.stdout().toString()).toBe(`${dir}\n`);
    expect(exit.stderr()).toBe('oops\n');
    expect((await bench.run(['./relative'])).stdout().toString()).toBe(`${dir}\n`);
  });

  test('files are written before the start', async () => {
    const path = join(dir, `list-${way}`);
    const exit = await bench.run(['cat', path], { files: [[path, 'a\0b\0']] });
    expect(exit.stdout().toString()).toBe('a\0b\0');
  });

  test('arguments reach the command exactly', async () => {
    const words = [
      'a b',
      "it's",
      '"q"',
      'new\nline',
      '$(reboot)',
      '`id`',
      '-rf',
      '',
      '*',
      'ünïcödé',
      '\u202eabc',
      '日本',
    ];
    const exit = await bench.run(['printf', '%s\\0', ...words]);
    expect(exit.stdout().toString()).toBe(words.map((word) => `${word}\0`).join(''));
  });

  test('a child has default signals, its own session and no open files but three', async () => {
    const exit = await bench.run(['sh', '-c', 'exec cat /proc/self/status /proc/self/stat; exit']);
    const text = exit.stdout().toString();
    expect(text).toMatch(/^SigBlk:\t0+$/m);
    // Two signals are the C library's own; it lets them ignored.
    const ignored = BigInt(`0x${/^SigIgn:\t([0-9a-f]+)$/m.exec(text)?.[1]}`) & ~0x180000000n;
    if (way === 'auto') expect(ignored).toBe(0n);
    const stat = text.slice(text.lastIndexOf(') ') + 2).split(' ');
    const pid = /^Pid:\t(\d+)/m.exec(text)?.[1];
    expect([stat[2], stat[3]]).toEqual([pid, pid]);
    const look = 'for n in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$n ] && echo $n; done; exit 0';
    expect((await bench.run(['sh', '-c', look])).stdout().toString()).toBe('');
  });

  test('64 MiB of output stop at the bound and the disk gets the rest back', async () => {
    const exit = await bench.run(['sh', '-c', 'exec yes'], { maxOutputBytes: 8 << 20 });
    expect(exit.outcome).toEqual({ kind: 'output_exceeded', maxBytes: 8 << 20 });
    expect(exit.stdout().length).toBe(8 << 20);
  });

  test('64 MiB of binary output within the bound arrive whole', async () => {
    const exit = await bench.run(['head', '-c', String(64 << 20), '/dev/urandom'], {
      maxOutputBytes: 64 << 20,
    });
    expect(exit).toMatchObject({ outcome: { kind: 'exited' }, stdoutBytes: 64 << 20 });
  });

  test('what ignores SIGTERM is killed after the grace', async () => {
    const controller = new AbortController();
    const script = `trap "" TERM; sleep 31.7${own} & sleep 31.7${own}`;
    const running = bench.run(['sh', '-c', script], {}, controller.signal);
    await until('the sleeps', () => processesWith(`sleep\x0031.7${own}`).length === 2);
    const askedAt = Date.now();
    controller.abort('enough');
    const exit = await running;
    expect(exit.outcome.kind).toBe('cancelled');
    expect(exit.endedAt - askedAt).toBeGreaterThanOrEqual(290);
    expect(processesWith(`31.7${own}`)).toEqual([]);
  });

  test('a polite command gets to clean up, and is asked once', async () => {
    const ready = join(dir, `ready-${way}`);
    const script = `trap "echo term; exit 5" TERM; echo ready; : > ${ready}; while :; do sleep 0.02; done`;
    const controller = new AbortController();
    await using patient = await openBench(dir, { way, graceMs: 60_000 });
    const running = patient.run(['sh', '-c', script], {}, controller.signal);
    await until('the trap', () => existsSync(ready));
    controller.abort('enough');
    const exit = await running;
    expect(exit.stdout().toString()).toBe('ready\nterm\n');
    expect(exit.outcome.kind).toBe('cancelled');
  });

  test('a stopped process is ended too', async () => {
    const exit = await bench.run(['sh', '-c', 'kill -STOP $$'], { timeoutMs: 100 });
    expect(exit.outcome.kind).toBe('timed_out');
  });

  test('what is left in the background is ended before the exit is told', async () => {
    const exit = await bench.run([
      'sh',
      '-c',
      `sleep 32.9${own} & (trap "" TERM; sleep 32.9${own}) & exit 0`,
    ]);
    expect(exit.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    expect(processesWith(`32.9${own}`)).toEqual([]);
  });

  test('cancel ends it and gives the reason', async () => {
    const controller = new AbortController();
    const running = bench.run(['sleep', `33.3${own}`], {}, controller.signal);
    await until('the command', () => processesWith(`33.3${own}`).length > 0);
    controller.abort('superseded');
    expect((await running).outcome).toEqual({ kind: 'cancelled', reason: 'superseded' });
    expect(processesWith(`33.3${own}`)).toEqual([]);
    expect((await bench.run(['true'], {}, controller.signal)).outcome.kind).toBe('cancelled');
  });

  test('the environment is the one given, and two tags', async () => {
    const exit = await bench.run(['env'], { env: { PATH: '/usr/bin:/bin', A: 'x\ny' } });
    const names = exit
      .stdout()
      .toString()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.toSorted()).toEqual(['', 'A', 'PATH', 'SLUICE_ATTEMPT', 'SLUICE_PROJECT', 'y'].toSorted());
  });
});

describe('the native way alone', () => {
  const dir = tempDir();
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench(dir);
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  test('names that are not UTF-8 reach the command as their bytes', async () => {
    const exit = await bench.run(['printf', '%s', 'a\uef80\uefffb']);
    expect(exit.stdout()).toEqual(Buffer.from([0x61, 0x80, 0xff, 0x62]));
  });

  test('a script without a first line is refused, not given to a shell', async () => {
    const file = join(dir, 'no-shebang');
    writeFileSync(file, 'echo hi\n');
    chmodSync(file, 0o755);
    expect((await bench.run([file])).outcome).toMatchObject({ kind: 'spawn_failed', code: 'ENOEXEC' });
  });

  const breakLoose = `use POSIX; if (!fork) { POSIX::setsid(); if (!fork) { $SIG{TERM} = "IGNORE"; exec "env", "-i", "/bin/sleep", "34.1${own}" } exit 0 }`;
  test.for([
    ['its parent has ended', `${breakLoose} exit 3`, {}, { kind: 'exited', exitCode: 3 }],
    ['its parent goes on', `${breakLoose} sleep 30`, { timeoutMs: 300 }, { kind: 'timed_out' }],
  ] as const)(
    'no escape by double fork, setsid and an empty environment: %s',
    async ([, script, limits, outcome]) => {
      const other = bench.run(['sleep', '0.3']);
      const exit = await bench.run(['perl', '-e', script], limits);
      expect(exit.outcome).toMatchObject(outcome);
      expect(processesWith(`sleep\x0034.1${own}`)).toEqual([]);
      expect((await other).outcome).toEqual({ kind: 'exited', exitCode: 0 });
    },
  );

  test('no escape while the process table is read, however often it is tried', async () => {
    const script = `${breakLoose.replace('34.1', '35.5')} exit 0`;
    const lane = async () => {
      for (let i = 0; i < 8; i += 1) await bench.run(['perl', '-e', script]);
    };
    await Promise.all([lane(), lane(), lane()]);
    expect(processesWith(`sleep\x0035.5${own}`)).toEqual([]);
  });

  test('a loose process of another attempt is left alone', async () => {
    const controller = new AbortController();
    const script = `${breakLoose.replace('34.1', '34.7')} sleep 30`;
    const other = bench.run(['perl', '-e', script], {}, controller.signal);
    const find = () => processesWith(`sleep\x0034.7${own}`);
    const [pid] = await until('the loose process', () => find().length > 0 && find());
    await bench.run(['sh', '-c', 'sleep 36.6 & exit 0']);
    expect(find()).toEqual([pid]);
    controller.abort('stopping');
    await other;
    expect(find()).toEqual([]);
  });

  test('many at once all end and are told apart', async () => {
    const exits = await Promise.all(
      Array.from({ length: 60 }, (_, i) => bench.run(['sh', '-c', `exit ${i}`])),
    );
    expect(exits.map(({ outcome }) => outcome)).toEqual(
      exits.map((_, i) => ({ kind: 'exited', exitCode: i })),
    );
  });

  test('the helper lives in its own session', () => {
    const stat = readFileSync(`/proc/${bench.spawner.pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    expect(stat[3]).toBe(String(bench.spawner.pid));
  });
});
