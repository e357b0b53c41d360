/** Runs in a real ledger, with jobs as the coordinator would end them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StepConfig } from '../../../src/config/workflow.ts';
import type { JobEnd } from '../../../src/ledger/ledger.ts';
import type { JobRecord } from '../../../src/types/job.ts';
import type { RunRecord, StepRecord } from '../../../src/types/run.ts';
import type { Rig } from '../rig.ts';

export async function createRun(
  rig: Rig,
  id: string,
  steps: readonly (Partial<StepConfig> & { name: string })[],
  facts: Partial<RunRecord> = {},
): Promise<RunRecord> {
  const definition = await rig.ledger.runs.define({
    name: facts.workflow ?? 'nightly',
    steps: steps.map((step) => ({ type: 'custom_command', outputs: {}, continueOnError: false, ...step })),
    onFailure: [],
  });
  const run: RunRecord = {
    id,
    workflow: 'nightly',
    definition,
    state: 'running',
    inputs: {},
    trigger: { kind: 'manual', who: 'me' },
    force: false,
    depth: 0,
    warnings: [],
    createdAt: rig.clock.now,
    startedAt: rig.clock.now,
    ...facts,
  };
  await rig.ledger.runs.create(run);
  return run;
}

export const endRun = async (rig: Rig, run: RunRecord, facts: Partial<RunRecord> = {}): Promise<void> => {
  rig.clock.now += 1000;
  const { state = 'succeeded', ...rest } = facts;
  await rig.ledger.runs.update(run.id, { state, endedAt: rig.clock.now, ...rest } as never);
};

/** A step with its job, whose result is in its work folder. */
export async function endStep(
  rig: Rig,
  run: RunRecord,
  name: string,
  o: {
    readonly index?: number;
    readonly result?: string;
    readonly stderr?: string;
    readonly end?: Partial<JobEnd>;
    readonly record?: Partial<StepRecord>;
    readonly costUsd?: number;
  } = {},
): Promise<{ job: JobRecord; workDir: string }> {
  const { index, result = '', end = {}, record = {} } = o;
  const id = index === undefined ? name : `${name}[${index}]`;
  rig.clock.jobs += 1;
  rig.clock.now += 10;
  const jobId = `job-${String(rig.clock.jobs).padStart(4, '0')}`;
  const path = [run.workflow, run.id, 'steps', name, ...(index === undefined ? [] : [index])].join('/');
  const input = { root: '', path, sha256: `sha-${jobId}`, bytes: 0, stamp: '' };
  const step = {
    runId: run.id,
    workflow: run.workflow,
    step: id,
    work: { kind: 'command', command: ['true'], sandbox: { mode: 'off', reason: 'a test' } },
    expect: { outputs: [] },
    env: [],
    isShared: false,
  } as never;
  const workDir = join(rig.stateDir, 'work', jobId, '1');
  mkdirSync(join(workDir, 'outputs'), { recursive: true });
  if (result !== '') writeFileSync(join(workDir, 'result.md'), result);
  if (o.stderr !== undefined) writeFileSync(join(workDir, 'stderr'), o.stderr);
  await rig.ledger.jobs.enqueue({
    id: jobId,
    input,
    rule: `workflow:${run.workflow}/${name}`,
    agent: '$command',
    key: '',
    priority: 0,
    depth: 0,
    step,
  });
  const [lease] = await rig.ledger.jobs.claim({
    max: 1,
    limits: new Map([['$command', 1]]),
    worker: 'test',
    leaseMs: 60_000,
  });
  if (lease === undefined) throw new Error(`job ${jobId} could not be claimed`);
  const startedAt = rig.clock.now;
  rig.clock.now += 250;
  const attempt = {
    n: lease.token,
    agent: '$command',
    startedAt,
    endedAt: rig.clock.now,
    outcome: 'exited',
    exitCode: 0,
    sandbox: { mode: 'auto' as const },
    limits: {},
    events: 0,
    ...(o.costUsd !== undefined && {
      costUsd: o.costUsd,
      usage: { input_tokens: 10, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 5 },
    }),
  };
  await rig.ledger.jobs.attempted(lease, attempt, true);
  const job = await rig.ledger.jobs.end(lease, {
    state: 'succeeded',
    proof: ['exit_code'],
    ...(o.costUsd !== undefined && { costUsd: o.costUsd }),
    ...end,
  });
  if (job === undefined) throw new Error(`job ${jobId} lost its lease`);
  await rig.ledger.runs.putStep({
    runId: run.id,
    id,
    name,
    ...(index !== undefined && { index, item: `item ${index}` }),
    state: (end.state ?? 'succeeded') as StepRecord['state'],
    jobId,
    ...(result !== '' && { result, resultBytes: Buffer.byteLength(result) }),
    startedAt,
    endedAt: rig.clock.now,
    ...record,
  });
  return { job, workDir };
}
