/**
 * Listens to an attempt while it runs: what it has spent, whether it is stuck, whether it runs what is blocked. Reads the
 * file that takes its stdout; a pipe through the daemon was rejected, since the output of a hundred commands would then
 * go through its memory, and stop when it does.
 *
 * What is told here is provisional: the result, its events and its sums are made from the whole file when the attempt has
 * ended.
 */
import { performance } from 'node:perf_hooks';
import type { AgentConfig } from '../../config/config.ts';
import type { AgentCall, AgentEvent, EndReason, Spent } from '../../types/agent.ts';
import type { Usage } from '../../types/job.ts';
import { credible, usageOf } from '../../types/usage.ts';
import { EventSplitter, UsageSum } from '../event-lines.ts';
import { GrowingFile } from './growing-file.ts';
import { Repeats } from './repeats.ts';
import { type Blocked, commandOf, isRefused } from './tripwire.ts';

export interface LiveOptions {
  readonly stdoutFile: string;
  readonly agent: Pick<AgentConfig, 'maxRepeats'>;
  /** Told when the sums have grown, at most twice a second. */
  readonly onSpent: AgentCall['onSpent'];
  /** Called at most once: the attempt is to be ended, with this as its outcome. Nothing is told after it. */
  readonly onEnd: (reason: EndReason) => void;
  /** Commands that it must not run; absent: none is looked for, not even `sudo`. */
  readonly blocked: Blocked | undefined;
  /** Takes secrets out of what the agent said. */
  readonly redact: (text: string) => string;
  /** Told of each event. */
  readonly onEvent?: AgentCall['onEvent'];
  /** From its last word to the end of its tree. Default: 10 s. */
  readonly lingerMs?: number | undefined;
  /** How the output is read; default: lines that are events of ours. */
  readonly read?: (onEvent: (event: AgentEvent) => void) => LiveReader;
}

export interface LiveReader {
  /** Only valid during the call. */
  push(chunk: Buffer): void;
  /** What is held back of a last line without an end is given out. */
  flush?(): void;
  /** Its result is there: whoever does not end by itself then is ended after a grace. */
  readonly hasEnded?: boolean;
  /** There will be no result: it gets no grace. */
  readonly isHopeless?: boolean;
}

const lookMs = 250;
/** There is more to read than one look takes. */
const behindMs = 10;
const spentMs = 500;
const maxShownChars = 300;
const defaultLingerMs = 10_000;

/**
 * Begins to listen; disposing ends it at once. Undefined where there is nothing to listen for. An attempt that ends within
 * 250 ms costs a timer and nothing else. Does not keep the process alive.
 */
export function watchLive(options: LiveOptions): LiveWatch | undefined {
  const { onSpent, onEvent, agent, blocked, read } = options;
  const wanted = [onSpent, onEvent, blocked, read].some((one) => one !== undefined);
  if (!wanted && agent.maxRepeats === Number.POSITIVE_INFINITY) return undefined;
  return new Listener(options);
}

/** One attempt that is listened to. */
export interface LiveWatch extends Disposable {
  /** The attempt is over: hands over what it said last. Nothing is ended for it any more. */
  flush(): Promise<void>;
}

class Listener implements LiveWatch {
  readonly #options: LiveOptions;
  readonly #file: GrowingFile;
  readonly #repeats: Repeats;
  #reader: LiveReader;
  #endedAt: number | undefined;
  #sum = new UsageSum();
  /** Sums of what was in the file before it was cut short or replaced: spent is spent. */
  #least: Spent = { costUsd: null };
  #isNews = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #isOver = false;
  #timer: NodeJS.Timeout;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#repeats = new Repeats(options.agent.maxRepeats);
    this.#reader = this.#newReader();
    this.#file = new GrowingFile(options.stdoutFile, {
      bytes: (chunk) => this.#reader.push(chunk),
      restart: () => this.#restart(),
    });
    this.#timer = this.#lookIn(lookMs);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isOver = true;
    while (!this.#isClosed && (await this.#file.look(() => !this.#isClosed).catch(() => false)));
    this.#reader.flush?.();
  }

  #lookIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => void this.#look(), ms).unref();
  }

  async #look(): Promise<void> {
    // What cannot be read now can be at the next look.
    const isBehind = await this.#file.look(() => !this.#isClosed && !this.#isOver).catch(() => false);
    if (this.#isClosed || this.#isOver) return;
    this.#tell();
    const lingerMs = this.#reader.isHopeless ? 0 : (this.#options.lingerMs ?? defaultLingerMs);
    if (this.#hasLingered(lingerMs)) return this.#end({ kind: 'lingered', graceMs: lingerMs });
    this.#timer = this.#lookIn(isBehind ? behindMs : lookMs);
  }

  #newReader(): LiveReader {
    const { read } = this.#options;
    const hear = (event: AgentEvent): void => this.#hear(event);
    return read ? read(hear) : new EventSplitter({ event: hear, result: () => {} });
  }

  #hasLingered(lingerMs: number): boolean {
    if (!this.#reader.hasEnded && !this.#reader.isHopeless) {
      // Some go on by themselves after a last word.
      this.#endedAt = undefined;
      return false;
    }
    const now = performance.now();
    this.#endedAt ??= now;
    return now - this.#endedAt >= lingerMs;
  }

  #restart(): void {
    this.#least = this.#spent();
    this.#sum = new UsageSum();
    this.#repeats.restart();
    this.#reader = this.#newReader();
    this.#endedAt = undefined;
  }

  #hear(event: AgentEvent): void {
    if (this.#isClosed) return;
    this.#options.onEvent?.(event);
    const { usage, cost_usd: cost } = event.payload;
    if (usage !== undefined || cost !== undefined) {
      this.#sum.add(event);
      this.#isNews = true;
    }
    const stuck = this.#repeats.add(event);
    if (stuck !== undefined) this.#end({ ...stuck, tool: this.#shown(stuck.tool) });
    else this.#watchCommand(event);
  }

  #watchCommand(event: AgentEvent): void {
    const { blocked } = this.#options;
    const command = blocked === undefined ? undefined : commandOf(event);
    if (blocked === undefined || command === undefined || !isRefused(command, blocked)) return;
    const text = typeof command === 'string' ? command : command.join(' ');
    this.#end({ kind: 'refused_command', command: this.#shown(text) });
  }

  #shown(text: string): string {
    const clean = this.#options.redact(text);
    return clean.length > maxShownChars ? `${clean.slice(0, maxShownChars)}…` : clean;
  }

  #end(reason: EndReason): void {
    if (this.#isOver) return;
    // What it has spent is told first: nothing is told after the end.
    this.#toldAt = Number.NEGATIVE_INFINITY;
    this.#tell();
    if (this.#isClosed) return;
    this[Symbol.dispose]();
    this.#options.onEnd(reason);
  }

  #tell(): void {
    const now = performance.now();
    // Its work is done and paid for: to end it for what it cost would only throw that away. The next one does not start.
    if (this.#reader.hasEnded) return;
    if (!this.#isNews || now - this.#toldAt < spentMs) return;
    this.#isNews = false;
    this.#toldAt = now;
    this.#options.onSpent?.(this.#spent());
  }

  #spent(): Spent {
    const { usage, costUsd } = this.#sum;
    const most = mostUsage(this.#least.usage, usage);
    const cost = Math.max(this.#least.costUsd ?? -1, costUsd ?? -1);
    return credible({ ...(most && { usage: most }), costUsd: cost < 0 ? null : cost });
  }
}

function mostUsage(a: Usage | undefined, b: Usage | undefined): Usage | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return usageOf((bucket) => Math.max(a[bucket], b[bucket]));
}
