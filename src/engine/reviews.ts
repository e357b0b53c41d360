/** Reviews with what they need from the others: reviewers as jobs of the coordinator, results from the aggregator. */
import type { Aggregator } from '../aggregator/aggregator.ts';
import { collectOutputs } from '../aggregator/outputs.ts';
import { type Config, isCliAgent } from '../config/config.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { OpenLog } from '../logging/log.ts';
import { readText } from '../reviews/bounded-file.ts';
import { createReviews, type ReviewerJobs } from '../reviews/conduct.ts';
import { JobReviews } from '../reviews/job-reviews.ts';
import type { Reviews } from '../reviews/reviews.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import type { Workspaces } from '../workspace/workspaces.ts';
import { canWork, standingOf } from './agent-standing.ts';
import { cancelUnlessEnded } from './cancel.ts';
import { ownFolders } from './own-folders.ts';
import type { ProjectRecord } from './record.ts';
import type { TierInForce } from './tiers.ts';

export interface OpenReviewsOptions {
  readonly config: () => Config;
  readonly record: Pick<ProjectRecord, 'ledger' | 'conditions'>;
  readonly coordinator: Coordinator;
  readonly aggregator: () => Aggregator;
  readonly workspaces: Pick<Workspaces, 'changesOf'>;
  /** Who of the agent CLIs can work; undefined: nobody has looked yet. */
  readonly tier: () => TierInForce | undefined;
  readonly redact: (text: string) => string;
  readonly log: OpenLog['log'];
}

export interface OpenReviews {
  /** One round of a review: for steps of runs. */
  readonly reviews: Reviews;
  readonly jobs: JobReviews;
}

/** Many jobs are parked at once, without an event for each: one that is followed is read again so often. */
const lookMs = 5_000;
/** A reviewer that waits for longer than this is missing: work is not kept waiting until tomorrow for an opinion. */
const patienceMs = 120_000;

export function openReviews(o: OpenReviewsOptions): OpenReviews {
  const { config, coordinator, redact, log } = o;
  const { ledger, conditions } = o.record;
  const reviews = createReviews({
    ledger,
    jobs: reviewerJobs(o),
    agents: () => [...config().agents.values()],
    isAvailable: (name) => isAvailable(o, name),
    ...{ redact, log, now: Date.now },
    fileMode: () => config().output.fileMode,
  });
  const jobs = new JobReviews({
    ...{ config, ledger, coordinator, reviews, conditions, redact, log, now: Date.now },
    changesOf: (dir) => o.workspaces.changesOf(dir),
    outputsIn: (dir) => collectOutputs(dir),
    ownFolders: () => ownFolders(config()),
  });
  return { reviews, jobs };
}

function reviewerJobs({ coordinator, aggregator, record }: OpenReviewsOptions): ReviewerJobs {
  return {
    submitStep: (task, how) => coordinator.submitStep(task, how),
    async follow(id, signal) {
      const job = await follow(coordinator, record.ledger.jobs, id, signal);
      // Nobody waits for it any more: it is not to ask for an answer, or to be paid, later.
      if (job.endedAt === undefined)
        await cancelUnlessEnded(coordinator, id, 'the review goes on without it');
      return job;
    },
    cancel: (id, reason) => cancelUnlessEnded(coordinator, id, reason),
    async readResult(job, maxBytes) {
      const file = (await aggregator().locate(job))?.resultFile;
      return file === undefined ? { kind: 'none' } : readText(file, maxBytes);
    },
  };
}

function follow(
  { events }: Pick<Coordinator, 'events'>,
  jobs: { get(id: JobId): Promise<JobRecord | undefined> },
  id: JobId,
  signal: AbortSignal,
): Promise<JobRecord> {
  return new Promise<JobRecord>((resolve, reject) => {
    const stop = (): void => {
      unsubscribe();
      clearInterval(timer);
      signal.removeEventListener('abort', abort);
    };
    const abort = (): void => {
      stop();
      reject(signal.reason);
    };
    const take = (job: JobRecord | undefined): void => {
      if (!job || (job.endedAt === undefined && !isStuck(job))) return;
      stop();
      resolve(job);
    };
    const unsubscribe = events.subscribe((event) => {
      if ('job' in event && event.job.id === id) take(event.job);
    });
    const timer = setInterval(() => jobs.get(id).then(take, () => {}), lookMs).unref();
    signal.addEventListener('abort', abort);
    if (signal.aborted) return abort();
    // It may be over already.
    jobs.get(id).then(take, (error: unknown) => {
      stop();
      reject(error);
    });
  });
}

/** It needs a person, or something that does not come soon. */
function isStuck({ state, reason, notBefore = Number.POSITIVE_INFINITY }: JobRecord): boolean {
  if (state !== 'waiting') return state === 'held';
  if (comesByItself.has(reason)) return false;
  return !hasTime.has(reason) || notBefore - Date.now() > patienceMs;
}

/** What others who run end by running, and a command that it asks a person to allow, for which its time-out counts. */
const comesByItself: ReadonlySet<JobRecord['reason']> = new Set(['single_flight', 'batch', 'approval']);
/** What is over at a time that is known. */
const hasTime: ReadonlySet<JobRecord['reason']> = new Set(['backoff', 'quota', 'rate_limit', 'breaker']);

function isAvailable({ config, coordinator, tier }: OpenReviewsOptions, name: string): boolean {
  const agent = config().agents.get(name);
  if (!agent) return false;
  const parked = coordinator.parked().get(name);
  const breaker = agent.breaker && coordinator.breaker(name);
  if (!canWork(standingOf({ parked, breaker, now: Date.now() }))) return false;
  // Whether a CLI is installed and logged in was asked when the tier was looked at: asking it now would take seconds.
  const inForce = tier();
  return !isCliAgent(agent) || inForce === undefined || inForce.agents.includes(name);
}
