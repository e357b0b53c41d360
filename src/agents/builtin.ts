/**
 * Kind `builtin`: the `inspect` agent, in one worker thread that is started when it is needed and ended when it was idle
 * for a while. One file at a time: a time-out ends the thread, and must hit nobody else. A process of its own would
 * cost 50 MB and protect from nothing that a thread does not.
 */
import { writeFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { plainReport } from '../sandbox/report.ts';
import type { AgentCall, AgentResult, AgentRunner, AttemptOutcome } from '../types/agent.ts';
import { messageOf } from '../types/errors.ts';
import { entryModule } from '../types/module-path.ts';
import type { WorkerAnswer, WorkerRequest } from './builtin-worker.ts';
import { outputFiles } from './command-output.ts';
import type { Redactor } from './ports.ts';
import { reasonOf } from './spawner/spawner.ts';

export interface BuiltinRunnerOptions {
  readonly redactor: Redactor;
  /** The thread's entry file; another one is for tests. */
  readonly worker?: URL;
  /** Default 10 s. */
  readonly idleMs?: number;
}

export interface BuiltinRunner extends Pick<AgentRunner, 'run'>, AsyncDisposable {
  /** Whether the thread runs now. */
  readonly isRunning: boolean;
}

/** Memory of the thread: what goes beyond ends it, not the daemon. */
const resourceLimits = { maxOldGenerationSizeMb: 512 };

export function createBuiltinRunner(options: BuiltinRunnerOptions): BuiltinRunner {
  return new InspectRunner(options);
}

class InspectRunner implements BuiltinRunner {
  readonly #redactor: Redactor;
  readonly #entry: URL;
  readonly #idleMs: number;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** The end of the line: each call waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();

  constructor({ redactor, worker, idleMs = 10_000 }: BuiltinRunnerOptions) {
    this.#redactor = redactor;
    this.#entry = worker ?? entryModule('agents/builtin-worker');
    this.#idleMs = idleMs;
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /** The time-out counts from when it is this file's turn. */
  run(call: AgentCall, signal: AbortSignal): Promise<AgentResult> {
    return this.#inTurn(() => this.#inspect(call, signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle);
    await this.#stop();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #inspect(call: AgentCall, signal: AbortSignal): Promise<AgentResult> {
    const startedAt = Date.now();
    const { timeoutMs, maxOutputBytes } = call.agent;
    const end = (
      outcome: AttemptOutcome,
      stderrTail = '',
      file: { resultFile?: string; resultBytes: number } = { resultBytes: 0 },
    ) => ({
      ...{ outcome, startedAt, endedAt: Date.now(), ...file, events: 0, costUsd: null },
      stderrTail: this.#redactor.redact(stderrTail),
      sandbox: plainReport(call.agent.sandbox),
      limits: {},
    });
    if (signal.aborted) return end({ kind: 'cancelled', reason: reasonOf(signal) });
    const { file: path, path: rel, bytes } = call.input;
    const answer = await this.#inTime({ path, rel, bytes }, timeoutMs, signal);
    if ('aborted' in answer)
      return end(
        signal.aborted
          ? { kind: 'cancelled', reason: reasonOf(signal) }
          : { kind: 'timed_out', afterMs: timeoutMs },
      );
    if ('error' in answer) return end({ kind: 'exited', exitCode: 1 }, answer.error.slice(-4096));
    const text = this.#redactor.redact(answer.text);
    const resultBytes = Buffer.byteLength(text);
    if (resultBytes > maxOutputBytes) return end({ kind: 'output_exceeded', maxBytes: maxOutputBytes });
    if (resultBytes === 0) return end({ kind: 'exited', exitCode: 0 });
    const resultFile = outputFiles(call.workDir).result;
    await writeFile(resultFile, text, { mode: 0o600 });
    return end({ kind: 'exited', exitCode: 0 }, '', { resultFile, resultBytes });
  }

  /** `AbortSignal.timeout` would leave a timer behind for each file, until its time is over. */
  async #inTime(request: WorkerRequest, timeoutMs: number, signal: AbortSignal) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      return await this.#ask(request, AbortSignal.any([signal, late.signal]));
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(
    request: WorkerRequest,
    signal: AbortSignal,
  ): Promise<WorkerAnswer | { readonly aborted: true }> {
    clearTimeout(this.#idle);
    this.#worker ??= new Worker(this.#entry, { resourceLimits, stdout: false, env: {} });
    const worker = this.#worker;
    const { promise, resolve } = Promise.withResolvers<WorkerAnswer | { readonly aborted: true }>();
    const onMessage = (answer: WorkerAnswer) => resolve(answer);
    const onError = (error: unknown) =>
      resolve({ error: `The inspection ended with a fault: ${messageOf(error)}` });
    const onExit = () => resolve({ error: 'The inspection ended unexpectedly' });
    const onAbort = () => resolve({ aborted: true });
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    signal.addEventListener('abort', onAbort, { once: true });
    worker.postMessage(request);
    const answer = await promise;
    signal.removeEventListener('abort', onAbort);
    worker.off('message', onMessage).off('exit', onExit);
    if ('text' in answer) {
      worker.off('error', onError);
      this.#idle = setTimeout(() => void this.#stop(), this.#idleMs).unref();
    } else await this.#stop();
    return answer;
  }

  async #stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
