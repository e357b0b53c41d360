/**
 * The watch worker's thread, started before anybody knows what it will watch: its modules load beside ours, which is a
 * fifth of the time from the start of a daemon to its first sweep.
 */
import { Worker } from 'node:worker_threads';
import { entryModule } from '../types/module-path.ts';

export interface BootedWorker extends AsyncDisposable {
  /** Hands the thread over: it is the taker's to end. */
  take(): Worker;
}

export function bootWatchWorker(): BootedWorker {
  let worker: Worker | undefined = createWatchWorker();
  return {
    take() {
      if (!worker) throw new TypeError('the worker was taken already');
      const taken = worker;
      worker = undefined;
      return taken;
    },
    async [Symbol.asyncDispose]() {
      await worker?.terminate();
    },
  };
}

/** Waits for a `setup` message. */
export function createWatchWorker(): Worker {
  return new Worker(entryModule('watch/worker'), {
    name: 'sluice-watch',
    // The young generation would grow to 64 MiB during a sweep and never be given back.
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
    // The inotify descriptor comes from FFI and is closed through node:fs, which Node would warn about.
    trackUnmanagedFds: false,
  });
}
