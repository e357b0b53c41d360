/** Runs as the ledger would tell them, with only what a test cares about spelled out. */
import type { RunFacts, StepFacts } from '../../../src/aggregator/runs/facts.ts';
import type { StepConfig } from '../../../src/config/workflow.ts';
import type { AttemptRecord, JobRecord } from '../../../src/types/job.ts';
import type { ReviewRecord } from '../../../src/types/review.ts';
import type { RunRecord, StepRecord, StepState } from '../../../src/types/run.ts';

export const t0 = Date.parse('2026-11-20T10:31:07Z');

export interface StepSketch {
  readonly name: string;
  readonly type?: StepConfig['type'];
  readonly needs?: readonly string[];
  readonly state?: StepState;
  /** Seconds after the start of the run. */
  readonly at?: readonly [number, number?];
  readonly record?: Partial<StepRecord>;
  readonly config?: Partial<Record<string, unknown>>;
  readonly job?: Partial<JobRecord>;
  readonly facts?: Partial<StepFacts>;
  readonly onFailure?: boolean;
}

export function runFacts(
  steps: readonly StepSketch[],
  run: Partial<RunRecord> = {},
  more: Partial<RunFacts> = {},
): RunFacts {
  const record: RunRecord = {
    id: '20261120-103107-3fa2c1',
    workflow: 'Code Quality Pipeline',
    definition: 'd',
    state: 'succeeded',
    inputs: {},
    trigger: { kind: 'manual', who: 'anna' },
    force: false,
    depth: 0,
    warnings: [],
    createdAt: t0 - 200,
    startedAt: t0,
    ...((run.state ?? 'succeeded') === 'running' || run.state === 'waiting'
      ? {}
      : { endedAt: t0 + 1000 * Math.max(1, ...steps.map(({ at }) => at?.[1] ?? 0)) }),
    ...run,
  };
  return {
    run: record,
    definition: {},
    steps: steps.map((step) => stepFacts(record.id, step)),
    spent: { costUsd: null, jobs: steps.length, attempts: steps.length },
    subRuns: 0,
    now: t0 + 3_600_000,
    ...more,
  };
}

function stepFacts(runId: string, o: StepSketch): StepFacts {
  const { name, type = 'custom_command', at, state } = o;
  const config = {
    name,
    type,
    outputs: {},
    continueOnError: false,
    ...(o.needs !== undefined && { needs: o.needs }),
    ...o.config,
  } as unknown as StepConfig;
  const times = {
    ...(at?.[0] !== undefined && { startedAt: t0 + at[0] * 1000 }),
    ...(at?.[1] !== undefined && { endedAt: t0 + at[1] * 1000 }),
  };
  const record: StepRecord | undefined = state && { runId, id: name, name, state, ...times, ...o.record };
  const job = o.job && sampleJob(`job-${name}`, { ...times, state: state as JobRecord['state'], ...o.job });
  return {
    name,
    config,
    onFailure: o.onFailure ?? false,
    ...(record && { record: { ...record, ...(job && { jobId: job.id }) } }),
    ...(job && { job }),
    ...(job && { spent: { ...(job.usage && { usage: job.usage }), costUsd: job.costUsd } }),
    tails: [],
    ...o.facts,
  };
}

export function sampleJob(id: string, facts: Partial<JobRecord> = {}): JobRecord {
  return {
    id,
    input: { root: '', path: `w/r/steps/${id}`, sha256: '', bytes: 0, stamp: '' },
    rule: 'workflow:w/s',
    agent: '$command',
    key: '',
    state: 'succeeded',
    proof: [],
    priority: 0,
    lane: '',
    fallbacks: [],
    promoted: [],
    depth: 0,
    queuedAt: t0,
    attempts: [],
    costUsd: null,
    outputs: [],
    ...facts,
  };
}

/** A round in which one approves and the other does not; all that agents wrote is `text`. */
export function sampleReview(round: number, text: string, facts: Partial<ReviewRecord> = {}): ReviewRecord {
  const findings = [
    { severity: 'blocking', text, place: text, evidence: text },
    { severity: 'minor', text },
  ] as const;
  return {
    ...{ id: `review-${round}`, sessionId: 'r', author: 'coder', trigger: 'result', round },
    subject: { kind: 'job', jobId: 'job-lint', attempt: 1, step: 'lint' },
    ...{ startedAt: t0 + round * 1000, endedAt: t0 + round * 1000 + 700, workSha256: '0' },
    ...{ decision: 'stop', why: text },
    verdicts: [
      { agent: 'codex-reviewer', weight: 1, verdict: 'approved', summary: text, findings: [], costUsd: 0.02 },
      { agent: text, weight: 2, verdict: 'blocker', summary: text, findings, jobId: 'job-r2', costUsd: null },
    ],
    ...facts,
  };
}

/** @param span Seconds after the start of the run. */
export function attempt(
  n: number,
  span: readonly [number, number],
  facts: Partial<AttemptRecord> = {},
): AttemptRecord {
  return {
    n,
    agent: 'a',
    startedAt: t0 + span[0] * 1000,
    endedAt: t0 + span[1] * 1000,
    outcome: 'exited',
    exitCode: 0,
    sandbox: { mode: 'auto' },
    limits: {},
    events: 0,
    ...facts,
  };
}

const usage = (input: number, output: number) => ({
  input_tokens: input,
  cache_read_tokens: input * 3,
  cache_write_tokens: 0,
  output_tokens: output,
});

/** A pipeline in which much has happened: failures, a warning, an approval, a cached step, items, files, costs. */
export function fullRun(): RunFacts {
  const files = Array.from({ length: 30 }, (_, i) =>
    sampleJob(`file-${i}`, {
      input: { root: 'inbox', path: `src/parser/file-${i}.ts`, sha256: 'x', bytes: 100, stamp: '' },
      agent: 'reviewer',
      state: i === 0 ? 'failed' : i % 4 === 1 ? 'cached' : 'succeeded',
      startedAt: t0 + 1000 * i,
      endedAt: t0 + 1000 * i + 800 + 90 * i,
      ...(i === 0 && {
        reason: 'schema_invalid' as const,
        message: 'review.json: "severity" must be one of low, medium, high',
        fix: 'Ask for the field in the prompt, or loosen `schemas/review.json`.',
      }),
    }),
  );
  return runFacts(
    [
      {
        name: 'analyze_code',
        type: 'file_processing',
        needs: [],
        state: 'failed',
        at: [0.4, 34],
        record: {
          reason: 'files_failed',
          message: '1 of 30 files failed',
          counts: { processed: 22, cached: 7, failed: 1, total: 30 },
        },
        facts: {
          files: {
            counts: { processed: 22, cached: 7, failed: 1, total: 30 },
            total: 30,
            shown: files.map((job) => ({ job, tails: [] })),
          },
          spent: { usage: usage(42_000, 9_300), costUsd: 0.41 },
        },
      },
      {
        name: 'lint',
        needs: [],
        state: 'succeeded',
        at: [0.5, 8.2],
        job: { attempts: [attempt(1, [0.9, 3], { exitCode: 2 }), attempt(2, [5, 8.2])] },
        record: { result: 'src/parser/lexer.ts: 2 warnings\nsrc/cli/main.ts: 0 warnings\n', resultBytes: 61 },
        facts: {
          reviews: [
            sampleReview(1, 'The second warning is a mistake: `eof` is used in line 14.', {
              isRevised: true,
            }),
            sampleReview(2, 'All of it is answered.', { decision: 'continue', why: 'all approved (2)' }),
          ],
        },
      },
      {
        name: 'types',
        needs: [],
        state: 'cached',
        at: [0.5, 0.51],
        record: { cachedFrom: 'job-older' },
        job: { cachedFrom: 'job-older' },
        facts: {
          source: sampleJob('job-older', {
            startedAt: t0 - 90_000_000,
            endedAt: t0 - 89_958_000,
            costUsd: 0.03,
          }),
        },
      },
      {
        name: 'unit-tests',
        needs: ['lint', 'types'],
        state: 'failed',
        at: [8.4, 31],
        config: { continueOnError: true },
        record: {
          reason: 'exit_code',
          message: 'the command ended with exit code 1',
          fix: 'See its last lines; then `sluice workflow resume`.',
        },
        job: { state: 'failed', attempts: [attempt(1, [8.8, 31], { exitCode: 1 })] },
        facts: {
          tails: [
            {
              title: 'Last lines of its errors',
              text: '✖ parser › keeps positions over line breaks\n  AssertionError: expected 41:12, got 41:13\n    at test/parser.test.ts:88:5\n\n1 failed, 241 passed',
            },
          ],
        },
      },
      {
        name: 'review changed modules',
        type: 'agent',
        needs: ['lint'],
        state: 'succeeded',
        at: [8.4, 96],
        config: { forEach: { items: { list: [] }, maxParallel: 4 } },
        record: { counts: { total: 9 } },
        facts: {
          spent: { usage: usage(180_000, 22_000), costUsd: 1.84 },
          items: {
            total: 9,
            counts: { succeeded: 8, cached: 1 },
            shown: Array.from({ length: 9 }, (_, i) => ({
              record: {
                runId: 'r',
                id: `review changed modules[${i}]`,
                name: 'review changed modules',
                index: i,
                item: `src/${['agents', 'cache', 'cli', 'config', 'engine', 'ledger', 'router', 'server', 'watch'][i]}`,
                state: i === 3 ? 'cached' : 'succeeded',
                jobId: `j${i}`,
                startedAt: t0 + 8600 + Math.floor(i / 4) * 29_000,
                endedAt: t0 + 8600 + Math.floor(i / 4) * 29_000 + 12_000 + ((i * 7) % 5) * 4000,
              } as StepRecord,
              agent: 'reviewer',
              tails: [],
            })),
          },
        },
      },
      {
        name: 'summary',
        type: 'agent',
        needs: ['review changed modules', 'unit-tests'],
        state: 'succeeded',
        at: [96.2, 118],
        job: {
          agent: 'writer',
          usage: usage(21_000, 1800),
          costUsd: 0.22,
          attempts: [attempt(1, [96.6, 118])],
          outputs: [{ path: 'summary.md', sha256: '', bytes: 2000 }],
        },
        record: {
          result:
            '# Review\n\nThe parser keeps wrong columns after a line break (see `unit-tests`). Everything else is in order:\n\n- 9 modules reviewed, no finding above *medium*\n- lint: 2 warnings\n',
          resultBytes: 160,
        },
      },
      {
        name: 'publish?',
        type: 'approval',
        needs: ['summary'],
        state: 'succeeded',
        at: [118, 2500],
        record: {
          answer: {
            verdict: 'approved',
            by: 'boris',
            comment: 'Fine. The parser thing is known,\nfix is under way.',
          },
        },
      },
      {
        name: 'publish',
        type: 'http',
        needs: ['publish?'],
        state: 'succeeded',
        at: [2500.2, 2502],
        job: { attempts: [attempt(1, [2500.3, 2502], { outcome: 'responded' })] },
      },
      {
        name: 'deploy docs',
        type: 'workflow',
        needs: ['publish?'],
        state: 'skipped',
        config: { if: 'inputs.deploy == true' },
        record: { reason: 'condition' },
      },
      { name: 'report', type: 'report', state: 'succeeded', at: [2502, 2502.3], config: {} },
      { name: 'tell the team', onFailure: true, needs: [], state: 'succeeded', at: [2502.4, 2503], job: {} },
    ],
    {
      state: 'failed',
      reason: 'step_failed',
      inputs: { branch: 'main', deploy: false, reviewers: ['anna', 'boris'] },
      outputs: { summary: 'steps/summary/outputs/summary.md' },
      warnings: ['unit-tests failed (exit_code), and the run goes on without it'],
    },
    {
      definition: { description: 'Analyze code, generate documentation, and create reports' },
      spent: { usage: usage(243_000, 33_100), costUsd: 2.47, jobs: 47, attempts: 52 },
    },
  );
}

/** @param states Of step n; default: succeeded. */
export function grid(
  rows: number,
  columns: number,
  stateOf: (n: number) => StepState = () => 'succeeded',
): RunFacts {
  const name = (r: number, c: number): string => `g-${r}-${c}`;
  return runFacts(
    Array.from({ length: rows * columns }, (_, n) => {
      const [r, c] = [Math.floor(n / columns), n % columns];
      const needs = [...(r > 0 ? [name(r - 1, c)] : []), ...(c > 0 ? [name(r, c - 1)] : [])];
      return { name: name(r, c), needs, state: stateOf(n), at: [(r + c) * 0.1, (r + c + 1) * 0.1] as const };
    }),
  );
}

export function fanOut(n: number, stateOf: (n: number) => StepState = () => 'succeeded'): RunFacts {
  const middle = Array.from({ length: n }, (_, i) => ({
    name: `part-${i}`,
    needs: ['split'],
    state: stateOf(i),
    at: [1 + (i % 16) * 0.1, 2 + (i % 16) * 0.1] as const,
  }));
  return runFacts([
    { name: 'split', needs: [], state: 'succeeded', at: [0, 1] },
    ...middle,
    { name: 'join', needs: middle.map(({ name }) => name), state: 'succeeded', at: [4, 5] },
  ]);
}

export function chain(n: number): RunFacts {
  return runFacts(
    Array.from({ length: n }, (_, i) => ({
      name: `step ${i + 1}`,
      state: 'succeeded',
      at: [i, i + 1] as const,
    })),
  );
}
