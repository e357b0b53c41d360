/** Kind `builtin`: whatever happens in its thread, the daemon gets an outcome. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { queryObjects } from 'node:v8';
import { expect, onTestFinished, test } from 'vitest';
import { type BuiltinRunner, createBuiltinRunner } from '../../src/agents/builtin.ts';
import { agent, call, never, noSecrets, tempDir, until } from './attempts.ts';

const dir = tempDir();
mkdirSync(join(dir, 'inbox'));
const odd = new URL('./fixtures/odd-worker.ts', import.meta.url);

function open(options: { worker?: URL; idleMs?: number } = {}): BuiltinRunner {
  const runner = createBuiltinRunner({ redactor: noSecrets, ...options });
  onTestFinished(() => runner[Symbol.asyncDispose]());
  return runner;
}
const inspectAgent = (more = {}) => agent({ kind: 'builtin' }, more);

test('inspects a real file', async () => {
  writeFileSync(join(dir, 'inbox/t.csv'), 'a,b\n1,2\n3,4\n');
  const runner = open();
  const base = call(dir, inspectAgent(), 't.csv');
  const result = await runner.run({ ...base, input: { ...base.input, bytes: 12 } }, never);
  expect(result.outcome).toEqual({ kind: 'exited', exitCode: 0 });
  expect(readFileSync(result.resultFile as string, 'utf8')).toMatch(/CSV/i);
});

test.for([
  ['throw', { kind: 'exited', exitCode: 1 }, /parser fault/],
  ['crash', { kind: 'exited', exitCode: 1 }, /unexpectedly/],
  ['error', { kind: 'exited', exitCode: 1 }, /no such file/],
  ['loop', { kind: 'timed_out', afterMs: 300 }, /^$/],
  ['memory', { kind: 'exited', exitCode: 1 }, /memory/],
] as const)('a worker that does "%s" hits only its own file', async ([rel, outcome, message]) => {
  const runner = open({ worker: odd });
  const limit = rel === 'loop' ? { timeoutMs: 300 } : {};
  const bad = runner.run(call(dir, inspectAgent(limit), rel), never);
  const good = runner.run(call(dir, inspectAgent(), 'good'), never);
  expect((await bad).outcome).toEqual(outcome);
  expect((await bad).stderrTail).toMatch(message);
  expect(readFileSync((await good).resultFile as string, 'utf8')).toBe('# good\n');
});

test('cancel ends the thread, a bound refuses the result', async () => {
  const runner = open({ worker: odd });
  const controller = new AbortController();
  const running = runner.run(call(dir, inspectAgent(), 'loop'), controller.signal);
  await until('the thread', () => runner.isRunning);
  controller.abort('stopping');
  expect((await running).outcome).toEqual({ kind: 'cancelled', reason: 'stopping' });
  const result = await runner.run(call(dir, inspectAgent({ maxOutputBytes: 3 }), 'good'), never);
  expect(result.outcome).toEqual({ kind: 'output_exceeded', maxBytes: 3 });
});

test('of files that were inspected in time no timer is left', async () => {
  const runner = open({ worker: odd });
  const timer = setTimeout(() => {}, 0);
  const timers = (): number => queryObjects(timer.constructor as never) as unknown as number;
  await runner.run(call(dir, inspectAgent(), 'good'), never);
  const before = timers();
  for (let n = 0; n < 50; n++) await runner.run(call(dir, inspectAgent(), 'good'), never);
  expect(timers() - before).toBeLessThan(10);
});

test('the thread is there only while it is needed', async () => {
  const runner = open({ worker: odd, idleMs: 1_000 });
  expect(runner.isRunning).toBe(false);
  await runner.run(call(dir, inspectAgent(), 'good'), never);
  expect(runner.isRunning).toBe(true);
  await until('the end of the thread', () => !runner.isRunning);
  expect((await runner.run(call(dir, inspectAgent(), 'good'), never)).outcome.kind).toBe('exited');
});
