/**
 * The folders in which attempts work: `work/<job>/<attempt>/` with `outputs/` in it. Making and removing folders is the
 * most expensive thing that a small job does on a journalling disk, so those of jobs that left nothing are emptied and
 * used again under another name.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../types/errors.ts';
import type { JobId } from '../types/job.ts';

const SPARES = 16;

export interface WorkFolder {
  readonly workDir: string;
  readonly outputDir: string;
}

export class WorkFolders implements Disposable {
  readonly #root: string;
  readonly #spares: string[] = [];
  #made = 0;

  constructor(root: string) {
    this.#root = root;
  }

  place(job: JobId, n: number): WorkFolder {
    const workDir = join(this.#root, job, String(n));
    return { workDir, outputDir: join(workDir, 'outputs') };
  }

  /** Makes the folder of an attempt, empty. */
  open(job: JobId, n: number): void {
    const { workDir, outputDir } = this.place(job, n);
    const spare = n === 1 ? this.#spares.pop() : undefined;
    if (spare !== undefined && this.#tryRename(spare, join(this.#root, job))) return;
    rmSync(workDir, { recursive: true, force: true });
    mkdirSync(outputDir, { recursive: true, mode: 0o700 });
  }

  /** The job has ended and nothing of its attempts is wanted any more. */
  close(job: JobId, n: number): void {
    const folder = join(this.#root, job);
    const spare = join(this.#root, `spare-${process.pid}-${this.#made}`);
    if (
      n === 1 &&
      !existsSync(join(folder, 'reviews')) &&
      this.#spares.length < SPARES &&
      isEmptied(join(folder, '1')) &&
      this.#tryRename(folder, spare)
    ) {
      this.#made++;
      this.#spares.push(spare);
    } else rmSync(folder, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    for (const spare of this.#spares.splice(0)) rmSync(spare, { recursive: true, force: true });
  }

  #tryRename(from: string, to: string): boolean {
    try {
      renameSync(from, to);
      return true;
    } catch {
      return false;
    }
  }
}

/** What the spawner empties itself when it opens it again: leaving a file is cheaper than making one. */
const reopened = new Set(['stdout', 'stderr', 'files']);

/** True when the folder is as good as new; what an attempt leaves beside its outputs is removed. */
function isEmptied(workDir: string): boolean {
  try {
    let hasOutputs = false;
    for (const entry of readdirSync(workDir, { withFileTypes: true })) {
      if (entry.name === 'outputs' && entry.isDirectory()) {
        hasOutputs = readdirSync(join(workDir, 'outputs')).length === 0;
        if (!hasOutputs) return false;
      } else if (!entry.isFile()) return false;
      else if (!reopened.has(entry.name)) unlinkSync(join(workDir, entry.name));
    }
    return hasOutputs;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
