/** `sluice.jsonl`, and `sluice.1.jsonl` … for what came before: bounded on disk whatever happens. */
import { closeSync, existsSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface RotatingFileOptions {
  readonly dir: string;
  readonly name: string;
  /** Default 10 MiB. */
  readonly maxBytes?: number;
  /** How many older files are kept; default 5. */
  readonly keep?: number;
}

export class RotatingFile {
  readonly #options: Required<RotatingFileOptions>;
  #fd: number;
  #bytes: number;

  constructor({ dir, name, maxBytes = 10 << 20, keep = 5 }: RotatingFileOptions) {
    this.#options = { dir, name, maxBytes, keep };
    this.#fd = openSync(this.#file(0), 'a', 0o600);
    this.#bytes = fstatSync(this.#fd).size;
  }

  /** A line that cannot be written (full disk) is dropped: the log must never stop the work. */
  write(line: string): void {
    if (this.#bytes >= this.#options.maxBytes) this.#rotate();
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
    for (let n = this.#options.keep - 1; n >= 0; n--)
      if (existsSync(this.#file(n))) renameSync(this.#file(n), this.#file(n + 1));
    this.#fd = openSync(this.#file(0), 'a', 0o600);
    this.#bytes = 0;
  }

  #file(n: number): string {
    return join(
      this.#options.dir,
      n === 0 ? `${this.#options.name}.jsonl` : `${this.#options.name}.${n}.jsonl`,
    );
  }
}
