/**
 * `attempts.journal`: one line for each attempt that ended, written by the helper process before it tells the daemon. When
 * the daemon was killed meanwhile, the next one reads here what had finished and does not run it again. Not synced to
 * disk: it has to survive the daemon's death, not the machine's (then the attempt is run once more).
 */
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../types/errors.ts';
import type { SpawnExit } from './protocol.ts';

export interface JournalEntry {
  readonly job: string;
  readonly n: number;
  readonly exit: SpawnExit;
  /** The call's opaque text. */
  readonly journal: string;
}

/** Which lines are no longer needed. */
export interface Settled {
  /** Jobs whose outcome was not in the ledger when `endedBefore` was the time. */
  readonly open: readonly string[];
  /** Epoch milliseconds. What ended since may have begun since, too, and stands in no list. */
  readonly endedBefore: number;
}

export function journalPath(stateDir: string): string {
  return join(stateDir, 'attempts.journal');
}

/** What ended so far, oldest first. A torn last line (the disk was full, the machine died) is left out. */
export async function readAttemptsJournal(stateDir: string): Promise<JournalEntry[]> {
  try {
    return parse(await readFile(journalPath(stateDir), 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The writing side; lives in the helper process, which alone touches the file while it runs. */
export class JournalWriter {
  readonly #path: string;
  #fd: number;
  #bytes = 0;

  constructor(stateDir: string) {
    this.#path = journalPath(stateDir);
    this.#fd = openSync(this.#path, 'a', 0o600);
    // What an earlier helper left torn must not swallow our first line.
    const old = readFileSync(this.#path);
    this.#bytes = old.length;
    if (old.length > 0 && old[old.length - 1] !== 0x0a) writeSync(this.#fd, '\n');
  }

  append(entry: JournalEntry): void {
    const { job, n, exit, journal } = entry;
    const at = new Date(exit.endedAt).toISOString();
    this.#bytes += writeSync(this.#fd, `${JSON.stringify({ job, n, exit, ended_at: at, journal })}\n`);
  }

  /** Drops what ended before, but for the jobs in `open`: their outcome may not be recorded elsewhere yet. */
  checkpoint({ open, endedBefore }: Settled): void {
    if (this.#bytes === 0) return;
    const keep = new Set(open);
    const kept = parse(readFileSync(this.#path, 'utf8')).filter(
      ({ job, exit }) => keep.has(job) || exit.endedAt >= endedBefore,
    );
    if (kept.length === 0) {
      ftruncateSync(this.#fd, 0);
      this.#bytes = 0;
      return;
    }
    const text = kept.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    const next = `${this.#path}.next`;
    writeFileSync(next, text, { mode: 0o600 });
    renameSync(next, this.#path);
    closeSync(this.#fd);
    this.#fd = openSync(this.#path, 'a', 0o600);
    this.#bytes = Buffer.byteLength(text);
  }
}

function parse(text: string): JournalEntry[] {
  const entries: JournalEntry[] = [];
  for (const line of text.split('\n')) {
    try {
      const entry = JSON.parse(line) as JournalEntry;
      if (typeof entry.job === 'string' && typeof entry.exit === 'object') entries.push(entry);
    } catch {
      // Torn or empty: the attempt counts as interrupted, and is run again.
    }
  }
  return entries;
}
