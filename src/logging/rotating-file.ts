/** `sluice.jsonl`, and `sluice.1.jsonl` … for what came before: bounded on disk whatever happens. */
import {
  closeSync,
  existsSync,
  fstatSync,
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
  #fd: number;
  #bytes: number;

  constructor({ dir, name, maxTotalBytes = DEFAULT_BYTES, keep = 5 }: RotatingFileOptions) {
    this.#dir = dir;
    this.#name = name;
    this.#keep = keep;
    this.setMaxBytes(maxTotalBytes);
    this.#fd = openSync(this.#file(0), 'a', 0o600);
    this.#bytes = fstatSync(this.#fd).size;
  }

  /** Of all files together; larger ones of before go when it is their turn, or by `sluice gc`. */
  setMaxBytes(totalBytes: number): void {
    this.#maxBytes = Math.floor(totalBytes / (this.#keep + 1));
  }

  /** A line that cannot be written (full disk) is dropped: the log must never stop the work. */
  write(line: string): void {
    if (this.#bytes > 0 && this.#bytes + line.length > this.#maxBytes) this.#rotate();
    try {
      this.#bytes += writeSync(this.#fd, line);
    } catch {
      this.#bytes += 1;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #rotate(): void {
    closeSync(this.#fd);
    for (let n = this.#keep - 1; n >= 0; n--)
      if (existsSync(this.#file(n))) renameSync(this.#file(n), this.#file(n + 1));
    this.#dropOver();
    this.#fd = openSync(this.#file(0), 'a', 0o600);
    this.#bytes = 0;
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
