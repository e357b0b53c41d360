/** How many attempts may run at once: p-queue counts, we only start what has a free slot. */
import PQueue from 'p-queue';
import type { AgentConfig, Config } from '../config/config.ts';

export interface SlotUse {
  readonly limit: number;
  readonly used: number;
  /** The most that were used at once since the start. */
  readonly peak: number;
}

export class Slots {
  readonly #files = new PQueue();
  readonly #processes = new PQueue();
  #peak = { files: 0, processes: 0 };

  configure({ maxConcurrentFiles, maxProcesses }: Config['concurrency']): void {
    this.#files.concurrency = maxConcurrentFiles;
    this.#processes.concurrency = maxProcesses;
  }

  /** Whether an attempt of this kind may start now. */
  hasRoom(kind: AgentConfig['kind']): boolean {
    return free(this.#files) && (kind === 'http' || free(this.#processes));
  }

  /** How many more files may be in work. */
  get freeFiles(): number {
    return this.#files.concurrency - this.#files.pending - this.#files.size;
  }

  /**
   * Runs `attempt` in a slot; call it only where there is room.
   * @param files Of a batch: each holds a slot until the attempt has ended.
   */
  run(kind: AgentConfig['kind'], attempt: () => Promise<void>, files = 1): Promise<void> {
    const done = this.#files.add(kind === 'http' ? attempt : () => this.#processes.add(attempt));
    for (let more = 1; more < files; more++) void this.#files.add(() => done.catch(() => {}));
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
    await this.#files.onIdle();
  }

  get running(): number {
    return this.#files.pending;
  }
}

function free(queue: PQueue): boolean {
  return queue.pending + queue.size < queue.concurrency;
}
