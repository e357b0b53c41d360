/** The thread in which `inspect` runs: parsers may take long or crash on what they are given, and the daemon must not. */
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';
import { inspect } from './inspect/inspect.ts';

export interface WorkerRequest {
  readonly path: string;
  readonly rel: string;
  readonly bytes: number;
}

export type WorkerAnswer = { readonly text: string } | { readonly error: string };

parentPort?.on('message', (request: WorkerRequest) => {
  void answer(request).then((result) => parentPort?.postMessage(result satisfies WorkerAnswer));
});

async function answer(request: WorkerRequest): Promise<WorkerAnswer> {
  try {
    const { path, rel, bytes } = request;
    // Time-outs and cancels end the whole thread: parsers do not look at a signal.
    return { text: await inspect({ path: fsPath(path), rel, bytes }, new AbortController().signal) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}
