/** The attempts that run: what each works on, and how it is ended from outside. */
import type { Lease } from '../ledger/ledger.ts';
import type { EndReason } from '../types/agent.ts';
import type { JobId, JobRecord } from '../types/job.ts';

interface Running {
  /** All jobs that were claimed for the attempt. */
  readonly leases: readonly Lease[];
  readonly controller: AbortController;
}

export class RunningAttempts {
  /** By the first job of each. */
  readonly #running = new Map<JobId, Running>();
  readonly #cancelled = new Map<JobId, string>();

  get size(): number {
    return this.#running.size;
  }

  /** @returns what ends it. */
  add(leases: readonly Lease[]): AbortSignal {
    const controller = new AbortController();
    this.#running.set(leader(leases), { leases, controller });
    return controller.signal;
  }

  remove(leases: readonly Lease[]): void {
    this.#running.delete(leader(leases));
    for (const { job } of leases) this.#cancelled.delete(job.id);
  }

  /** Jobs whose attempt runs, or has ended without the ledger knowing yet. */
  ids(): readonly JobId[] {
    return [...this.#running.values()].flatMap(({ leases }) => leases.map(({ job }) => job.id));
  }

  has(id: JobId): boolean {
    return this.#of(id) !== undefined;
  }

  worksOn(root: string, path: string): boolean {
    return [...this.#running.values()].some(({ leases }) =>
      leases.some(({ job: { input } }) => input.root === root && input.path === path),
    );
  }

  /** @param id The first job of the attempt. @returns false when there is none. */
  end(id: JobId, reason: EndReason): boolean {
    const running = this.#running.get(id);
    running?.controller.abort(reason);
    return running !== undefined;
  }

  endAll(reason: EndReason): void {
    for (const { controller } of this.#running.values()) controller.abort(reason);
  }

  /**
   * Cancels one job. In a batch the others go on: what comes out for this one is thrown away.
   * @returns false when it does not run.
   */
  cancel(id: JobId, reason: string): boolean {
    const running = this.#of(id);
    if (!running) return false;
    if (running.leases.length > 1) this.#cancelled.set(id, reason);
    else running.controller.abort(reason satisfies EndReason);
    return true;
  }

  /** Why this job of a batch was cancelled while it ran, if it was. */
  cancelled(id: JobId): string | undefined {
    return this.#cancelled.get(id);
  }

  /** Ends what works on an older version of this job's file. In a batch that is found when it has ended. */
  supersede({ id, input }: JobRecord): void {
    for (const { leases, controller } of this.#running.values()) {
      const [only, ...others] = leases;
      if (!only || others.length > 0 || only.job.id === id) continue;
      if (only.job.input.root === input.root && only.job.input.path === input.path)
        controller.abort('superseded' satisfies EndReason);
    }
  }

  #of(id: JobId): Running | undefined {
    const own = this.#running.get(id);
    if (own) return own;
    return [...this.#running.values()].find(({ leases }) => leases.some(({ job }) => job.id === id));
  }
}

function leader([first]: readonly Lease[]): JobId {
  return (first as Lease).job.id;
}
