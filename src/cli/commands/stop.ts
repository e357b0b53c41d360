/** `sluice stop`: asks the daemon to end, and waits until it is gone: until its project can be used by another. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDuration } from '../../config/duration.ts';
import { readOwner } from '../../ledger/lock.ts';
import type { StatusReport } from '../../operations/status.ts';
import { AppError } from '../../types/errors.ts';
import type { Client } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { printLine } from '../print.ts';

const POLL_MS = 50;
/** For what comes after the drain: ending process trees, the last commits, the overview. */
const AFTER_DRAIN_MS = 10_000;
const DEFAULT_DRAIN_MS = parseDuration('10s') as number;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { wait }: { readonly wait?: boolean },
): Promise<number> {
  const daemon = await context.requireDaemon();
  const { stateDir } = await context.project();
  const { pid } = await daemon.get<StatusReport>('/api/status');
  await daemon.post('/api/control/stop');
  if (wait === false) {
    printLine('stopping');
    return 0;
  }
  const limitMs = wait === true ? Number.POSITIVE_INFINITY : (await drainOf(context)) + AFTER_DRAIN_MS;
  const until = performance.now() + limitMs;
  while (!(await isGone(daemon, stateDir, pid))) {
    if (performance.now() > until)
      throw new AppError('NOT_POSSIBLE', `The daemon (pid ${pid}) has not ended yet`, {
        fix: 'Wait for it with `sluice stop --wait`, or send it a second SIGTERM, which ends it at once.',
      });
    await sleep(POLL_MS);
  }
  printLine('stopped');
  return 0;
}

async function drainOf(context: CommandContext): Promise<number> {
  const loaded = await context.load().catch(() => undefined);
  return loaded?.config.daemon.drainMs ?? DEFAULT_DRAIN_MS;
}

/** The lock's note goes last of all; a daemon that was killed leaves it, but then its process is gone. */
async function isGone(daemon: Client, stateDir: string, pid: number | null): Promise<boolean> {
  if (await daemon.isUp()) return false;
  if (readOwner(stateDir)?.pid !== pid) return true;
  try {
    process.kill(pid as number, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
