/**
 * The stream of one attempt of an agent CLI as events of ours: what its reader makes of each line, and events that the
 * model itself wrote as a line of its answer (`{"type":"finding","payload":{…}}`), since most CLIs have no word for them.
 */
import type { AgentEvent } from '../../types/agent.ts';
import type { CliReport } from '../../types/agent-cli.ts';
import { eventHint, parseEvent } from '../event-lines.ts';
import type { CliEnd, CliKind, CliReader } from './kind.ts';
import { LineSplitter } from './lines.ts';
import { cut, maxText } from './reading/events.ts';

const hint = eventHint.toString();
/** Lines that were told as events are remembered up to this number; later ones stay in the answer, too. */
const maxTold = 1_000;
/** What a model may say of its own work. What it did (progress, errors) is the CLI's to tell. */
const spoken: ReadonlySet<AgentEvent['type']> = new Set([
  'finding',
  'task',
  'milestone',
  'review',
  'blocker',
  'status',
]);

export class CliStream {
  readonly #reader: CliReader;
  readonly #lines: LineSplitter;
  readonly #onEvent: (event: AgentEvent) => void;
  /** Lines of what the model said that were told as events: they are not part of its answer. */
  readonly #told = new Set<string>();

  constructor(kind: Pick<CliKind, 'read'>, onEvent: (event: AgentEvent) => void) {
    this.#reader = kind.read();
    this.#onEvent = onEvent;
    this.#lines = new LineSplitter((line) => {
      for (const event of this.#reader.line(line)) this.#tell(event);
    });
  }

  get hasEnded(): boolean {
    return this.#reader.hasEnded;
  }

  get isHopeless(): boolean {
    return this.#reader.isHopeless === true;
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  /** What was held back of the last line is given out. */
  flush(): void {
    this.#lines.end();
  }

  /** Call once, after `flush`. */
  report(end: CliEnd): CliReport {
    const report = this.#reader.end(end);
    return { ...report, text: this.#withoutEvents(report.text) };
  }

  /** Looks for events in the whole text; what is told of it is cut. */
  #tell(event: AgentEvent): void {
    this.#onEvent(withShortText(event));
    for (const line of linesWithEvents(event)) {
      const spokenEvent = eventOf(line);
      if (spokenEvent === undefined) continue;
      this.#onEvent(withShortText(spokenEvent));
      if (line.length <= maxText && this.#told.size < maxTold) this.#told.add(line.trimEnd());
    }
  }

  #withoutEvents(text: string): string {
    if (this.#told.size === 0 || !text.includes(hint)) return text;
    return text
      .split('\n')
      .filter((line) => !this.#told.has(line.trimEnd()))
      .join('\n')
      .trim();
  }
}

function withShortText(event: AgentEvent): AgentEvent {
  const { text } = event.payload;
  if (typeof text !== 'string' || text.length <= maxText) return event;
  return { ...event, payload: { ...event.payload, text: cut(text) } };
}

/** Of what the model said, which is told as progress; the terminal event, a milestone, only repeats its answer. */
function linesWithEvents({ type, payload }: AgentEvent): readonly string[] {
  const { text, tool } = payload;
  if (type !== 'progress' || typeof text !== 'string' || tool !== undefined) return [];
  return text.includes(hint) ? text.split('\n') : [];
}

function eventOf(line: string): AgentEvent | undefined {
  const event = line.startsWith('{') ? parseEvent(Buffer.from(line)) : undefined;
  if (!event || !spoken.has(event.type)) return undefined;
  // Marks of ours, and what it cost, are not the model's to tell.
  const { permission: _, final: __, usage: ___, cost_usd: ____, tool: _____, ...payload } = event.payload;
  return { type: event.type, payload };
}
