/** A project in a temporary folder with a real ledger, and jobs that have ended as the coordinator would end them. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type AggregatorOptions, createAggregator } from '../../src/aggregator/aggregator.ts';
import { walkEntries } from '../../src/aggregator/move.ts';
import { collectOutputs } from '../../src/aggregator/outputs.ts';
import type { Config } from '../../src/config/config.ts';
import type { JobEnd, JobSpec } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import type { Condition } from '../../src/types/condition.ts';
import type { AttemptRecord, JobRecord } from '../../src/types/job.ts';
import { fsPath } from '../../src/types/path-bytes.ts';

/** In memory where that can be had: these tests are about names and order, not about the disk. */
export const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export interface Made {
  readonly result?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly stderr?: string;
}

export interface JobOptions {
  readonly root?: string;
  readonly state?: JobEnd['state'];
  readonly end?: Partial<JobEnd>;
  readonly bytes?: number;
}

export function createRig(output: Partial<Config['output']> = {}) {
  const dir = realpathSync(mkdtempSync(join(memory, 'sluice-aggregator-')));
  const stateDir = join(dir, '.sluice');
  const clock = { now: Date.parse('2026-11-20T10:00:00Z'), jobs: 0 };
  const { ledger } = openSqliteLedger({ stateDir, now: () => clock.now });
  const conditions = new Map<string, Omit<Condition, 'since'>>();
  const options: AggregatorOptions = {
    output: {
      dir: join(dir, 'processed'),
      preserveOriginal: true,
      logLevel: 'info',
      retentionMs: 30 * 86_400_000,
      retentionJobs: Number.POSITIVE_INFINITY,
      fileMode: 0o644,
      ...output,
    },
    projectDir: dir,
    stateDir,
    ledger,
    redact: (text) => text.replaceAll('hunter2', '***'),
    conditions: {
      raise: (condition) => void conditions.set(`${condition.code} ${condition.subject}`, condition),
      clear: (code, subject) => void conditions.delete(`${code} ${subject ?? ''}`),
    },
    now: () => clock.now,
  };

  /** A job in its final state, as the ledger gives it, and the folder of its attempt. */
  const endJob = async (
    path: string,
    made: Made,
    o: JobOptions = {},
  ): Promise<{ job: JobRecord; workDir: string }> => {
    const root = o.root ?? 'inbox';
    clock.jobs += 1;
    clock.now += 1000;
    const id = `job-${String(clock.jobs).padStart(4, '0')}`;
    const workDir = join(stateDir, 'work', id, '1');
    mkdirSync(join(workDir, 'outputs'), { recursive: true });
    if (made.result !== undefined) writeFileSync(join(workDir, 'result.md'), made.result);
    if (made.stderr !== undefined) writeFileSync(join(workDir, 'stderr'), made.stderr);
    for (const [name, text] of Object.entries(made.outputs ?? {})) {
      const file = join(workDir, 'outputs', name);
      mkdirSync(fsPath(dirname(file)), { recursive: true });
      writeFileSync(fsPath(file), text);
    }
    const outputs = await collectOutputs(join(workDir, 'outputs'));
    const input = { root, path, sha256: sha256(path), bytes: o.bytes ?? 1, stamp: `1-1-${clock.jobs}` };
    const state = o.state ?? 'succeeded';
    await ledger.files.put({
      root,
      path,
      stamp: input.stamp,
      bytes: 1,
      jobId: id,
      seenAt: clock.now,
      gone: false,
    });
    const spec = { id, input, rule: 'all', agent: 'sum', key: `key-${id}`, priority: 0, depth: 0 };
    const end = { state, outputs, proof: ['exit_code' as const], ...o.end };
    const job = state === 'cached' ? await ledger.jobs.record(spec, end) : await run(spec, end);
    const disposition = state === 'succeeded' ? 'processed' : state === 'cached' ? 'cached' : 'failed';
    await ledger.files.setDisposition(root, path, id, disposition);
    return { job, workDir };
  };

  const run = async (spec: JobSpec, end: JobEnd): Promise<JobRecord> => {
    await ledger.jobs.enqueue(spec);
    const limits = new Map([[spec.agent, 1]]);
    const [lease] = await ledger.jobs.claim({ max: 1, limits, worker: 'test', leaseMs: 60_000 });
    if (lease === undefined) throw new Error(`job ${spec.id} could not be claimed`);
    const startedAt = clock.now;
    clock.now += 500;
    const attempt: AttemptRecord = {
      n: lease.token,
      agent: spec.agent,
      startedAt,
      endedAt: clock.now,
      outcome: 'exited',
      exitCode: 0,
      sandbox: { mode: 'auto' },
      limits: { timeout: '10m' },
      events: 0,
    };
    await ledger.jobs.attempted(lease, attempt, true);
    const ended = await ledger.jobs.end(lease, end);
    if (ended === undefined) throw new Error(`job ${spec.id} lost its lease`);
    return ended;
  };

  return {
    dir,
    stateDir,
    output: options.output.dir,
    ledger,
    clock,
    conditions,
    options,
    endJob,
    start: (more: Partial<AggregatorOptions> = {}) => createAggregator({ ...options, ...more }),
    async [Symbol.asyncDispose]() {
      await ledger[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type Rig = ReturnType<typeof createRig>;

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Every file below a folder with its text: `{ 'a/b': 'text' }`. */
export function treeOf(dir: string): Record<string, string> {
  if (!existsSync(dir)) return {};
  const files = [...walkEntries(dir)].filter(({ regular }) => regular);
  return Object.fromEntries(files.map(({ path, file }) => [path, readFileSync(file, 'utf8')]));
}
