/** A round as files: JSON for programs, Markdown for people. By rename, so that nobody reads half of one. */
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fsPath } from '../types/path-bytes.ts';
import type { ReviewRecord } from '../types/review.ts';
import type { ReviewWork } from './reviews.ts';
import { isLive, roundFile } from './round-name.ts';
import { roundPage } from './round-page.ts';
import { cutChars } from './texts.ts';

/** What it told so far stands nowhere else in a form that lasts. */
const TOLD_CHARS = 20_000;

export function hasArtifacts(dir: string, record: ReviewRecord): boolean {
  return (['json', 'md'] as const).every((extension) => existsSync(fsPath(fileOf(dir, record, extension))));
}

/** @throws The system's error. */
export function writeArtifacts(dir: string, record: ReviewRecord, work: ReviewWork, mode: number): void {
  mkdirSync(fsPath(dir), { recursive: true });
  const data = JSON.stringify(roundData(record, work), undefined, 2);
  replace(fileOf(dir, record, 'json'), `${data}\n`, mode);
  replace(fileOf(dir, record, 'md'), roundPage(record, work), mode);
}

function fileOf(dir: string, record: ReviewRecord, extension: 'json' | 'md'): string {
  return join(dir, roundFile(record, extension));
}

function replace(file: string, text: string, mode: number): void {
  const part = join(dirname(file), `.${randomUUID()}.part`);
  try {
    writeFileSync(fsPath(part), text, { flag: 'wx', mode });
    // The umask of the process may have taken away what the configuration gives.
    chmodSync(fsPath(part), mode);
    renameSync(fsPath(part), fsPath(file));
  } finally {
    rmSync(fsPath(part), { force: true });
  }
}

/** In files: snake_case, RFC 3339. */
export function roundData(record: ReviewRecord, work: ReviewWork): object {
  const { subject, startedAt, endedAt, decision, why, name } = record;
  return {
    schema: 1,
    id: record.id,
    session_id: record.sessionId,
    subject:
      subject.kind === 'job'
        ? {
            kind: 'job',
            job_id: subject.jobId,
            attempt: subject.attempt,
            ...(subject.step !== undefined && { step: subject.step }),
          }
        : {
            kind: 'step',
            run_id: subject.runId,
            workflow: subject.workflow,
            step: subject.step,
            job_id: subject.jobId,
          },
    author: record.author,
    trigger: record.trigger,
    ...(name !== undefined && { name }),
    round: record.round,
    started_at: new Date(startedAt).toISOString(),
    ...(endedAt !== undefined && {
      ended_at: new Date(endedAt).toISOString(),
      duration_ms: endedAt - startedAt,
    }),
    work: {
      title: work.title,
      sha256: record.workSha256,
      report_bytes: Buffer.byteLength(work.report),
      ...(isLive(record) && { told: cutChars(work.report, TOLD_CHARS) }),
      diff_bytes: Buffer.byteLength(work.diff),
      outputs: work.outputs.map(({ path, bytes }) => ({ path, bytes })),
    },
    verdicts: record.verdicts.map(({ agent, weight, verdict, summary, findings, jobId, costUsd }) => ({
      ...{ agent, weight, verdict, summary, findings },
      ...(jobId !== undefined && { job_id: jobId }),
      cost_usd: costUsd,
    })),
    decision,
    why,
    is_revised: record.isRevised ?? false,
  };
}
