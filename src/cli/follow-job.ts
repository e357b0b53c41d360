/**
 * The live output of a job, attempt after attempt, until it has ended. It is read from the work folder, where agents
 * write it, and not through the daemon. Secrets that this shell can resolve are taken out, as they are from results.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobDetail } from '../operations/operations.ts';
import { finalStates } from '../types/job.ts';
import { TailedFile } from './tail-file.ts';

const POLL_MS = 150;

export interface FollowOptions {
  readonly job: () => Promise<JobDetail>;
  /** Of the project's attempts: `.sluice/work`. */
  readonly workRoot: string;
  readonly stdout: { write(chunk: Buffer): void };
  readonly stderr: { write(chunk: Buffer): void };
  /** Told when the job gets on: into another state, or another attempt. */
  readonly onChange: (job: JobDetail, attempt: number | undefined) => void;
  readonly stop: AbortSignal;
}

/** @returns the job as it was last, and whether its output was seen. */
export async function followJob(o: FollowOptions): Promise<{ job: JobDetail; hasShown: boolean }> {
  let shown: ShownAttempt | undefined;
  let hasShown = false;
  let known = '';
  try {
    for (;;) {
      const job = await o.job();
      const hasEnded = (finalStates as readonly string[]).includes(job.state);
      const attempt = hasEnded ? shown?.n : newestAttempt(join(o.workRoot, job.job_id));
      if (attempt !== shown?.n) {
        shown?.read(o);
        shown?.[Symbol.dispose]();
        shown = attempt === undefined ? undefined : new ShownAttempt(join(o.workRoot, job.job_id), attempt);
      }
      if (known !== `${job.state} ${attempt}`) o.onChange(job, attempt);
      known = `${job.state} ${attempt}`;
      if (shown?.read(o)) hasShown = true;
      if (hasEnded || o.stop.aborted) return { job, hasShown };
      await sleep(POLL_MS, undefined, { signal: o.stop }).catch(() => {});
    }
  } finally {
    shown?.[Symbol.dispose]();
  }
}

class ShownAttempt implements Disposable {
  readonly n: number;
  readonly #dir: string;
  #stdout: TailedFile | undefined;
  #stderr: TailedFile | undefined;

  constructor(jobDir: string, n: number) {
    this.n = n;
    this.#dir = join(jobDir, String(n));
  }

  /** @returns whether there was anything. */
  read({ stdout, stderr }: Pick<FollowOptions, 'stdout' | 'stderr'>): boolean {
    // The agent is started a moment after its folder was made.
    this.#stdout ??= TailedFile.open(join(this.#dir, 'stdout'));
    this.#stderr ??= TailedFile.open(join(this.#dir, 'stderr'));
    let hasRead = false;
    for (const [file, stream] of [
      [this.#stderr, stderr],
      [this.#stdout, stdout],
    ] as const)
      for (const chunk of file?.rest() ?? []) {
        stream.write(chunk);
        hasRead = true;
      }
    return hasRead;
  }

  [Symbol.dispose](): void {
    this.#stdout?.[Symbol.dispose]();
    this.#stderr?.[Symbol.dispose]();
  }
}

function newestAttempt(jobDir: string): number | undefined {
  try {
    const numbers = readdirSync(jobDir).map(Number).filter(Number.isInteger);
    return numbers.length === 0 ? undefined : Math.max(...numbers);
  } catch {
    return undefined;
  }
}
