/** What the engine tells of runs: for the progress of `workflow run`, the log, the page. The ledger knows it already. */
import type { RunId, RunRecord, StepRecord } from '../types/run.ts';

export type RunEvent =
  /** It has begun (or goes on after a restart); not told of runs that wait for their concurrency group. */
  | { readonly type: 'run_started'; readonly run: RunRecord }
  /** Nothing goes on before a person answers. */
  | { readonly type: 'run_waiting'; readonly run: RunRecord }
  | { readonly type: 'run_ended'; readonly run: RunRecord }
  | { readonly type: 'step_started'; readonly runId: RunId; readonly step: StepRecord }
  /** It waits: for a person, for another job, for a back-off. */
  | { readonly type: 'step_waiting'; readonly runId: RunId; readonly step: StepRecord }
  /** In a final state; items of `for_each` are told one by one, then the step itself. */
  | { readonly type: 'step_ended'; readonly runId: RunId; readonly step: StepRecord }
  /** Of `for_each` (items) and `file_processing` (files): at most a few times a second. */
  | {
      readonly type: 'progress';
      readonly runId: RunId;
      readonly step: string;
      readonly counts: Readonly<Record<string, number>>;
    };

export class RunEvents {
  readonly #listeners = new Set<(event: RunEvent) => void>();

  emit(event: RunEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** @returns a function that ends the subscription. */
  subscribe(listener: (event: RunEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
