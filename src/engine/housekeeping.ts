/** State stays bounded: what `retention.ts` says may go, goes; the ledger's files and the attempts journal are cut short. */
import type { Agents } from '../agents/agents.ts';
import type { Config } from '../config/config.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Log } from '../logging/log.ts';
import { formatBytes } from '../types/bytes.ts';
import { messageOf } from '../types/errors.ts';
import { applyRetention } from './retention.ts';

const EVERY_MS = 600_000;
const CHECKPOINT_MS = 30_000;
/** A project in which only `sluice run` works is never open for ten minutes: it is done at the end of one a day. */
const LATEST_MS = 24 * 3_600_000;
const KIND = 'housekeeping';

export interface HousekeepingOptions {
  readonly config: () => Config;
  readonly ledger: Ledger;
  readonly agents: Pick<Agents, 'checkpoint'>;
  readonly coordinator: Pick<Coordinator, 'runningIds'>;
  readonly log: Log;
}

export function housekeep(options: HousekeepingOptions): AsyncDisposable {
  const { ledger, agents, coordinator, config, log } = options;
  let running: Promise<void> = Promise.resolve();
  const inTurn = (task: () => Promise<void>) => (): Promise<void> => {
    running = running.then(task).catch((error: unknown) => log.error(`housekeeping: ${messageOf(error)}`));
    return running;
  };
  const retain = async (): Promise<void> => {
    const removed = await applyRetention({ config: config(), ledger, apply: true, now: Date.now() });
    await ledger.kept.put(KIND, 'retention', Date.now());
    for (const { what, items, bytes } of removed)
      log.debug({ what, items, bytes }, `retention: ${items} of ${what} removed (${formatBytes(bytes)})`);
  };
  const checkpoint = async (): Promise<void> => {
    const settled = { endedBefore: Date.now(), open: coordinator.runningIds() };
    await ledger.durable();
    await agents.checkpoint(settled);
    await ledger.tidy();
  };
  const retainIfLate = async (): Promise<void> => {
    const last = await ledger.kept.get(KIND, 'retention');
    if (typeof last !== 'number' || Math.abs(Date.now() - last) > LATEST_MS) await retain();
  };
  const timers = [setInterval(inTurn(retain), EVERY_MS), setInterval(inTurn(checkpoint), CHECKPOINT_MS)];
  for (const timer of timers) timer.unref();
  void inTurn(checkpoint)();
  return {
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer);
      await inTurn(retainIfLate)();
    },
  };
}
