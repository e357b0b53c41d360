/** One reviewer: its job, from the prompt to a verdict, or to why there is none. It alone answers: nobody stands in. */
import { hash } from 'node:crypto';
import { type AgentConfig, isCliAgent } from '../config/config.ts';
import { messageOf } from '../types/errors.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import type { ReviewRecord, ReviewVerdict } from '../types/review.ts';
import { REVIEWS, type StepTask } from '../types/step-task.ts';
import type { FileText } from './bounded-file.ts';
import type { ReviewsDeps } from './deps.ts';
import { roundName } from './round-name.ts';
import { clean, cutChars } from './texts.ts';
import { readVerdict } from './verdict.ts';
import { VERDICT_SCHEMA_NAME, verdictSchema } from './verdict-schema.ts';

const REASON_CHARS = 500;
/** Longer answers are no reviews. The beginning of one is not taken for it: what it ends with is what counts. */
const ANSWER_BYTES = 1 << 20;

/** Known before the job is there, and the same after a restart. */
export function reviewerJobId(reviewId: string, agent: string): JobId {
  return hash('sha256', `${reviewId}\n${agent}`, 'hex').slice(0, 16);
}

export interface Question {
  readonly record: ReviewRecord;
  /** As it is asked: `missing`, with the id of its job. */
  readonly asked: ReviewVerdict & { readonly jobId: JobId };
  readonly prompt: string;
  readonly priority: number;
  readonly depth: number;
}

/** @throws `signal.reason` on abort, and what the ledger throws. */
export async function askReviewer(
  deps: ReviewsDeps,
  { record, asked, prompt, priority, depth }: Question,
  signal: AbortSignal,
): Promise<ReviewVerdict> {
  signal.throwIfAborted();
  const agent = deps.agents().find(({ name }) => name === asked.agent);
  const task = taskOf(record, asked.agent, agent, prompt);
  await deps.jobs.submitStep(task, { id: asked.jobId, priority, depth, force: false });
  const job = await deps.jobs.follow(asked.jobId, signal);
  return verdictOf(deps, asked, job);
}

function taskOf(
  record: ReviewRecord,
  name: string,
  agent: AgentConfig | undefined,
  prompt: string,
): StepTask {
  // Agents of other kinds may put a fence or prose around their answer, and would fail the check; the verdict is found anyway.
  const isChecked = agent !== undefined && isCliAgent(agent);
  return {
    runId: record.sessionId,
    workflow: REVIEWS,
    step: `${prefixOf(record)}${roundName(record)}-${name}`,
    work: { kind: 'agent', agents: [name], prompt },
    expect: {
      outputs: [],
      ...(isChecked && { jsonSchema: { file: VERDICT_SCHEMA_NAME, schema: verdictSchema } }),
    },
    env: [],
    isShared: false,
  };
}

/** Several steps of a run may be under review at once. */
function prefixOf({ subject }: ReviewRecord): string {
  return subject.kind === 'job' && subject.step !== undefined ? `${subject.step}-` : '';
}

async function verdictOf(deps: ReviewsDeps, asked: ReviewVerdict, job: JobRecord): Promise<ReviewVerdict> {
  const told = { ...asked, costUsd: job.costUsd };
  const isDone = job.state === 'succeeded' || job.state === 'cached';
  // An answer that misses the schema in a detail may still hold a verdict.
  if (!isDone && job.reason !== 'schema_invalid') return missing(deps, told, stateWords(job));
  let answer: FileText;
  try {
    answer = await deps.jobs.readResult(job, ANSWER_BYTES);
  } catch (error) {
    return missing(deps, told, `its answer cannot be read: ${messageOf(error)}`);
  }
  if (answer.kind === 'too_long') return missing(deps, told, `its answer has ${answer.bytes} bytes`);
  if (answer.kind === 'binary') return missing(deps, told, 'its answer is no text');
  const reading = readVerdict(answer.kind === 'text' ? deps.redact(answer.text) : '');
  if (reading.kind === 'invalid') return missing(deps, told, reading.why);
  const { verdict, summary, findings } = reading;
  return { ...told, verdict, summary, findings };
}

function missing({ redact }: ReviewsDeps, told: ReviewVerdict, why: string): ReviewVerdict {
  return { ...told, verdict: 'missing', summary: cutChars(clean(redact(why)), REASON_CHARS), findings: [] };
}

function stateWords({ state, reason, message }: JobRecord): string {
  const why = [reason, message].filter((word) => word !== undefined);
  return `its job is ${state}${why.length === 0 ? '' : `: ${why.join(', ')}`}`;
}
