/** Listening to what real processes write while they write it. */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type LiveOptions, watchLive } from '../../src/agents/live/watch-live.ts';
import type { EndReason, Spent } from '../../src/types/agent.ts';
import { tempDir, until } from './attempts.ts';

const never = Number.POSITIVE_INFINITY;
const line = (payload: object, type = 'progress') => `${JSON.stringify({ type, payload })}\n`;
const cost = (usd: number) => line({ cost_usd: usd });

function listen(more: Partial<LiveOptions> & { maxRepeats?: number } = {}) {
  const stdoutFile = join(tempDir(), 'stdout');
  const spent: (Spent & { at: number })[] = [];
  const ends: EndReason[] = [];
  const watch = watchLive({
    stdoutFile,
    agent: { maxRepeats: more.maxRepeats ?? never },
    onSpent: (one) => void spent.push({ ...one, at: performance.now() }),
    onEnd: (reason) => void ends.push(reason),
    blocked: undefined,
    redact: (text) => text,
    ...more,
  });
  onTestFinished(() => watch?.[Symbol.dispose]());
  return { stdoutFile, spent, ends, watch };
}

/** A process whose stdout goes to the file, as the spawner does it. */
function write(file: string, script: string): void {
  const fd = openSync(file, 'a');
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', fd, 'inherit'] });
  closeSync(fd);
  onTestFinished(() => void child.kill('SIGKILL'));
}

const costIs = (spent: readonly Spent[], usd: number) =>
  until(
    `$${usd}, seen ${JSON.stringify(spent.at(-1))}`,
    () => Math.abs((spent.at(-1)?.costUsd ?? -1) - usd) < 1e-9,
  );

test('whose reader has given up hope is ended without a grace', async () => {
  const { ends } = listen({ read: () => ({ push: () => {}, isHopeless: true }) });
  await until('it is ended', () => ends.length > 0);
  expect(ends).toEqual([{ kind: 'lingered', graceMs: 0 }]);
});

test('what it cost is not told any more when it has said its last word: nobody is to end it for that', async () => {
  let hasEnded = false;
  const { stdoutFile, spent, ends } = listen({
    lingerMs: 300,
    read: (onEvent) => ({
      push: () => {
        onEvent({ type: 'milestone', payload: { cost_usd: 99 } });
        hasEnded = true;
      },
      get hasEnded() {
        return hasEnded;
      },
    }),
  });
  writeFileSync(stdoutFile, 'done\n');
  await until('it is ended', () => ends.length > 0);
  expect([ends, spent]).toEqual([[{ kind: 'lingered', graceMs: 300 }], []]);
});

test('what a process spends is told while it runs', async () => {
  const { stdoutFile, spent } = listen();
  write(
    stdoutFile,
    `let n = 0;
     setInterval(() => {
       console.log('working');
       console.log(JSON.stringify({type: 'progress', payload: {cost_usd: 0.01, usage: {input_tokens: 100, output_tokens: 7}}}));
       if (++n === 60) process.exit();
     }, 20);`,
  );
  await costIs(spent, 0.6);
  expect(spent.at(-1)?.usage).toEqual({
    ...{ input_tokens: 6_000, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 420 },
  });
  expect(spent.length).toBeGreaterThan(1);
  const gaps = spent.slice(1).map(({ at }, i) => at - (spent[i]?.at ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThan(300);
});

test('nothing is told that was not said', async () => {
  const { stdoutFile, spent } = listen();
  writeFileSync(stdoutFile, line({ text: 'hello' }) + line({ usage: { input_tokens: 5 } }));
  await until('usage', () => spent.length > 0);
  expect(spent[0]).toMatchObject({ costUsd: null, usage: { input_tokens: 5 } });
  expect(spent).toHaveLength(1);
});

test('an event counts when its line is whole', async () => {
  const { stdoutFile, spent } = listen();
  const whole = cost(1);
  writeFileSync(stdoutFile, cost(0.5) + whole.slice(0, 20));
  await costIs(spent, 0.5);
  appendFileSync(stdoutFile, whole.slice(20, -1));
  appendFileSync(stdoutFile, `\n${cost(2)}`);
  await costIs(spent, 3.5);
});

test('floods, binary output and lines of ten megabytes', async () => {
  const { stdoutFile, spent } = listen();
  const fd = openSync(stdoutFile, 'a');
  const noise = Buffer.alloc(1 << 20, 0xfe);
  for (const start of ['x', '{']) {
    writeSync(fd, start);
    for (let i = 0; i < 10; i++) writeSync(fd, noise);
    writeSync(fd, `\n${cost(1)}`);
  }
  // Beyond what an event may be long.
  writeSync(fd, line({ text: 'y'.repeat(2 << 20), cost_usd: 100 }));
  writeSync(fd, cost(1));
  closeSync(fd);
  await costIs(spent, 3);
});

test('a file that is cut short or replaced begins anew; what was spent stays spent', async () => {
  const { stdoutFile, spent } = listen();
  writeFileSync(stdoutFile, cost(1) + cost(1));
  await costIs(spent, 2);
  truncateSync(stdoutFile, 0);
  appendFileSync(stdoutFile, cost(0.5));
  rmSync(stdoutFile);
  writeFileSync(`${stdoutFile}.new`, `${cost(3)}{"type":"progr`);
  renameSync(`${stdoutFile}.new`, stdoutFile);
  await costIs(spent, 3);
  writeFileSync(`${stdoutFile}.new`, cost(1));
  renameSync(`${stdoutFile}.new`, stdoutFile);
  appendFileSync(stdoutFile, cost(4));
  await costIs(spent, 5);
  writeFileSync(`${stdoutFile}.new`, line({ cost_usd: 1, usage: { input_tokens: 3 } }));
  renameSync(`${stdoutFile}.new`, stdoutFile);
  await until('what is in the new file', () => spent.at(-1)?.usage?.input_tokens === 3);
  expect(spent.at(-1)?.costUsd).toBe(5);
  expect(spent.every(({ costUsd }, i) => (costUsd ?? 0) >= (spent[i - 1]?.costUsd ?? 0))).toBe(true);
});

test('what is no plain file is left alone until there is one', async () => {
  const { stdoutFile, spent, ends } = listen();
  const elsewhere = `${stdoutFile}.elsewhere`;
  writeFileSync(elsewhere, cost(7));
  symlinkSync(elsewhere, stdoutFile);
  // Begun later: when it has looked, the first has too.
  const other = listen();
  writeFileSync(other.stdoutFile, cost(1));
  await costIs(other.spent, 1);
  expect(spent).toEqual([]);
  rmSync(stdoutFile);
  mkdirSync(stdoutFile);
  rmSync(stdoutFile, { recursive: true });
  writeFileSync(stdoutFile, cost(1));
  await costIs(spent, 1);
  expect(ends).toEqual([]);
});

test('an agent that repeats a call is stopped at the fourth', async () => {
  const { stdoutFile, ends, spent } = listen({ maxRepeats: 4 });
  write(
    stdoutFile,
    `const event = (file) => ({type: 'status', payload: {tool: 'read', args: {file}, cost_usd: 0.25}});
     // All at once: nobody looks in between.
     console.log([...'abaaaaaa'].map((file) => JSON.stringify(event(file))).join('\\n'));
     setInterval(() => {}, 1000);`,
  );
  await until('the end', () => ends.length > 0);
  expect(ends).toEqual([{ kind: 'stuck', tool: 'read', times: 4 }]);
  // What it had spent by then, and nothing after it.
  expect(spent.map(({ costUsd }) => costUsd)).toEqual([1.5]);
});

test('a refused command ends it, once, without its secrets', async () => {
  const { stdoutFile, ends } = listen({
    blocked: [['git', 'push']],
    redact: (text) => text.replaceAll('hush', '[redacted]'),
  });
  writeFileSync(
    stdoutFile,
    line({ command: 'git status' }) +
      line({
        tool: 'Bash',
        input: { command: `cd x && git push https://hush@example/ ${'x'.repeat(500)}` },
      }) +
      line({ command: 'sudo ls' }),
  );
  await until('the end', () => ends.length > 0);
  expect(ends).toHaveLength(1);
  const [end] = ends as [Extract<EndReason, { kind: 'refused_command' }>];
  expect(end.kind).toBe('refused_command');
  expect(end.command).toMatch(/^cd x && git push https:\/\/\[redacted\]@example\/ x+…$/);
  expect(end.command.length).toBe(301);
});

test('without a sandbox no command is looked for', async () => {
  const { stdoutFile, ends, spent } = listen({ blocked: undefined });
  writeFileSync(stdoutFile, line({ command: 'sudo ls' }) + cost(1));
  await costIs(spent, 1);
  expect(ends).toEqual([]);
});

test('nothing is told after it was disposed of, and nothing runs where nothing is asked for', async () => {
  const { stdoutFile, spent, ends, watch } = listen({ maxRepeats: 1 });
  writeFileSync(stdoutFile, line({ tool: 'x', args: {}, cost_usd: 1 }));
  watch?.[Symbol.dispose]();
  watch?.[Symbol.dispose]();
  const timers = () => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
  const before = timers();
  watchLive({
    ...{ stdoutFile, agent: { maxRepeats: never }, onSpent: undefined, blocked: undefined },
    ...{ onEnd: () => {}, redact: (text) => text },
  });
  expect(timers()).toBe(before);
  const other = listen();
  writeFileSync(other.stdoutFile, cost(1));
  await costIs(other.spent, 1);
  expect([spent, ends]).toEqual([[], []]);
});
