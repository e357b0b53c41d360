/** Runs, steps and their jobs as the workflow engine hands them to the ledger, with only what a test cares about spelled out. */
import type { JobSpec, Ledger } from '../../src/ledger/ledger.ts';
import type { RunRecord, StepRecord } from '../../src/types/run.ts';
import type { StepTask } from '../../src/types/step-task.ts';
import { claim, spec } from './specs.ts';

export function run(id: string, facts: Partial<RunRecord> = {}): RunRecord {
  return {
    id,
    workflow: 'nightly',
    definition: 'd',
    state: 'running',
    inputs: {},
    trigger: { kind: 'manual', who: 'me' },
    force: false,
    depth: 0,
    warnings: [],
    createdAt: 1_000,
    ...facts,
  };
}

/** @param index Of an item. */
export function step(
  runId: string,
  name: string,
  facts: Partial<StepRecord> = {},
  index?: number,
): StepRecord {
  const id = index === undefined ? name : `${name}[${index}]`;
  return { runId, id, name, state: 'running', ...(index !== undefined && { index }), ...facts };
}

export function task(runId: string, id: string, facts: Partial<StepTask> = {}): StepTask {
  return {
    runId,
    workflow: 'nightly',
    step: id,
    work: { kind: 'command', command: ['true', 'a b'], sandbox: { mode: 'off', reason: 'a test' } as never },
    expect: {} as never,
    env: [],
    isShared: false,
    ...facts,
  };
}

/** The job of a step. */
export function stepJob(id: string, runId: string, stepId: string, facts: Partial<JobSpec> = {}): JobSpec {
  const input = { root: '', path: `${runId}/${stepId}`, sha256: `sha-${id}`, bytes: 0, stamp: '' };
  return { ...spec({ id }), input, rule: 'nightly', step: task(runId, stepId), ...facts };
}

/** Runs the only job that can, to its end. */
export async function runOne(
  ledger: Ledger,
  attempts: readonly Parameters<Ledger['jobs']['attempted']>[1][],
): Promise<void> {
  const [lease] = await claim(ledger, { max: 1 });
  if (!lease) throw new Error('nothing to claim');
  for (const attempt of attempts) await ledger.jobs.attempted(lease, attempt, true);
  await ledger.jobs.end(lease, { state: 'succeeded' });
  await ledger.jobs.published(lease.job.id);
}
