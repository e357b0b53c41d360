/** What the rest of the house hears of runs: a failed one is a condition until one succeeds; steps are no successes. */
import { expect, test } from 'vitest';
import { createConditionBoard } from '../../src/conditions/board.ts';
import { tellRuns } from '../../src/engine/tell-runs.ts';
import type { Log } from '../../src/logging/log.ts';
import type { RunRecord } from '../../src/types/run.ts';
import { RunEvents } from '../../src/workflows/events.ts';

const run = (id: string, more: Partial<RunRecord>): RunRecord => ({
  id,
  workflow: 'nightly',
  definition: 'd',
  state: 'succeeded',
  inputs: {},
  trigger: { kind: 'manual', who: 'the owner' },
  force: false,
  depth: 0,
  warnings: [],
  createdAt: 1,
  startedAt: 1_000,
  endedAt: 3_100,
  ...more,
});

test('the last run that failed is a condition until one of its workflow succeeds', () => {
  const events = new RunEvents();
  const conditions = createConditionBoard({ now: Date.now });
  const lines: string[] = [];
  const say = (_: object, line: string) => void lines.push(line);
  tellRuns(events, conditions, { info: say, error: say } as unknown as Log);
  const open = () => conditions.list().map(({ code, subject, message }) => `${code} ${subject}: ${message}`);

  events.emit({ type: 'run_started', run: run('r1', { state: 'running' }) });
  events.emit({ type: 'run_ended', run: run('r1', { state: 'failed', message: '"b" failed' }) });
  expect(open()).toEqual(['RUN_FAILED nightly: the last run of "nightly" failed: "b" failed']);
  expect(conditions.list()[0]?.fix).toContain('sluice workflow resume r1');

  const called = { kind: 'workflow', runId: 'r1', step: 's' } as const;
  events.emit({
    type: 'run_ended',
    run: run('r2', { workflow: 'called', state: 'failed', trigger: called }),
  });
  events.emit({ type: 'run_ended', run: run('r3', { state: 'cancelled' }) });
  expect(open()).toHaveLength(1);

  events.emit({ type: 'run_ended', run: run('r4', {}) });
  expect(open()).toEqual([]);
  expect(lines).toEqual([
    'nightly (run r1): started',
    'nightly (run r1): failed in 2.1 s: "b" failed',
    'called (run r2): failed in 2.1 s: ',
    'nightly (run r3): cancelled in 2.1 s',
    'nightly (run r4): succeeded in 2.1 s',
  ]);
});
