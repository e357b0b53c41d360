/** Whoever dies, however: no process is left, and what had ended is known. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { endLeftovers, openSpawner, readAttemptsJournal } from '../../src/agents/spawner/spawner.ts';
import { newTag, noConditions, openBench, own, processesWith, tempDir, until } from './attempts.ts';

/** Starts the stand-in for a daemon; resolves when its attempts run. */
async function startDaemon(
  dir: string,
  tag: string,
  seconds: string,
): Promise<{ child: ChildProcess; helper: number }> {
  const entry = fileURLToPath(new URL('./fixtures/daemon.ts', import.meta.url));
  const child = spawn(process.execPath, [entry, dir, tag, seconds], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout?.on('data', (text: Buffer) => {
    said += text;
  });
  await until('the daemon', () => said.includes('\n'));
  await until('its three sleeps', () => processesWith(`sleep\0${seconds}`).length === 3);
  return { child, helper: Number(said) };
}

test('the daemon is killed: its trees end at once, and what had ended stands in the journal', async () => {
  const dir = tempDir();
  const { child, helper } = await startDaemon(dir, newTag(), `41.41${own}`);
  child.kill('SIGKILL');
  await until('the end of the sleeps', () => processesWith(`sleep\x0041.41${own}`).length === 0);
  await until(
    'the end of the helper',
    () => processesWith(dir).length === 0 && !processesWith('').includes(helper),
  );
  const entries = await readAttemptsJournal(dir);
  expect(entries).toMatchObject([
    {
      job: 'finished',
      n: 2,
      journal: 'of finished',
      exit: { outcome: { kind: 'exited', exitCode: 4 }, stdoutBytes: 5 },
    },
  ]);
});

test('daemon and helper are killed: the next daemon finds what they left', async () => {
  const dir = tempDir();
  const tag = newTag();
  const { child, helper } = await startDaemon(dir, tag, `42.42${own}`);
  process.kill(helper, 'SIGSTOP');
  child.kill('SIGKILL');
  process.kill(helper, 'SIGKILL');
  await until('the end of the helper', () => !processesWith('').includes(helper));
  expect(processesWith(`sleep\x0042.42${own}`)).toHaveLength(3);
  expect(await endLeftovers(newTag())).toBe(0);
  expect(await endLeftovers(tag)).toBeGreaterThanOrEqual(3);
  expect(processesWith(`42.42${own}`)).toEqual([]);
});

test('a helper that still ends its trees is waited for', async () => {
  const dir = tempDir();
  const tag = newTag();
  const { child, helper } = await startDaemon(dir, tag, `43.43${own}`);
  child.kill('SIGKILL');
  await endLeftovers(tag);
  expect(processesWith(`43.43${own}`)).toEqual([]);
  expect(processesWith('').includes(helper)).toBe(false);
});

test('the helper is killed: attempts end as interrupted, nothing is left, the next one works', async () => {
  await using bench = await openBench(tempDir());
  const running = bench.run(['sh', '-c', `trap "" TERM; env -i /bin/sleep 44.44${own} & sleep 44.44${own}`]);
  await until('the sleeps', () => processesWith(`sleep\x0044.44${own}`).length === 2);
  process.kill(bench.spawner.pid as number, 'SIGKILL');
  expect((await running).outcome).toEqual({ kind: 'interrupted' });
  expect(processesWith(`44.44${own}`)).toEqual([]);
  expect((await bench.run(['true'])).outcome).toEqual({ kind: 'exited', exitCode: 0 });
  expect(bench.raised).toEqual([]);
});

test('an attempt whose end the helper had written down is not interrupted', async () => {
  const dir = tempDir();
  await using bench = await openBench(dir);
  process.kill(bench.spawner.pid as number, 'SIGSTOP');
  const running = bench.run(['true'], { job: 'known', n: 7 });
  const exit = {
    outcome: { kind: 'exited', exitCode: 9 },
    startedAt: Date.now(),
    endedAt: Date.now(),
    stdoutBytes: 0,
    stderrBytes: 0,
  };
  appendFileSync(
    join(dir, 'attempts.journal'),
    `${JSON.stringify({ job: 'known', n: 7, exit, journal: '' })}\n`,
  );
  process.kill(bench.spawner.pid as number, 'SIGKILL');
  expect((await running).outcome).toEqual({ kind: 'exited', exitCode: 9 });
});

test('a stop ends what runs at once', async () => {
  const bench = await openBench(tempDir(), { graceMs: 60_000 });
  const running = bench.run(['sh', '-c', `trap "" TERM; sleep 45.45${own}`]);
  await until('the sleep', () => processesWith(`sleep\x0045.45${own}`).length > 0);
  await bench[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
  expect((await running).outcome).toEqual({ kind: 'interrupted' });
  expect(processesWith(`45.45${own}`)).toEqual([]);
  expect((await bench.run(['true'])).outcome).toEqual({ kind: 'interrupted' });
});

test('a helper that cannot be started is an error with a fix', async () => {
  const stateDir = join(tempDir(), 'missing');
  const opening = openSpawner({ stateDir, tag: newTag(), graceMs: 100, conditions: noConditions });
  await expect(opening).rejects.toMatchObject({ code: 'SPAWNER_FAILED', fix: expect.any(String) });
});

test('a helper that cannot be brought back is a condition; what waits goes on when it can', async () => {
  const stateDir = join(tempDir(), 'state');
  mkdirSync(stateDir);
  await using bench = await openBench(stateDir);
  renameSync(stateDir, `${stateDir}-away`);
  process.kill(bench.spawner.pid as number, 'SIGKILL');
  await until('the condition', () => bench.raised.includes('SPAWNER_FAILED'));
  const controller = new AbortController();
  const givenUp = bench.run(['true'], {}, controller.signal);
  const waiting = bench.run(['true']);
  controller.abort('stopping');
  expect((await givenUp).outcome).toEqual({ kind: 'cancelled', reason: 'stopping' });
  renameSync(`${stateDir}-away`, stateDir);
  expect((await waiting).outcome).toEqual({ kind: 'exited', exitCode: 0 });
});

test('a cancel at any moment leaves no process', async () => {
  await using bench = await openBench(tempDir(), { graceMs: 30 });
  const scripts = [
    `sleep 46.46${own}`,
    `sleep 46.46${own} & sleep 46.46${own} | sleep 46.46${own}`,
    `trap "" TERM; (setsid sleep 46.46${own} &); sleep 46.46${own}`,
    `(setsid sh -c "trap : TERM; sleep 46.46${own}; sleep 46.46${own}" &) ; exit 0`,
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...scripts),
      fc.integer({ min: 0, max: 40 }),
      async (script, afterMs) => {
        const signal = AbortSignal.timeout(afterMs);
        const { outcome } = await bench.run(['sh', '-c', script], {}, signal);
        expect(['cancelled', 'exited']).toContain(outcome.kind);
        expect(processesWith(`sleep\x0046.46${own}`)).toEqual([]);
      },
    ),
    { numRuns: 40 },
  );
});

test('the journal: a torn last line is left out, a checkpoint keeps what is open or came later', async () => {
  const dir = tempDir();
  expect(await readAttemptsJournal(dir)).toEqual([]);
  mkdirSync(dir, { recursive: true });
  const jobs = async () => (await readAttemptsJournal(dir)).map((entry) => entry.job);
  {
    await using bench = await openBench(dir);
    for (const job of ['a', 'b', 'c']) await bench.run(['true'], { job, journal: 'x\n"y"' });
    await bench.run(['no-such-command'], { job: 'd' });
    expect(await jobs()).toEqual(['a', 'b', 'c', 'd']);
    await bench.spawner.checkpoint({ open: ['b', 'unknown'], endedBefore: Number.MAX_SAFE_INTEGER });
    expect(await readAttemptsJournal(dir)).toMatchObject([{ job: 'b', journal: 'x\n"y"' }]);
    await bench.run(['true'], { job: 'e' });
    expect(await jobs()).toEqual(['b', 'e']);
    const [, last] = await readAttemptsJournal(dir);
    await bench.spawner.checkpoint({ open: [], endedBefore: last?.exit.endedAt ?? 0 });
    expect(await jobs()).toEqual(['e']);
    await bench.spawner.checkpoint({ open: [], endedBefore: Number.MAX_SAFE_INTEGER });
    expect(await jobs()).toEqual([]);
    await bench.run(['true'], { job: 'f' });
  }
  const path = join(dir, 'attempts.journal');
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"job":"torn","n":1,"ex`);
  expect(await jobs()).toEqual(['f']);
  await using bench = await openBench(dir);
  await bench.run(['true'], { job: 'g' });
  expect(await jobs()).toEqual(['f', 'g']);
});
