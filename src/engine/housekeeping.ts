/**
 * State stays bounded: what is older than `output_settings.retention` goes, older results stay under `cache.max_bytes`,
 * and the attempts journal is cut short.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Agents } from '../agents/agents.ts';
import type { Aggregator } from '../aggregator/aggregator.ts';
import type { Config } from '../config/config.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Log } from '../logging/log.ts';
import { messageOf } from '../types/errors.ts';

const EVERY_MS = 600_000;
const CHECKPOINT_MS = 30_000;
const PAGE = 500;

export interface HousekeepingOptions {
  readonly config: () => Config;
  readonly ledger: Ledger;
  readonly agents: Pick<Agents, 'checkpoint'>;
  readonly coordinator: Pick<Coordinator, 'runningIds'>;
  readonly history: Pick<Aggregator, 'forget' | 'trimHistory'>;
  readonly log: Log;
}

export function housekeep(options: HousekeepingOptions): Disposable {
  const guarded = (task: () => Promise<void>) => () =>
    void task().catch((error: unknown) => options.log.error(`housekeeping: ${messageOf(error)}`));
  const timers = [
    setInterval(
      guarded(() => prune(options)),
      EVERY_MS,
    ),
    setInterval(
      guarded(() => checkpoint(options)),
      CHECKPOINT_MS,
    ),
  ];
  guarded(() => checkpoint(options))();
  for (const timer of timers) timer.unref();
  return {
    [Symbol.dispose]() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

async function checkpoint({ ledger, agents, coordinator }: HousekeepingOptions): Promise<void> {
  const open = coordinator.runningIds();
  await ledger.durable();
  await agents.checkpoint(open);
}

async function prune({ config, ledger, history }: HousekeepingOptions): Promise<void> {
  const before = Date.now() - config().output.retentionMs;
  const work = join(config().stateDir, 'work');
  // First: a job that only an expired result refers to can go.
  await ledger.results.expire(Date.now() - config().cache.ttlMs);
  for (;;) {
    const ids = await ledger.jobs.prune(before, PAGE);
    history.forget(ids);
    for (const id of ids) rmSync(join(work, id), { recursive: true, force: true });
    if (ids.length < PAGE) break;
  }
  await history.trimHistory(config().cache.maxBytes);
  for (const id of list(work)) {
    const folder = join(work, id);
    if ((statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? before) < before) {
      const job = await ledger.jobs.get(id);
      if (!job || job.endedAt !== undefined) rmSync(folder, { recursive: true, force: true });
    }
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
