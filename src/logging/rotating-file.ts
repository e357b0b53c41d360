/** `sluice.jsonl`, and `sluice.1.jsonl` … for what came before: bounded on disk whatever happens. */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export interface RotatingFileOptions {
  readonly dir: string;
  readonly name: string;
  /** Of all files together. Default 60 MiB. */
  readonly maxTotalBytes?: number;
  /** How many older files are kept; default 5. */
  readonly keep?: number;
}

const DEFAULT_BYTES = 60 << 20;

export class RotatingFile {
  readonly #dir: string;
  readonly #name: string;
  readonly #keep: number;
  #maxBytes = 0;
  /** Absent where it could not be opened anew. */
  #fd: number | undefined;
  #bytes = 0;

  /** @throws what the system says where the folder cannot be made, or the file not be opened. */
  constructor({ dir, name, maxTotalBytes = DEFAULT_BYTES, keep = 5 }: RotatingFileOptions) {
    this.#dir = dir;
    this.#name = name;
    this.#keep = keep;
    this.setMaxBytes(maxTotalBytes);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#open();
  }

  /** Of all files together; larger ones of before go when it is their turn, or by `sluice gc`. */
  setMaxBytes(totalBytes: number): void {
    this.#maxBytes = Math.floor(totalBytes / (this.#keep + 1));
  }

  /** A line that cannot be written (full disk, a folder that has gone) is dropped: the log must never stop the work. */
  write(line: string): void {
    try {
      let fd = this.#fd ?? this.#open();
      if (this.#bytes > 0 && this.#bytes + line.length > this.#maxBytes) fd = this.#rotate();
      this.#bytes += writeSync(fd, line);
    } catch {
      this.#bytes += 1;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): number {
    // Removed under us. A project that was removed as a whole is not made again.
    if (!existsSync(this.#dir)) mkdirSync(this.#dir, { mode: 0o700 });
    this.#fd = openSync(this.#file(0), 'a', 0o600);
    this.#bytes = fstatSync(this.#fd).size;
    return this.#fd;
  }

  #rotate(): number {
    this.close();
    for (let n = this.#keep - 1; n >= 0; n--)
      if (existsSync(this.#file(n))) renameSync(this.#file(n), this.#file(n + 1));
    if (existsSync(this.#dir)) this.#dropOver();
    return this.#open();
  }

  /** Files of a number that is not kept any more. */
  #dropOver(): void {
    const over = new RegExp(`^${this.#name}\\.(\\d+)\\.jsonl$`);
    for (const file of readdirSync(this.#dir))
      if (Number(over.exec(file)?.[1]) > this.#keep) rmSync(join(this.#dir, file), { force: true });
  }

  #file(n: number): string {
    return join(this.#dir, n === 0 ? `${this.#name}.jsonl` : `${this.#name}.${n}.jsonl`);
  }
}
