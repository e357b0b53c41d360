/**
 * Starts watching: a thin handle on this side, everything else in a worker thread. Batches are acknowledged when the
 * consumer comes back for the next one, so a slow consumer makes the worker hold back instead of filling memory here.
 */
import type { Worker } from 'node:worker_threads';
import type { RootConfig } from '../config/config.ts';
import type { Change } from '../types/change.ts';
import { messageOf } from '../types/errors.ts';
import { type BootedWorker, createWatchWorker } from './boot.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './protocol.ts';
import type { RootStatus, Watcher, WatchOptions } from './watcher.ts';

const restartMs = 1_000;
const closeMs = 5_000;

/**
 * Starts at once; `watching` and `swept` of the handle say how far it is.
 * @param booted A thread that was started earlier.
 */
export function startWatcher(options: WatchOptions, booted?: BootedWorker): Watcher {
  return new WatchHandle(options, booted);
}

type Item = { readonly changes: readonly Change[] } | { readonly passed: () => void };

class WatchHandle implements Watcher {
  readonly watching: Promise<void>;
  readonly swept: Promise<void>;
  readonly #options: WatchOptions;
  readonly #watching = Promise.withResolvers<void>();
  readonly #swept = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  /** Batches, and between them the places where a sweep has ended. */
  #items: Item[] = [];
  #arrived = Promise.withResolvers<void>();
  readonly #requests = new Map<number, PromiseWithResolvers<void>>();
  #roots: readonly RootConfig[];
  #status: readonly RootStatus[];
  #lastRequest = 0;
  #worker: Worker | undefined;
  #booted: BootedWorker | undefined;
  #restart: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  /** Worker generation: an acknowledgement must not reach the successor. */
  #batchesOf = new WeakMap<readonly Change[], Worker>();

  constructor(options: WatchOptions, booted: BootedWorker | undefined) {
    this.#options = options;
    this.#booted = booted;
    this.#roots = options.roots;
    this.watching = this.#watching.promise;
    this.swept = this.#swept.promise;
    this.#status = options.roots.map(({ name, dir, mode }) => ({
      name,
      dir,
      state: 'starting',
      mode: mode === 'auto' ? 'poll' : mode,
      folders: 0,
      files: 0,
      settling: 0,
    }));
    this.#start();
  }

  async *changes(signal: AbortSignal): AsyncIterable<readonly Change[]> {
    const aborted = Promise.withResolvers<void>();
    const onAbort = () => aborted.resolve();
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted && this.#closing === undefined) {
        const item = this.#items.shift();
        if (item === undefined) {
          await Promise.race([this.#arrived.promise, aborted.promise]);
          this.#arrived = Promise.withResolvers();
        } else if ('passed' in item) {
          item.passed();
        } else {
          try {
            yield item.changes;
          } finally {
            this.#acknowledge(item.changes);
            this.#passMarks();
          }
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  status(): readonly RootStatus[] {
    return this.#status;
  }

  sweep(root?: string): Promise<void> {
    return this.#request((id) => ({ kind: 'sweep', id, ...(root === undefined ? {} : { root }) }));
  }

  update(roots: readonly RootConfig[]): Promise<void> {
    this.#roots = roots;
    return this.#request((id) => ({ kind: 'update', id, roots }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker !== undefined) {
      this.#tell({ kind: 'close' });
      // A hung mount can block the worker for good.
      const timeout = setTimeout(() => this.#closed.resolve(), closeMs);
      await this.#closed.promise;
      clearTimeout(timeout);
      await worker.terminate();
    }
    this.#arrived.resolve();
    this.#watching.resolve();
    this.#swept.resolve();
    for (const request of this.#requests.values()) request.resolve();
    for (const item of this.#items.splice(0)) if ('passed' in item) item.passed();
  }

  #start(): Worker {
    const { excluded, stateDir, ledgerId } = this.#options;
    const setup: WorkerSetup = { roots: this.#roots, excluded, stateDir, ledgerId };
    const worker = this.#booted?.take() ?? createWatchWorker();
    this.#booted = undefined;
    worker.postMessage(setup);
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#hear(worker, message));
    worker.on('error', (error) => this.#failed(worker, error));
    worker.on('exit', () => {
      if (this.#closing !== undefined) this.#closed.resolve();
    });
    return worker;
  }

  /** A fault of ours in the worker: say so, and start another one; its first sweep finds what was missed. */
  #failed(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#closed.resolve();
    if (this.#closing !== undefined) return;
    this.#options.conditions.raise({
      code: 'INTERNAL',
      subject: 'watch',
      message: `The watcher failed and is started again: ${messageOf(error)}`,
      fix: 'Nothing is lost: a sweep follows. If it happens again, please report it with the log.',
    });
    for (const request of this.#requests.values()) request.resolve();
    this.#requests.clear();
    this.#restart = setTimeout(() => this.#start(), restartMs);
  }

  #hear(worker: Worker, message: FromWorker): void {
    const { conditions } = this.#options;
    switch (message.kind) {
      case 'batch':
        this.#batchesOf.set(message.changes, worker);
        return this.#arrive({ changes: message.changes });
      case 'question':
        void this.#answer(worker, message.id, message.root, message.folders);
        return;
      case 'raise':
        return conditions.raise(message.condition);
      case 'clear':
        return conditions.clear(message.code, message.subject);
      case 'status':
        this.#status = message.roots;
        return;
      case 'watching':
        conditions.clear('INTERNAL', 'watch');
        return this.#watching.resolve();
      case 'swept':
        return this.#arrive({ passed: () => this.#swept.resolve() });
      case 'done':
        return this.#arrive({ passed: () => this.#finish(message.id) });
      case 'closed':
        return this.#closed.resolve();
      default:
        return message satisfies never;
    }
  }

  async #answer(worker: Worker, id: number, root: string, folders: readonly string[]): Promise<void> {
    try {
      const known = await this.#options.known(root, folders);
      if (this.#worker === worker) this.#tell({ kind: 'answer', id, known });
    } catch {
      if (this.#worker === worker) this.#tell({ kind: 'answer', id });
    }
  }

  #request(make: (id: number) => ToWorker): Promise<void> {
    if (this.#worker === undefined || this.#closing !== undefined) return Promise.resolve();
    const id = ++this.#lastRequest;
    const request = Promise.withResolvers<void>();
    this.#requests.set(id, request);
    this.#tell(make(id));
    return request.promise;
  }

  #finish(id: number): void {
    this.#requests.get(id)?.resolve();
    this.#requests.delete(id);
  }

  #arrive(item: Item): void {
    this.#items.push(item);
    // With nothing before it, nobody has to come for it.
    this.#passMarks();
    this.#arrived.resolve();
  }

  #passMarks(): void {
    for (let item = this.#items[0]; item !== undefined && 'passed' in item; item = this.#items[0]) {
      this.#items.shift();
      item.passed();
    }
  }

  #acknowledge(batch: readonly Change[]): void {
    if (this.#worker !== undefined && this.#batchesOf.get(batch) === this.#worker)
      this.#tell({ kind: 'ack' });
  }

  #tell(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }
}
