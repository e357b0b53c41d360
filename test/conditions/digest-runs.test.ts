import { expect, test } from 'vitest';
import { digestText } from '../../src/engine/digest.ts';
import type { RunRecord } from '../../src/types/run.ts';

const at = Date.parse('2026-11-20T10:00:00Z');
const run = (id: string, facts: Partial<RunRecord> = {}): RunRecord => ({
  id,
  workflow: 'nightly',
  definition: 'd',
  state: 'succeeded',
  inputs: {},
  trigger: { kind: 'manual', who: 'me' },
  force: false,
  depth: 0,
  warnings: [],
  createdAt: at,
  startedAt: at,
  endedAt: at + 1000,
  ...facts,
});

test('a day with runs says how they ended, which failed and which wait', () => {
  const ended = [
    run('r1'),
    run('r2', { endedAt: at + 185_000 }),
    run('r3', { workflow: 'a\nb', state: 'failed', reason: 'step_failed' }),
  ];
  const waiting = [run('r4', { state: 'waiting' })];
  expect(digestText([], [], 0, { ended, waiting }).split('\n')).toEqual([
    'no jobs ended',
    'runs: 2 succeeded, 1 failed',
    'failed runs: a\\u000ab r3 (step_failed)',
    'longest run: nightly r2, 3 min 5 s',
    'runs that wait for you: nightly r4',
  ]);
});

test('of many failed runs the first are named', () => {
  const ended = Array.from({ length: 9 }, (_, i) => run(`r${i}`, { state: 'failed' }));
  const text = digestText([], [], 0, { ended, waiting: [] });
  expect(text).toContain('nightly r4 and 4 more');
});
