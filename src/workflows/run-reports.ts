/** When the reports of runs are written: one at a time for each run, and what was asked for meanwhile once more. */
import { messageOf } from '../types/errors.ts';
import type { RunId } from '../types/run.ts';
import type { WorkflowsDeps } from './deps.ts';

/** A run that ends sooner gets its report at its end only. */
const FIRST_AFTER_MS = 1_000;

export class RunReports implements AsyncDisposable {
  readonly #publish: (id: RunId) => Promise<void>;
  readonly #log: WorkflowsDeps['log'];
  readonly #timers = new Map<RunId, NodeJS.Timeout>();
  readonly #writing = new Map<RunId, { again: boolean; readonly done: Promise<void> }>();

  constructor({ publish, log }: Pick<WorkflowsDeps, 'publish' | 'log'>) {
    this.#publish = (id) => publish.run(id);
    this.#log = log;
  }

  /** It goes on: there is something to look at soon. */
  began(id: RunId): void {
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#timers.delete(id);
        void this.write(id);
      }, FIRST_AFTER_MS),
    );
  }

  /** Resolves when a report that tells of now stands there, or could not be written: that is a condition already. */
  write(id: RunId): Promise<void> {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    const writing = this.#writing.get(id);
    if (writing) {
      writing.again = true;
      return writing.done;
    }
    const state = { again: false, done: Promise.resolve() };
    const task = async (): Promise<void> => {
      try {
        do {
          state.again = false;
          await this.#publish(id);
        } while (state.again);
      } catch (error) {
        this.#log.warn({ run: id }, `The reports of run ${id} could not be written: ${messageOf(error)}`);
      } finally {
        this.#writing.delete(id);
      }
    };
    this.#writing.set(id, state);
    state.done = task();
    return state.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all([...this.#writing.values()].map(({ done }) => done));
  }
}
