/**
 * What happened in the runs of this process, step by step, for whoever follows one: the last of it, numbered, so that a
 * reader asks for what came after the number it saw last.
 */
import type { StepRecord } from '../../types/run.ts';
import type { RunEvent } from '../../workflows/events.ts';

export interface ProgressLine {
  readonly n: number;
  readonly step: string;
  readonly what: 'started' | 'waiting' | 'ended';
  readonly state: string;
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
  /** A person is asked. */
  readonly asks?: true;
  readonly duration_ms?: number;
}

export interface Progress {
  readonly lines: readonly ProgressLine[];
  /** Of steps with many items or files: how far they are. */
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** A reader that comes every few tenths of a second misses nothing of what people can read. */
const KEPT_LINES = 2_000;
const KEPT_RUNS = 200;

interface Told {
  n: number;
  lines: ProgressLine[];
  readonly counts: Record<string, Readonly<Record<string, number>>>;
}

export class RunProgress {
  readonly #runs = new Map<string, Told>();

  /** Items of `for_each` are counted, not told, unless they ask a person. */
  see(event: RunEvent): void {
    if (event.type === 'run_started' || event.type === 'run_ended' || event.type === 'run_waiting') return;
    const run = this.#of(event.runId);
    if (event.type === 'progress') {
      run.counts[event.step] = { ...event.counts };
      return;
    }
    const { step } = event;
    const isItem = step.index !== undefined;
    const asks = event.type === 'step_waiting' && isAsking(step);
    if (isItem && !asks) return;
    const what =
      event.type === 'step_started' ? 'started' : event.type === 'step_waiting' ? 'waiting' : 'ended';
    if (what === 'ended') delete run.counts[step.name];
    run.lines.push({
      n: ++run.n,
      step: isItem ? step.id : step.name,
      what,
      state: step.state,
      ...(step.reason !== undefined && { reason: step.reason }),
      ...(step.message !== undefined && { message: step.message }),
      ...(step.fix !== undefined && { fix: step.fix }),
      ...(asks && { asks: true }),
      ...(step.startedAt !== undefined &&
        step.endedAt !== undefined && { duration_ms: Math.max(0, step.endedAt - step.startedAt) }),
    });
    if (run.lines.length > KEPT_LINES) run.lines.splice(0, run.lines.length - KEPT_LINES);
  }

  after(runId: string, n: number): Progress {
    const run = this.#runs.get(runId);
    if (!run) return { lines: [], counts: {} };
    return { lines: run.lines.filter((line) => line.n > n), counts: run.counts };
  }

  #of(runId: string): Told {
    const known = this.#runs.get(runId);
    if (known) return known;
    const run: Told = { n: 0, lines: [], counts: {} };
    this.#runs.set(runId, run);
    const oldest = this.#runs.size > KEPT_RUNS ? this.#runs.keys().next().value : undefined;
    if (oldest !== undefined) this.#runs.delete(oldest);
    return run;
  }
}

/** An approval, or a step that called a run in which there is one. */
function isAsking({ jobId, subRunId, reason }: StepRecord): boolean {
  return jobId === undefined && (subRunId === undefined || reason === 'approval');
}
