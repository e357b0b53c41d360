/**
 * Takes apart what a command printed: lines that are events, and everything else, which is the result and stays as it is,
 * byte for byte. Works on bytes, so that binary output passes; only a line that starts like an event is held back, and
 * only up to 1 MiB, so memory is bounded whatever comes.
 */
import type { AgentEvent } from '../types/agent.ts';
import type { Usage } from '../types/job.ts';
import { addUsage, noUsage, usageBuckets, usageOf } from '../types/usage.ts';

const maxEventBytes = 1 << 20;
const newline = 0x0a;
const brace = 0x7b;

const eventTypes: ReadonlySet<string> = new Set<AgentEvent['type']>([
  'status',
  'progress',
  'finding',
  'task',
  'blocker',
  'milestone',
  'review',
  'error',
]);

/** Every event holds this; text without it needs no second look. */
export const eventHint = Buffer.from('"type"');

/** The event a line is, or undefined when it is ordinary output. */
export function parseEvent(line: Buffer): AgentEvent | undefined {
  if (!line.includes(eventHint)) return undefined;
  try {
    const value = JSON.parse(line.toString('utf8')) as Partial<AgentEvent> | null;
    const { type, payload } = value ?? {};
    if (typeof type !== 'string' || !eventTypes.has(type)) return undefined;
    return typeof payload === 'object' && payload !== null && !Array.isArray(payload)
      ? (value as AgentEvent)
      : undefined;
  } catch {
    return undefined;
  }
}

export interface EventSink {
  event(event: AgentEvent): void;
  /** A piece of the result; only valid until the memory of the chunk is used again. */
  result(bytes: Buffer): void;
}

/** Feed it chunks as they come; `end` gives out what was held back. */
export class EventSplitter {
  readonly #sink: EventSink;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Inside a line that is known to be no event. */
  #passing = false;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    // Lines that are no events are given out together: a command may print millions of short ones.
    let passedFrom = 0;
    const passOn = (to: number): void => {
      if (to > passedFrom) this.#sink.result(chunk.subarray(passedFrom, to));
    };
    for (let from = 0; from < chunk.length; ) {
      const end = chunk.indexOf(newline, from);
      const to = end < 0 ? chunk.length : end + 1;
      if (this.#heldBytes === 0 && !this.#passing && chunk[from] !== brace) this.#passing = true;
      if (!this.#passing) {
        passOn(from);
        passedFrom = to;
        this.#hold(chunk.subarray(from, to), end >= 0);
      }
      if (end >= 0) this.#passing = false;
      from = to;
    }
    passOn(chunk.length);
  }

  end(): void {
    if (this.#heldBytes > 0) this.#giveOut();
  }

  #hold(piece: Buffer, complete: boolean): void {
    // The caller may use the chunk's memory again.
    this.#held.push(complete && this.#heldBytes === 0 ? piece : Buffer.from(piece));
    this.#heldBytes += piece.length;
    if (this.#heldBytes > maxEventBytes) {
      for (const one of this.#held) this.#sink.result(one);
      this.#held = [];
      this.#heldBytes = 0;
      this.#passing = true;
    } else if (complete) this.#giveOut();
  }

  #giveOut(): void {
    const line = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    const event = parseEvent(line);
    if (event === undefined) this.#sink.result(line);
    else this.#sink.event(event);
  }
}

/** What the events of one attempt say it used. Each event counts for itself: an agent reports what is new, not totals. */
export class UsageSum {
  usage: Usage | undefined;
  costUsd: number | null = null;

  add({ payload }: AgentEvent): void {
    const { usage, cost_usd: cost } = payload as {
      usage?: Partial<Record<keyof Usage, unknown>>;
      cost_usd?: unknown;
    };
    if (isCount(cost)) this.costUsd = (this.costUsd ?? 0) + cost;
    if (typeof usage !== 'object' || usage === null) return;
    // In other words than ours it says nothing: unknown is not 0.
    if (!usageBuckets.some((bucket) => isCount(usage[bucket]))) return;
    const told = usageOf((bucket) => (isCount(usage[bucket]) ? usage[bucket] : 0));
    this.usage = addUsage(this.usage ?? noUsage, told);
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
