/** What the coordinator tells: listeners are handed in by the composition root (log, progress of a run, overview). */
import type { AgentCall, AgentEvent } from '../types/agent.ts';
import type { Fallback, JobId, JobRecord } from '../types/job.ts';

export type CoordinatorEvent =
  | { readonly type: 'queued'; readonly job: JobRecord }
  /** `call`: what its agent gets; of the first job of a batch only. The others name that one: `with`. */
  | {
      readonly type: 'started';
      readonly job: JobRecord;
      readonly attempt: number;
      readonly call?: AgentCall;
      readonly with?: JobId;
    }
  /** It will go on by itself: after a back-off, or when what it waits for comes. */
  | { readonly type: 'waiting'; readonly job: JobRecord }
  /** An agent CLI tells of its work while it goes on. */
  | { readonly type: 'agent_event'; readonly job: JobRecord; readonly event: AgentEvent }
  /** Its work has its proof and waits for its review; `call` says where it is. */
  | { readonly type: 'review_wanted'; readonly job: JobRecord; readonly call: AgentCall }
  /** It has another agent now. */
  | {
      readonly type: 'fell_back';
      readonly job: JobRecord;
      readonly from: string;
      readonly reason: Fallback['reason'];
    }
  /** It will not go on before a person says so. */
  | { readonly type: 'held'; readonly job: JobRecord }
  /** Lines of a batch's `results.jsonl` that say nothing about one of its files. */
  | { readonly type: 'strange_results'; readonly job: JobRecord; readonly lines: number }
  | { readonly type: 'ended'; readonly job: JobRecord }
  | { readonly type: 'idle' };

export class CoordinatorEvents {
  readonly #listeners = new Set<(event: CoordinatorEvent) => void>();

  emit(event: CoordinatorEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** @returns a function that ends the subscription. */
  subscribe(listener: (event: CoordinatorEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
