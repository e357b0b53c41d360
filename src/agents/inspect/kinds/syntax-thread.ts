/**
 * The parser of source code in a thread of its own, because nothing else bounds it: some texts (`a<b,` a hundred thousand
 * times, read as TypeScript) take it half a minute and gigabytes without a point where it could be asked to stop. The
 * thread is ended when a text takes too long, when its memory may have grown, and when it had nothing to do for a while.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { entryModule } from '../../../types/module-path.ts';
import { bounds } from '../bounds.ts';
import type { SyntaxFacts } from './syntax.ts';
import type { SyntaxReply, SyntaxRequest } from './syntax-worker.ts';

const idleMs = 10_000;
/** After a longer text, or after this many grammars, a fresh thread takes over: memory of WebAssembly never shrinks. */
const keepBelowChars = 128 * 1024;
const keepGrammars = 5;

export class SyntaxThread {
  #worker: Worker | undefined;
  readonly #grammars = new Set<string>();
  #idle: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * The facts of the first `bounds.codeChars` of `text`; undefined when the parser gave up.
   * @throws `signal.reason` on abort, which ends the thread.
   */
  read(text: string, grammar: string, signal: AbortSignal): Promise<SyntaxFacts | undefined> {
    const turn = this.#last.then(() => this.#read(text.slice(0, bounds.codeChars), grammar, signal));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #read(text: string, grammar: string, signal: AbortSignal): Promise<SyntaxFacts | undefined> {
    signal.throwIfAborted();
    clearTimeout(this.#idle);
    if (this.#grammars.size >= keepGrammars && !this.#grammars.has(grammar)) await this.#end();
    try {
      this.#worker ??= await start(signal);
      this.#grammars.add(grammar);
      const limit = AbortSignal.any([signal, AbortSignal.timeout(bounds.codeParseMs)]);
      this.#worker.postMessage({ text, grammar } satisfies SyntaxRequest);
      const reply = await nextMessage(this.#worker, limit);
      if (text.length > keepBelowChars) await this.#end();
      return 'facts' in reply ? reply.facts : undefined;
    } catch {
      await this.#end();
      signal.throwIfAborted();
      return undefined; // out of time or of memory; the rest of the report does not need the parser
    } finally {
      this.#idle = setTimeout(() => void this.#end(), idleMs).unref();
    }
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#grammars.clear();
    await worker?.terminate();
  }
}

async function start(signal: AbortSignal): Promise<Worker> {
  const worker = new Worker(entryModule('agents/inspect/kinds/syntax-worker'));
  // It must not keep the process alive; a failure is seen by whoever waits for its answer.
  worker.unref();
  worker.on('error', () => undefined);
  try {
    await nextMessage(worker, signal);
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return worker;
}

/** The next message; rejects when the thread ends before, fails, or the signal aborts. */
async function nextMessage(worker: Worker, signal: AbortSignal): Promise<SyntaxReply> {
  const ended = new AbortController();
  const onExit = () => ended.abort();
  worker.once('exit', onExit);
  worker.ref();
  try {
    const [reply] = (await once(worker, 'message', { signal: AbortSignal.any([signal, ended.signal]) })) as [
      SyntaxReply,
    ];
    return reply;
  } finally {
    worker.off('exit', onExit);
    worker.unref();
  }
}
