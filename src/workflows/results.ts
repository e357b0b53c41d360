/**
 * Results of jobs as texts, bounded: short ones stand in the step's row, longer ones only in their folder, from where an
 * expression may still have them up to a limit.
 */
import { readFile } from 'node:fs/promises';
import { AppError } from '../types/errors.ts';
import type { JobRecord } from '../types/job.ts';
import { fsPath } from '../types/path-bytes.ts';
import type { StepRecord } from '../types/run.ts';
import type { StepJobs } from './deps.ts';

/** Up to this size the text of a result stands in the row. */
export const INLINE_BYTES = 64 * 1024;
/** Up to this size an expression can read it. */
export const READABLE_BYTES = 1024 * 1024;

export interface ResultText {
  readonly bytes: number;
  /** Absent: there is none, or it is too long for its row. */
  readonly text?: string;
}

export async function readResult(jobs: Pick<StepJobs, 'resultOf'>, job: JobRecord): Promise<ResultText> {
  const found = await jobs.resultOf(job);
  if (found?.file === undefined || found.bytes === 0) return { bytes: 0 };
  if (found.bytes > INLINE_BYTES) return { bytes: found.bytes };
  return { bytes: found.bytes, text: await readFile(fsPath(found.file), 'utf8') };
}

/** The whole text of a result that is too long for its row. @throws AppError EXPRESSION when it is too long for that, too. */
export async function readLongResult(
  jobs: Pick<StepJobs, 'resultOf'>,
  job: JobRecord | undefined,
  name: string,
): Promise<string | null> {
  const found = job && (await jobs.resultOf(job));
  if (found?.file === undefined) return null;
  if (found.bytes > READABLE_BYTES) throw tooLong(name, found.bytes);
  return readFile(fsPath(found.file), 'utf8');
}

export function tooLong(name: string, bytes: number): AppError {
  return new AppError('EXPRESSION', `the result of "${name}" has ${bytes} bytes`, {
    fix: `Expressions read results up to ${READABLE_BYTES / 1024 / 1024} MiB: let the step write a file and read that, or declare what you need of it under \`outputs\`.`,
  });
}

/** Outputs that nobody declared: the keys of a result that is a JSON object. */
export function impliedOutputs(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const start = text?.trimStart();
  if (text === undefined || !start?.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Whether something may be missing in the outputs because the result was too long to look into. */
export function wasTooLongForOutputs({ outputs, resultBytes = 0, result }: StepRecord): boolean {
  return outputs === undefined && result === undefined && resultBytes > INLINE_BYTES;
}
