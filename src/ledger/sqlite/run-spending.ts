/**
 * What the jobs of a run used: told by their attempts, since a job that was tried again paid each time. Read a few jobs
 * at a time. Totals that are kept up to date were rejected: a file's job is known before its run knows of it.
 */
import { setImmediate } from 'node:timers/promises';
import type { Usage } from '../../types/job.ts';
import type { RunId } from '../../types/run.ts';
import { addUsage } from '../../types/usage.ts';
import type { RunLedger } from '../run-ledger.ts';
import { CHUNK } from './chunks.ts';
import type { Database } from './database.ts';
import { toAttempts } from './job-rows.ts';
import { fileJobs } from './run-files.ts';

type Spent = Awaited<ReturnType<RunLedger['spent']>>;

interface Row {
  readonly seq: number | null;
  readonly attempts: string | null;
  readonly usage: string | null;
  readonly cost: number | null;
}

const COLUMNS = 'job.seq, job.attempts, job.usage, job.cost_usd cost';
const STEPS = `select ${COLUMNS} from job where run_id = ? and seq > ? order by seq limit ${CHUNK}`;

export async function spentOf(db: Database, runId: RunId): Promise<Spent> {
  const total = new Total();
  let last = 0;
  for (;;) {
    const rows = db.all<Row>(STEPS, runId, last);
    for (const row of rows) total.add(row);
    if (rows.length < CHUNK) break;
    last = rows.at(-1)?.seq ?? last;
    await setImmediate();
  }
  const run = db.get<{ at: number }>('select created_at at from run where id = ?', runId);
  // A file that had been done before may have been paid by another run.
  for await (const rows of fileJobs<Row>(db, runId, COLUMNS))
    for (const row of rows) total.add(row, run?.at ?? 0);
  return total.spent();
}

class Total {
  #jobs = 0;
  /** In a batch each file brings its part of one. */
  #attempts = 0;
  #cost: number | null = null;
  #usage: Usage | undefined;

  /** @param since What began earlier was paid by somebody else. */
  add({ attempts: json, usage, cost }: Row, since = 0): void {
    this.#jobs += 1;
    const attempts = toAttempts(json ?? '{}');
    // A job that came from a receipt has none.
    if (attempts.length === 0 && since === 0) this.#pay(cost, usage === null ? undefined : JSON.parse(usage));
    for (const { startedAt, costUsd, usage: used, batch } of attempts) {
      if (startedAt < since) continue;
      this.#attempts += 1 / Math.max(1, batch?.files ?? 1);
      this.#pay(costUsd ?? null, used);
    }
  }

  spent(): Spent {
    return {
      ...(this.#usage && { usage: this.#usage }),
      costUsd: this.#cost,
      jobs: this.#jobs,
      attempts: Math.round(this.#attempts),
    };
  }

  #pay(cost: number | null, usage: Usage | undefined): void {
    if (cost !== null) this.#cost = (this.#cost ?? 0) + cost;
    if (usage) this.#usage = this.#usage ? addUsage(this.#usage, usage) : usage;
  }
}
