/**
 * What may go, by age, number and bytes: one walk for the daemon's housekeeping and for `sluice gc`, and for
 * `gc --dry-run`, which is given a copy of the ledger and told to leave the files alone. A plan that is made by other code
 * than what carries it out was rejected: sooner or later it would be another plan.
 */
import { readdirSync } from 'node:fs';
import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runPlace } from '../aggregator/runs/places.ts';
import type { Config } from '../config/config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { fsPath } from '../types/path-bytes.ts';
import { metricsKeptMs } from './metrics.ts';
import { namesIn, sizeOfTree } from './tree-size.ts';

export type Kind =
  | 'jobs'
  | 'runs'
  | 'reports'
  | 'sessions'
  | 'reviews'
  | 'cache'
  | 'history'
  | 'undo'
  | 'work'
  | 'logs'
  | 'metrics'
  | 'spending'
  | 'activity'
  | 'lineage'
  | 'audit'
  | 'leftovers';

/** What went, or would go. Bytes are those of files; what the ledger gives back is told apart. */
export interface Removal {
  readonly what: Kind;
  readonly items: number;
  readonly bytes: number;
}

export interface RetentionOptions {
  readonly config: Config;
  /** With `apply: false` a copy: rows are removed from it. */
  readonly ledger: Pick<
    Ledger,
    | 'jobs'
    | 'runs'
    | 'sessions'
    | 'reviews'
    | 'results'
    | 'metrics'
    | 'spending'
    | 'activity'
    | 'written'
    | 'audit'
    | 'tidy'
  >;
  /** Whether files are removed, too. */
  readonly apply: boolean;
  readonly now: number;
}

const PAGE = 500;
const DAY_MS = 86_400_000;
const AGENT_DAYS = 31;
/** Somebody may save every minute, by a script: a year of once an hour. */
const AUDIT_KEPT = 10_000;
/** A folder for temporary use that nobody has touched for so long was left by a process that was killed. */
const LEFTOVER_MS = 3_600_000;

/** Everything is looked at; what cannot be removed stays for the next time. */
export async function applyRetention(o: RetentionOptions): Promise<readonly Removal[]> {
  const { config, ledger, now } = o;
  const { output, cache, stateDir } = config;
  const before = now - output.retentionMs;
  const bin = new Bin(o.apply);

  // First: a job that only an expired result refers to can go.
  bin.count('cache', await ledger.results.expire(now - cache.ttlMs));
  const keep = Number.isFinite(output.retentionJobs) ? output.retentionJobs : undefined;
  // Before the jobs of their steps, which stay as long as they do.
  for (;;) {
    const runs = await ledger.runs.prune(before, PAGE, keep);
    bin.count('runs', runs.length);
    for (const run of runs) await bin.remove('reports', join(output.dir, ...runPlace(run)));
    if (runs.length < PAGE) break;
  }
  for (;;) {
    const ids = await ledger.jobs.prune(before, PAGE, keep);
    bin.count('jobs', ids.length);
    for (const id of ids)
      for (const what of ['history', 'undo', 'work'] as const)
        await bin.remove(what, join(stateDir, what, id));
    if (ids.length < PAGE) break;
  }
  bin.count('metrics', await ledger.metrics.prune(now - metricsKeptMs(config)));
  // Today's and yesterday's are what budgets are judged by; `agents list` tells of thirty days. Both are a few rows a day.
  const daysBefore = new Date(Math.min(before, now - AGENT_DAYS * DAY_MS)).toISOString().slice(0, 10);
  bin.count('spending', await ledger.spending.prune(daysBefore));
  bin.count('activity', await ledger.activity.prune(daysBefore));
  await ledger.jobs.foldTally(daysBefore);
  bin.count('lineage', await ledger.written.prune(before));
  bin.count('audit', await ledger.audit.prune(AUDIT_KEPT));
  await ledger.sessions.expire();
  bin.count('sessions', await ledger.sessions.prune(before));
  bin.count('reviews', await ledger.reviews.prune(before));

  await displaced(bin, join(stateDir, 'history', '~displaced'), before);
  await oldWork(o, bin, before);
  await overSize(bin, stateDir, cache.maxBytes);
  await oldLogs(bin, join(stateDir, 'logs'), before, config.daemon.maxLogBytes);
  await leftovers(bin, stateDir, now - LEFTOVER_MS);
  await ledger.tidy();
  return bin.removals();
}

/** Where things go; a dry run only weighs them. */
class Bin {
  readonly #apply: boolean;
  readonly #sums = new Map<Kind, { items: number; bytes: number }>();
  readonly #gone = new Set<string>();

  constructor(apply: boolean) {
    this.#apply = apply;
  }

  has(path: string): boolean {
    return this.#gone.has(path);
  }

  count(what: Kind, items: number, bytes = 0): void {
    const sum = this.#sums.get(what) ?? { items: 0, bytes: 0 };
    this.#sums.set(what, { items: sum.items + items, bytes: sum.bytes + bytes });
  }

  async remove(what: Kind, path: string, known?: number): Promise<void> {
    if (this.#gone.has(path) || (await lstat(fsPath(path)).catch(() => undefined)) === undefined) return;
    const bytes = known ?? (await sizeOfTree(path));
    if (this.#apply) {
      try {
        await rm(fsPath(path), { recursive: true, force: true });
      } catch {
        return;
      }
    }
    this.#gone.add(path);
    this.count(what, 1, bytes);
  }

  removals(): readonly Removal[] {
    return [...this.#sums].flatMap(([what, sum]) => (sum.items > 0 ? [{ what, ...sum }] : []));
  }
}

/** Things that stood in the way of results; their names begin with the time. */
async function displaced(bin: Bin, dir: string, before: number): Promise<void> {
  for (const name of await namesIn(dir))
    if (Number.parseInt(name, 10) < before) await bin.remove('history', join(dir, name));
}

/** Work folders of attempts that failed stay for whoever looks into it, as long as their receipts. */
async function oldWork({ config, ledger }: RetentionOptions, bin: Bin, before: number): Promise<void> {
  const work = join(config.stateDir, 'work');
  for (const id of await namesIn(work)) {
    const folder = join(work, id);
    const stat = await lstat(fsPath(folder)).catch(() => undefined);
    if (!stat || stat.mtimeMs >= before) continue;
    const job = await ledger.jobs.get(id);
    if (!job || job.endedAt !== undefined) await bin.remove('work', folder);
  }
}

/** Older results and older versions of promoted files together stay under `cache.max_bytes`: the oldest go first. */
async function overSize(bin: Bin, stateDir: string, maxBytes: number): Promise<void> {
  const kept: { what: 'history' | 'undo'; path: string; bytes: number; since: number }[] = [];
  let total = 0;
  for (const what of ['history', 'undo'] as const)
    for (const name of await namesIn(join(stateDir, what))) {
      const path = join(stateDir, what, name);
      if (bin.has(path)) continue;
      const stat = await lstat(fsPath(path)).catch(() => undefined);
      if (!stat) continue;
      const bytes = await sizeOfTree(path);
      total += bytes;
      if (what === 'history' || isSettled(path)) kept.push({ what, path, bytes, since: stat.ctimeMs });
    }
  for (const { what, path, bytes } of kept.toSorted((a, b) => a.since - b.since)) {
    if (total <= maxBytes) return;
    await bin.remove(what, path, bytes);
    total -= bytes;
  }
}

/** A promotion that is under way, or was cut short, needs what it has put aside. */
function isSettled(jobDir: string): boolean {
  try {
    return readdirSync(jobDir).every((attempt) => {
      const names = readdirSync(join(jobDir, attempt));
      return names.includes('promoted.json') || names.includes('undone.json');
    });
  } catch {
    return false;
  }
}

/** The file that is being written always stays. */
async function oldLogs(bin: Bin, dir: string, before: number, maxBytes: number): Promise<void> {
  const files: { path: string; bytes: number; at: number; isCurrent: boolean }[] = [];
  for (const name of await namesIn(dir)) {
    const path = join(dir, name);
    const stat = await lstat(fsPath(path)).catch(() => undefined);
    if (stat?.isFile())
      files.push({ path, bytes: stat.size, at: stat.mtimeMs, isCurrent: name === 'sluice.jsonl' });
  }
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes, at, isCurrent } of files.toSorted((a, b) => a.at - b.at)) {
    if (isCurrent || (at >= before && total <= maxBytes)) continue;
    await bin.remove('logs', path, bytes);
    total -= bytes;
  }
}

/** Copies that were being made when their process was killed. */
async function leftovers(bin: Bin, stateDir: string, before: number): Promise<void> {
  for (const name of await namesIn(stateDir)) {
    if (!/^(gc|export|import)-[A-Za-z0-9]{6}$/.test(name)) continue;
    const path = join(stateDir, name);
    if (((await lstat(path).catch(() => undefined))?.mtimeMs ?? before) < before)
      await bin.remove('leftovers', path);
  }
}
