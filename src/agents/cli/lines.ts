/**
 * Takes the stdout of an agent CLI apart into lines, each a JSON object or not. Memory is bounded: a line longer than
 * 16 MiB is counted and left out. Works on bytes, so that a character is never halved between two chunks.
 */
import type { CliLine } from './kind.ts';

const maxLineBytes = 16 << 20;
const maxTextBytes = 4_000;
const byteOrderMark = '\ufeff';
const newline = 0x0a;
const brace = 0x7b;

export class LineSplitter {
  readonly #onLine: (line: CliLine) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(onLine: (line: CliLine) => void) {
    this.#onLine = onLine;
  }

  /** @param chunk Its memory may be used again afterwards. */
  push(chunk: Buffer): void {
    for (let from = 0; from < chunk.length; ) {
      const end = chunk.indexOf(newline, from);
      const piece = chunk.subarray(from, end < 0 ? chunk.length : end);
      from += piece.length + 1;
      if (end >= 0 && this.#heldBytes === 0) this.#tell(piece);
      else {
        this.#hold(piece);
        if (end >= 0) this.#giveOut();
      }
    }
  }

  /** The last line may have no end. */
  end(): void {
    if (this.#heldBytes > 0) this.#giveOut();
  }

  #hold(piece: Buffer): void {
    this.#heldBytes += piece.length;
    if (this.#heldBytes <= maxLineBytes) this.#held.push(Buffer.from(piece));
    else this.#held = [];
  }

  #giveOut(): void {
    const [held, bytes] = [this.#held, this.#heldBytes];
    this.#held = [];
    this.#heldBytes = 0;
    if (bytes > maxLineBytes) this.#onLine({ kind: 'oversized', bytes });
    else this.#tell(held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held, bytes));
  }

  #tell(line: Buffer): void {
    if (line.length > maxLineBytes) return this.#onLine({ kind: 'oversized', bytes: line.length });
    const value = line.indexOf(brace) < 0 ? undefined : parseObject(line);
    if (value) return this.#onLine({ kind: 'json', value });
    const text = line.toString('utf8', 0, maxTextBytes).trim();
    if (text !== '') this.#onLine({ kind: 'text', text });
  }
}

function parseObject(line: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = line.toString('utf8');
    const value: unknown = JSON.parse(text.startsWith(byteOrderMark) ? text.slice(1) : text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
