/**
 * The stream of one attempt of an agent CLI as events of ours: what its reader makes of each line, and events that the
 * model itself wrote as a line of its answer (`{"type":"finding","payload":{…}}`), since most CLIs have no word for them.
 */
import type { AgentEvent } from '../../types/agent.ts';
import type { CliReport } from '../../types/agent-cli.ts';
import { eventHint, parseEvent } from '../event-lines.ts';
import type { CliEnd, CliKind, CliReader } from './kind.ts';
import { LineSplitter } from './lines.ts';

const hint = eventHint.toString();
/** Only what a model may say of its work; what it did is told by the CLI. */
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

  constructor(kind: Pick<CliKind, 'read'>, onEvent: (event: AgentEvent) => void) {
    this.#reader = kind.read();
    this.#lines = new LineSplitter((line) => {
      for (const event of this.#reader.line(line)) {
        onEvent(event);
        for (const said of spokenIn(event)) onEvent(said);
      }
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
    return { ...report, text: withoutEvents(report.text) };
  }
}

/** Events in what the agent said; the terminal event repeats its answer. */
function spokenIn({ type, payload }: AgentEvent): readonly AgentEvent[] {
  const { text, tool, final } = payload;
  if (type !== 'progress' || typeof text !== 'string' || tool !== undefined || final === true) return [];
  if (!text.includes(hint)) return [];
  return text.split('\n').flatMap((line) => eventOf(line) ?? []);
}

function eventOf(line: string): AgentEvent | undefined {
  const event = line.startsWith('{') ? parseEvent(Buffer.from(line)) : undefined;
  if (!event || !spoken.has(event.type)) return undefined;
  // Marks of ours, and what it cost, are not the model's to tell.
  const { permission: _, final: __, usage: ___, cost_usd: ____, tool: _____, ...payload } = event.payload;
  return { type: event.type, payload };
}

function withoutEvents(text: string): string {
  if (!text.includes(hint)) return text;
  return text
    .split('\n')
    .filter((line) => eventOf(line) === undefined)
    .join('\n')
    .trim();
}
