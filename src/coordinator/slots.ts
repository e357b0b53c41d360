/**
 * How many attempts may run at once: p-queue counts, we only start what has a free slot. A process and a file take one
 * each; a step of a run is no file, and a file whose run goes on is no process.
 */
import PQueue from 'p-queue';
import type { AgentConfig, Config } from '../config/config.ts';

export interface SlotUse {
  readonly limit: number;
  readonly used: number;
  /** The most that were used at once since the start. */
  readonly peak: number;
}

export class Slots {
  readonly #all = new PQueue();
  readonly #files = new PQueue();
  readonly #processes = new PQueue();
  #fileRuns = 0;
  #peak = { files: 0, processes: 0 };

  configure({ maxConcurrentFiles, maxProcesses }: Config['concurrency']): void {
    this.#files.concurrency = maxConcurrentFiles;
    this.#processes.concurrency = maxProcesses;
  }

  /** Whether an attempt of this kind may start now, for a file and for a step. */
  roomFor(kind: AgentConfig['kind']): { readonly files: boolean; readonly steps: boolean } {
    const steps = !isProcess(kind) || free(this.#processes);
    // One place is left to the files that a run may process: otherwise runs could wait for each other for ever.
    const isCrowded = kind === 'workflow' && this.#fileRuns >= Math.max(1, this.#files.concurrency - 1);
    return { steps, files: steps && free(this.#files) && !isCrowded };
  }

  /** How many more files may be in work. */
  get freeFiles(): number {
    return this.#files.concurrency - this.#files.pending - this.#files.size;
  }

  /**
   * Runs `attempt` in a slot; call it only where there is room.
   * @param files Of a batch: each holds a slot until the attempt has ended. 0: it is a step.
   */
  run(kind: AgentConfig['kind'], attempt: () => Promise<void>, files = 1): Promise<void> {
    const process = isProcess(kind) ? () => this.#processes.add(attempt) : attempt;
    // With a single place for files a run must not keep it from its own.
    const places = kind === 'workflow' && this.#files.concurrency === 1 ? 0 : files;
    const done = this.#all.add(places === 0 ? process : () => this.#files.add(process));
    for (let more = 1; more < places; more++) void this.#files.add(() => done.catch(() => {}));
    if (kind === 'workflow') {
      this.#fileRuns++;
      done.then(
        () => this.#fileRuns--,
        () => this.#fileRuns--,
      );
    }
    this.#peak = {
      files: Math.max(this.#peak.files, this.#files.pending),
      processes: Math.max(this.#peak.processes, this.#processes.pending),
    };
    return done as Promise<void>;
  }

  use(): { max_processes: SlotUse; max_concurrent_files: SlotUse } {
    return {
      max_processes: {
        limit: this.#processes.concurrency,
        used: this.#processes.pending,
        peak: this.#peak.processes,
      },
      max_concurrent_files: {
        limit: this.#files.concurrency,
        used: this.#files.pending,
        peak: this.#peak.files,
      },
    };
  }

  async idle(): Promise<void> {
    await this.#all.onIdle();
    await this.#files.onIdle();
  }

  get running(): number {
    return this.#all.pending;
  }
}

function isProcess(kind: AgentConfig['kind']): boolean {
  return kind !== 'http' && kind !== 'workflow';
}

function free(queue: PQueue): boolean {
  return queue.pending + queue.size < queue.concurrency;
}
