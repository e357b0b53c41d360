/** What a run counts, and the problems that it tells. */
import { type JobId, type JobRecord, waitsUntil } from '../types/job.ts';

/** Counts of files; every file that was found is in exactly one of the last ones. */
export interface RunCounts {
  found: number;
  succeeded: number;
  cached: number;
  failed: number;
  /** Taken in earlier, by the recipe in force, and well: nothing was read or run. */
  unchanged: number;
  unrouted: number;
  ignored: number;
  quarantined: number;
  cancelled: number;
  open: number;
  /** Of the open ones: a person decides. */
  held: number;
}

export interface RunProblem {
  readonly path: string;
  readonly root: string;
  readonly job_id: JobId;
  readonly state: JobRecord['state'];
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
  /** Of one that waits: until then, where that is known. RFC 3339, UTC. */
  readonly waits_until?: string;
}

const MAX_PROBLEMS = 50;

export class RunTally {
  readonly counts: RunCounts = {
    found: 0,
    succeeded: 0,
    cached: 0,
    failed: 0,
    unchanged: 0,
    unrouted: 0,
    ignored: 0,
    quarantined: 0,
    cancelled: 0,
    open: 0,
    held: 0,
  };
  /** The first ones. */
  readonly problems: RunProblem[] = [];
  problemsTotal = 0;

  disposition(disposition: string | undefined): void {
    if (disposition === 'unrouted' || disposition === 'ignored' || disposition === 'quarantined')
      this.counts[disposition]++;
    else this.counts.unchanged++;
  }

  ended(job: JobRecord): void {
    switch (job.state) {
      case 'succeeded':
      case 'cached':
        this.counts[job.state]++;
        return;
      case 'failed':
        this.counts.failed++;
        return this.problem(job);
      default:
        this.counts.cancelled++;
    }
  }

  problem(job: JobRecord): void {
    const { id, input, state, reason, message, fix } = job;
    const until = waitsUntil(job);
    this.problemsTotal++;
    if (state === 'held') this.counts.held++;
    if (this.problems.length >= MAX_PROBLEMS) return;
    this.problems.push({
      path: input.path,
      root: input.root,
      job_id: id,
      state,
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message }),
      ...(fix !== undefined && { fix }),
      ...(until !== undefined && { waits_until: new Date(until).toISOString() }),
    });
  }
}
