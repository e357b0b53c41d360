/** The lines of the log, from `.sluice/logs/`: newest file first, from its end, as few as are asked for. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLevel } from '../config/config.ts';
import { TailedFile } from './tail-file.ts';

export interface LogLine {
  readonly level: LogLevel;
  /** RFC 3339. */
  readonly time: string;
  readonly msg: string;
  readonly job?: string;
  readonly [field: string]: unknown;
}

export interface LogFilter {
  readonly level?: LogLevel;
  /** Epoch milliseconds. */
  readonly since?: number;
  /** A job's id, or its beginning. */
  readonly job?: string;
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warning', 'error', 'critical'];

/** @returns the last `limit` lines that fit, oldest first. */
export function readLog(dir: string, filter: LogFilter, limit: number): LogLine[] {
  const found: LogLine[] = [];
  for (const file of files(dir)) {
    const lines = readFileSync(file, 'utf8').split('\n');
    for (let at = lines.length - 1; at >= 0 && found.length < limit; at--) {
      const line = parse(lines[at] as string);
      if (!line) continue;
      // Lines are in the order of time, but for a clock that was set: a whole hour of doubt is read on.
      if (filter.since !== undefined && Date.parse(line.time) < filter.since - 3_600_000)
        return found.reverse();
      if (fits(line, filter)) found.push(line);
    }
    if (found.length >= limit) break;
  }
  return found.reverse();
}

/** Goes on where the log ends now. Rotation renames the file: what is left in it is read before the next one. */
export class LogTail implements Disposable {
  readonly #dir: string;
  readonly #filter: LogFilter;
  #file: TailedFile | undefined;
  #rest = '';

  constructor(dir: string, filter: LogFilter) {
    this.#dir = dir;
    this.#filter = filter;
    const [newest] = files(dir);
    if (newest !== undefined) this.#file = TailedFile.open(newest, statSync(newest).size);
  }

  next(): LogLine[] {
    const lines = this.#read();
    // Newer files than the one that was read last, oldest of them first.
    const all = files(this.#dir);
    const known = this.#file?.inode;
    const at = known === undefined ? all.length : all.findIndex((file) => inodeOf(file) === known);
    for (const file of all.slice(0, at === -1 ? all.length : at).reverse()) {
      this.#file?.[Symbol.dispose]();
      this.#file = TailedFile.open(file);
      lines.push(...this.#read());
    }
    return lines;
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }

  #read(): LogLine[] {
    const chunks = [...(this.#file?.rest() ?? [])];
    const lines = (this.#rest + Buffer.concat(chunks).toString('utf8')).split('\n');
    // Lines are written whole; the last piece is empty unless the disk was full.
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((text) => {
      const line = parse(text);
      return line && fits(line, this.#filter) ? [line] : [];
    });
  }
}

/** `sluice.jsonl`, then `sluice.1.jsonl` …: newest first. */
function files(dir: string): string[] {
  const found: string[] = [];
  for (let n = 0; ; n++) {
    const file = join(dir, n === 0 ? 'sluice.jsonl' : `sluice.${n}.jsonl`);
    if (existsSync(file)) found.push(file);
    // Between two renames of a rotation the newest one is missing for a moment.
    else if (n > 0) return found;
  }
}

function inodeOf(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino;
}

function parse(text: string): LogLine | undefined {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}

function fits(line: LogLine, { level, since, job }: LogFilter): boolean {
  if (level !== undefined && levels.indexOf(line.level) < levels.indexOf(level)) return false;
  if (since !== undefined && Date.parse(line.time) < since) return false;
  return job === undefined || line.job?.startsWith(job) === true;
}
