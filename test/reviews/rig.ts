/** Reviews over a ledger on disk and a port for jobs that a test answers: as the coordinator, jobs outlive a restart. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AgentConfig } from '../../src/config/config.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { type FileText, readText } from '../../src/reviews/bounded-file.ts';
import { createReviews, type ReviewerJobs, type ReviewsDeps } from '../../src/reviews/conduct.ts';
import type { ReviewRequest, Reviews } from '../../src/reviews/reviews.ts';
import type { JobId, JobRecord } from '../../src/types/job.ts';
import type { StepTask } from '../../src/types/step-task.ts';
import { agent, reviewsConfig } from './agents.ts';

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-reviews-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a reviewer's job becomes: its answer, or how it ended without one. */
export type Reply = string | (Partial<JobRecord> & { readonly result?: string | Buffer });

export interface Submitted {
  readonly id: JobId;
  readonly agent: string;
  readonly task: StepTask;
}

export class ScriptedReviewers implements ReviewerJobs {
  /** In the order in which they were added; each once. */
  readonly submitted: Submitted[] = [];
  readonly cancelled: JobId[] = [];
  readonly #jobs = new Map<JobId, PromiseWithResolvers<JobRecord>>();
  readonly #results = tempFolder();
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  #following = 0;

  async submitStep(task: StepTask, { id }: { readonly id: JobId }): Promise<JobRecord> {
    if (!this.#jobs.has(id)) {
      this.#jobs.set(id, Promise.withResolvers());
      const name = task.work.kind === 'agent' ? task.work.agents.join() : '';
      this.submitted.push({ id, agent: name, task });
    }
    return { id, state: 'queued' } as JobRecord;
  }

  async follow(id: JobId, signal: AbortSignal): Promise<JobRecord> {
    const job = this.#jobs.get(id);
    if (!job) throw new Error(`there is no job ${id}`);
    this.#following += 1;
    for (const one of this.#waiting) if (one.count <= this.#following) one.resolve();
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => aborted.reject(signal.reason), { once: true });
    if (signal.aborted) throw signal.reason;
    return Promise.race([job.promise, aborted.promise]);
  }

  readResult({ id }: JobRecord, maxBytes: number): Promise<FileText> {
    return readText(join(this.#results, id), maxBytes);
  }

  async cancel(id: JobId): Promise<void> {
    this.cancelled.push(id);
  }

  /** When so many jobs have been followed in all. */
  async followed(count: number): Promise<void> {
    if (this.#following >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ count, resolve });
    await promise;
  }

  reply(name: string, reply: Reply): void {
    const { id } = this.submitted.findLast((one) => one.agent === name) as Submitted;
    const { result, ...facts } = typeof reply === 'string' ? { result: reply } : reply;
    if (result !== undefined) writeFileSync(join(this.#results, id), result);
    const job = { id, state: 'succeeded', costUsd: 0.25, endedAt: 2_000, ...facts };
    this.#jobs.get(id)?.resolve(job as unknown as JobRecord);
  }
}

export interface Rig extends AsyncDisposable {
  readonly reviews: Reviews;
  readonly ledger: Ledger;
  readonly jobs: ScriptedReviewers;
  readonly warnings: string[];
}

export interface RigOptions {
  /** Again with the same: a restart. */
  readonly stateDir?: string;
  readonly jobs?: ScriptedReviewers;
  readonly agents?: readonly AgentConfig[];
  readonly away?: readonly string[];
  readonly redact?: (text: string) => string;
  readonly fileMode?: number;
}

export const author = agent('author');
export const twoOthers = [author, agent('codex-1', { kind: 'codex' }), agent('gemini-1', { kind: 'gemini' })];

export function openRig(o: RigOptions = {}): Rig {
  const { stateDir = tempFolder(), jobs = new ScriptedReviewers(), agents = twoOthers, away = [] } = o;
  const ledger = openSqliteLedger({ stateDir }).ledger;
  const warnings: string[] = [];
  let now = 1_000;
  const deps: ReviewsDeps = {
    ledger,
    jobs,
    agents: () => agents,
    isAvailable: (name) => !away.includes(name),
    redact: o.redact ?? ((text) => text),
    log: { warn: (_data, message) => warnings.push(message) },
    now: () => (now += 1_000),
    ...(o.fileMode !== undefined && { fileMode: () => o.fileMode as number }),
  };
  return {
    reviews: createReviews(deps),
    ledger,
    jobs,
    warnings,
    [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
  };
}

export function request(artifactsDir: string, facts: Partial<ReviewRequest> = {}): ReviewRequest {
  return {
    subject: { kind: 'job', jobId: 'j1', attempt: 1 },
    sessionId: 'j1',
    author: 'author',
    trigger: 'result',
    round: 1,
    work: { title: 'Sum up', task: 'Sum it up.', report: 'It is 4.', diff: '', outputs: [] },
    config: reviewsConfig(),
    artifactsDir,
    depth: 1,
    priority: 7,
    ...facts,
  };
}

export const never = new AbortController().signal;

export function answer(verdict: string, ...findings: readonly object[]): string {
  return JSON.stringify({ verdict, summary: `So I say: ${verdict}.`, findings });
}
