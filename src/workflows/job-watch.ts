/** One subscription to the events of jobs for all runs: who waits for a job is found by its id. */
import type { CoordinatorEvent } from '../coordinator/events.ts';
import type { JobId, JobRecord } from '../types/job.ts';
import type { StepJobs } from './deps.ts';

/** `ended`, or how an open job stands. */
export type JobEvent = Extract<CoordinatorEvent, { type: 'started' | 'waiting' | 'held' | 'ended' }>;

export class JobWatch implements Disposable {
  readonly #listeners = new Map<JobId, Set<(event: JobEvent) => void>>();
  readonly #unsubscribe: () => void;

  constructor(jobs: Pick<StepJobs, 'subscribe'>) {
    this.#unsubscribe = jobs.subscribe((event) => {
      if (
        event.type !== 'ended' &&
        event.type !== 'started' &&
        event.type !== 'waiting' &&
        event.type !== 'held'
      )
        return;
      for (const listener of this.#listeners.get(event.job.id) ?? []) listener(event);
    });
  }

  /** Call before the job can end. Several may watch one job: the same file is wanted by two runs. */
  add(id: JobId, listener: (event: JobEvent) => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(id, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    this.#listeners.clear();
  }
}

export function hasEnded(job: Pick<JobRecord, 'endedAt'>): boolean {
  return job.endedAt !== undefined;
}
