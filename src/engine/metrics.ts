/**
 * One row a minute in the ledger: what ended in it, how long the queue is, what the daemon takes. Counters are kept as
 * jobs end; the rest is asked once a minute. Rows hold only what is not zero, so an idle day is small; minutes in which no
 * daemon ran have none. They are kept for `output_settings.retention`, at most 30 days: 43,200 rows.
 */
import type { Config } from '../config/config.ts';
import type { CoordinatorEvent, CoordinatorEvents } from '../coordinator/events.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Log } from '../logging/log.ts';
import { messageOf } from '../types/errors.ts';
import type { Usage } from '../types/job.ts';
import { sizeOfTree } from './tree-size.ts';

const MINUTE_MS = 60_000;
const MAX_KEPT_MS = 30 * 24 * 3_600_000;
/** The state folder is measured so seldom: a walk of it takes a moment. */
const MEASURE_EVERY = 10;

/** What is added up within the minute. */
const counters = [
  'succeeded',
  'cached',
  'failed',
  'cancelled',
  'superseded',
  'attempts',
  'cost_usd',
  'tokens',
  'cpu_ms',
] as const;
type Counter = (typeof counters)[number];
/** What is so at its end. */
type Gauge =
  | 'queued'
  | 'running'
  | 'waiting'
  | 'held'
  | 'oldest_ms'
  | 'attempts_running'
  | 'rss_bytes'
  | 'ledger_bytes'
  | 'state_bytes';
export type MetricName = Counter | Gauge;
export type MetricValues = Readonly<Partial<Record<MetricName, number>>>;

export interface MetricsOptions {
  readonly config: () => Config;
  readonly ledger: Pick<Ledger, 'metrics' | 'size'> & {
    readonly jobs: Pick<Ledger['jobs'], 'counts' | 'oldestQueuedAt' | 'load'>;
  };
  readonly events: CoordinatorEvents;
  readonly log: Pick<Log, 'warn'>;
  /** Default `Date.now`. */
  readonly now?: () => number;
}

/** Call its disposal after the coordinator's and before the ledger's: the minute that has begun is written. */
export async function recordMetrics(options: MetricsOptions): Promise<AsyncDisposable> {
  const { config, ledger, events, log, now = Date.now } = options;
  let minute = minuteOf(now());
  // A daemon that was restarted within a minute goes on counting in it.
  const begun = (await ledger.metrics.list(minute, minute + MINUTE_MS))[0]?.values ?? {};
  let counts = new Map<Counter, number>(counters.map((name) => [name, begun[name] ?? 0]));
  let cpu = process.cpuUsage();
  let stateBytes = 0;
  let rows = 0;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const add = (name: Counter, by: number): void => void counts.set(name, (counts.get(name) ?? 0) + by);
  const unsubscribe = events.subscribe((event) => count(event, add));

  const write = async (): Promise<void> => {
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    add('cpu_ms', (user + system) / 1_000);
    const of = minute;
    const ended = counts;
    minute = minuteOf(now());
    if (of !== minute) counts = new Map();
    if (rows++ % MEASURE_EVERY === 0) stateBytes = await sizeOfTree(config().stateDir);
    const { queued, running: active, waiting, held } = await ledger.jobs.counts();
    const oldest = await ledger.jobs.oldestQueuedAt();
    const load = await ledger.jobs.load();
    const gauges: Record<Gauge, number> = {
      queued,
      running: active,
      waiting,
      held,
      oldest_ms: oldest === undefined ? 0 : Math.max(0, now() - oldest),
      attempts_running: [...load.values()].reduce((sum, n) => sum + n, 0),
      rss_bytes: residentBytes(),
      ledger_bytes: await ledger.size(),
      state_bytes: stateBytes,
    };
    // A zero is only written where an earlier daemon wrote a number in this minute.
    const all = [...ended, ...Object.entries(gauges)].filter(([name, value]) => value !== 0 || name in begun);
    await ledger.metrics.put(of, Object.fromEntries(all.map(([name, value]) => [name, round(value)])));
  };
  const writeInTurn = (): Promise<void> => {
    running = running.then(write).catch((error: unknown) => log.warn(`metrics: ${messageOf(error)}`));
    return running;
  };
  const schedule = (): void => {
    const next = minuteOf(now()) + MINUTE_MS - now();
    timer = setTimeout(() => void writeInTurn().then(schedule), next + 5).unref();
  };
  schedule();
  return {
    async [Symbol.asyncDispose]() {
      unsubscribe();
      clearTimeout(timer);
      await running;
      clearTimeout(timer);
      await writeInTurn();
    },
  };
}

/** How long rows are kept. */
export function metricsKeptMs({ output }: Config): number {
  return Math.min(output.retentionMs, MAX_KEPT_MS);
}

function count(event: CoordinatorEvent, add: (name: Counter, by: number) => void): void {
  if (event.type === 'started') return add('attempts', 1);
  if (event.type !== 'ended') return;
  const { state, costUsd, usage } = event.job;
  switch (state) {
    case 'succeeded':
    case 'cached':
    case 'failed':
    case 'cancelled':
    case 'superseded':
      add(state, 1);
  }
  // What a cached job cost was paid by the one that made its result.
  if (state === 'cached') return;
  if (costUsd !== null) add('cost_usd', costUsd);
  if (usage) add('tokens', tokensOf(usage));
}

function tokensOf(usage: Usage): number {
  return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens + usage.output_tokens;
}

function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS) * MINUTE_MS;
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function residentBytes(): number {
  return process.memoryUsage.rss();
}
