/**
 * The daemon's side of the helper process that starts commands. Node forks to start a process, which costs the big daemon
 * 11 ms of its event loop each time; here a start is one write to a pipe. When the helper dies it is started anew: what
 * ran ends as `interrupted`, after its processes were ended.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Conditions } from '../../types/condition.ts';
import { AppError, messageOf } from '../../types/errors.ts';
import { endedBy, endReasonOf } from './end-reason.ts';
import { type HelperLink, startHelper } from './helper-link.ts';
import { readAttemptsJournal, type Settled } from './journal.ts';
import { endLeftovers } from './leftovers.ts';
import type { LimitsBackendName } from './limits/cage.ts';
import { managerEnvironment } from './limits/systemd-run.ts';
import type { FromHelper, HelperOptions, SpawnExit, StartRequest, ToHelper } from './protocol.ts';

export { endedBy, endReasonOf, reasonOf } from './end-reason.ts';
export { type JournalEntry, readAttemptsJournal, type Settled } from './journal.ts';
export { endLeftovers } from './leftovers.ts';
export type { LimitsBackendName } from './limits/cage.ts';
export { limitsProblem } from './limits/problem.ts';
export type { SpawnExit, StartRequest } from './protocol.ts';

export interface SpawnerOptions {
  /** Exists; the journal is kept in it. */
  readonly stateDir: string;
  /** Names the project in the environment of all its processes. */
  readonly tag: string;
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
  readonly conditions: Conditions;
  readonly way?: HelperOptions['way'];
  /** Default `auto`. */
  readonly limits?: HelperOptions['limits'];
}

export interface Spawner extends AsyncDisposable {
  /** Pid of the helper process. */
  readonly pid: number | undefined;
  /** What holds attempts within their CPU and memory limits here. */
  readonly limitsBackend: LimitsBackendName;
  /** Runs one command; resolves when nothing of its process tree is left. Aborting `signal` ends the tree. Never rejects. */
  run(request: StartRequest, signal: AbortSignal): Promise<SpawnExit>;
  /** Drops from the journal what is in the ledger. */
  checkpoint(settled: Settled): Promise<void>;
}

interface Running {
  readonly request: StartRequest;
  readonly startedAt: number;
  readonly done: (exit: SpawnExit) => void;
}

/** Waits between tries to bring the helper back. */
const restartDelaysMs = [0, 100, 1_000, 5_000, 15_000];

/** @throws {AppError} `SPAWNER_FAILED` when the helper cannot be started. */
export async function openSpawner(options: SpawnerOptions): Promise<Spawner> {
  const spawner = new HelperSpawner(options);
  await spawner.open();
  return spawner;
}

class HelperSpawner implements Spawner {
  readonly #options: SpawnerOptions;
  readonly #running = new Map<number, Running>();
  readonly #checkpoints = new Map<number, (error?: string) => void>();
  readonly #closed = new AbortController();
  #link: HelperLink | undefined;
  #limitsBackend: LimitsBackendName = 'watched';
  /** Settles when there is a helper again; set while there is none. */
  #restarting: Promise<void> | undefined;
  #lastId = 0;

  constructor(options: SpawnerOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#link?.pid;
  }

  get limitsBackend(): LimitsBackendName {
    return this.#limitsBackend;
  }

  async open(): Promise<void> {
    const { stateDir, tag, graceMs, way = 'auto', limits = 'auto' } = this.#options;
    this.#link = await startHelper({
      options: { stateDir, tag, graceMs, way, limits, managerEnv: managerEnvironment() },
      onMessage: (message) => this.#hear(message),
      onLost: () => {
        if (!this.#closed.signal.aborted) this.#restarting = this.#restart();
      },
    });
    this.#limitsBackend = this.#link.limitsBackend;
  }

  async run(request: StartRequest, signal: AbortSignal): Promise<SpawnExit> {
    const startedAt = Date.now();
    while (this.#restarting !== undefined && !signal.aborted)
      await Promise.race([this.#restarting, once(signal, 'abort')]);
    const link = this.#link;
    if (signal.aborted) return ended(endedBy(endReasonOf(signal)), startedAt);
    if (link === undefined || this.#closed.signal.aborted) return ended({ kind: 'interrupted' }, startedAt);
    this.#lastId += 1;
    const id = this.#lastId;
    const cancel = () => this.#say({ op: 'cancel', id, reason: endReasonOf(signal) });
    try {
      return await new Promise<SpawnExit>((done) => {
        this.#running.set(id, { request, startedAt, done });
        signal.addEventListener('abort', cancel, { once: true });
        link.send({ op: 'start', id, request });
      });
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#running.delete(id);
    }
  }

  async checkpoint(settled: Settled): Promise<void> {
    while (this.#restarting !== undefined) await this.#restarting;
    if (this.#link === undefined) return;
    this.#lastId += 1;
    const id = this.#lastId;
    const error = await new Promise<string | undefined>((done) => {
      this.#checkpoints.set(id, done);
      this.#say({ op: 'checkpoint', id, settled });
    });
    if (error !== undefined) {
      const fix = 'Make room on the disk that holds `.sluice/`, or check the permissions of that folder.';
      throw new AppError('DISK_FULL', `Cannot shorten attempts.journal: ${error}`, { fix });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#restarting;
    const link = this.#link;
    this.#link = undefined;
    await link?.close();
    for (const { done, startedAt } of this.#running.values()) done(ended({ kind: 'interrupted' }, startedAt));
    this.#releaseCheckpoints();
  }

  #say(message: ToHelper): void {
    this.#link?.send(message);
  }

  #hear(message: FromHelper): void {
    if (message.op === 'exit') this.#running.get(message.id)?.done(message.exit);
    if (message.op === 'checkpointed') {
      this.#checkpoints.get(message.id)?.(message.error);
      this.#checkpoints.delete(message.id);
    }
  }

  async #restart(): Promise<void> {
    this.#link = undefined;
    this.#releaseCheckpoints();
    const lost = [...this.#running.values()];
    const { stateDir, tag, conditions } = this.#options;
    await endLeftovers(tag);
    // What the helper had written down before it died did end by itself.
    const known = await readAttemptsJournal(stateDir).catch(() => []);
    for (const { request, startedAt, done } of lost) {
      const entry = known.findLast(
        ({ job, n, exit }) => job === request.job && n === request.n && exit.startedAt >= startedAt,
      );
      done(entry?.exit ?? ended({ kind: 'interrupted' }, startedAt));
    }
    for (let tries = 0; !this.#closed.signal.aborted; tries += 1) {
      try {
        await sleep(restartDelaysMs[Math.min(tries, restartDelaysMs.length - 1)], undefined, {
          signal: this.#closed.signal,
        });
        await this.open();
        this.#restarting = undefined;
        conditions.clear('SPAWNER_FAILED');
        return;
      } catch (error) {
        if (this.#closed.signal.aborted) return;
        const fix = error instanceof AppError ? error.fix : 'See the log for details.';
        conditions.raise({ code: 'SPAWNER_FAILED', subject: '', message: messageOf(error), fix });
      }
    }
  }

  #releaseCheckpoints(): void {
    for (const done of this.#checkpoints.values()) done();
    this.#checkpoints.clear();
  }
}

function ended(outcome: SpawnExit['outcome'], startedAt: number): SpawnExit {
  return { outcome, startedAt, endedAt: Date.now(), stdoutBytes: 0, stderrBytes: 0 };
}
