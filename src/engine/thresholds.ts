/**
 * Numbers → conditions: every five seconds, and soon after a job has ended. Cheap by construction: two counts of the
 * ledger, one line of /proc, and sums that are kept as jobs end.
 */
import type { ConditionBoard } from '../conditions/board.ts';
import type { Config } from '../config/config.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Log } from '../logging/log.ts';
import { messageOf } from '../types/errors.ts';
import { ErrorRate } from './error-rate.ts';
import { readMemory } from './free-memory.ts';
import { judgeNumbers, type Numbers, thresholdCodes } from './threshold-rules.ts';

const EVERY_MS = 5_000;
/** After a job has ended: a burst of them is looked at once. */
const SOON_MS = 250;
const MAX_SEED = 2_000;

export interface ThresholdsOptions {
  readonly config: () => Config;
  readonly ledger: { readonly jobs: Pick<Ledger['jobs'], 'counts' | 'oldestQueuedAt' | 'list'> };
  readonly coordinator: Pick<Coordinator, 'events' | 'isPaused'>;
  readonly conditions: ConditionBoard;
  readonly log: Pick<Log, 'warn'>;
  /** Default: the machine's. */
  readonly memory?: () => Numbers['memory'];
  /** Default `Date.now`. */
  readonly now?: () => number;
}

export async function watchThresholds(options: ThresholdsOptions): Promise<AsyncDisposable> {
  const { config, ledger, coordinator, conditions, log } = options;
  const { now = Date.now, memory = readMemory } = options;
  const rate = new ErrorRate(config().thresholds.windowMs);
  // Before this nobody could have started anything: waiting is counted from here on.
  let freeSince = now();
  let running: Promise<void> = Promise.resolve();
  let soon: NodeJS.Timeout | undefined;
  let oldest: number | undefined;
  let oldestAskedAt = Number.NEGATIVE_INFINITY;

  const seed = await ledger.jobs.list({
    states: ['succeeded', 'cached', 'failed'],
    endedSince: now() - config().thresholds.windowMs,
    limit: MAX_SEED,
  });
  for (const { state, endedAt } of seed) if (endedAt !== undefined) rate.add(endedAt, state === 'failed');

  const look = async (): Promise<void> => {
    const { thresholds } = config();
    rate.setWindow(thresholds.windowMs);
    const at = now();
    if (coordinator.isPaused || freeSince > at) freeSince = at;
    // It goes through the whole queue (2 ms for 10,000 jobs), and what it is asked for takes minutes to come.
    if (Math.abs(at - oldestAskedAt) >= EVERY_MS - SOON_MS) {
      oldest = await ledger.jobs.oldestQueuedAt();
      oldestAskedAt = at;
    }
    const { held, queued } = await ledger.jobs.counts();
    const ram = memory();
    const numbers: Numbers = {
      ...rate.within(at),
      held,
      ...(oldest !== undefined &&
        queued > 0 &&
        !coordinator.isPaused && { waitedMs: at - Math.max(oldest, freeSince) }),
      ...(ram && { memory: ram }),
    };
    const open = new Set(conditions.list().map(({ code }) => code));
    const found = judgeNumbers(numbers, thresholds, (code) => open.has(code));
    for (const code of thresholdCodes) {
      const finding = found.get(code);
      if (finding) conditions.raise({ code, subject: '', ...finding });
      else conditions.clear(code);
    }
  };
  const lookInTurn = (): void => {
    running = running.then(look).catch((error: unknown) => log.warn(`thresholds: ${messageOf(error)}`));
  };

  const unsubscribe = coordinator.events.subscribe((event) => {
    if (event.type !== 'ended') return;
    const { state } = event.job;
    if (state === 'failed' || state === 'succeeded' || state === 'cached')
      rate.add(now(), state === 'failed');
    soon ??= setTimeout(() => {
      soon = undefined;
      lookInTurn();
    }, SOON_MS).unref();
  });
  const timer = setInterval(lookInTurn, EVERY_MS);
  timer.unref();
  lookInTurn();
  return {
    async [Symbol.asyncDispose]() {
      unsubscribe();
      clearInterval(timer);
      clearTimeout(soon);
      await running;
    },
  };
}
