/** `sluice logs`: from the log's files, with and without a daemon. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLevel } from '../../config/config.ts';
import { AppError } from '../../types/errors.ts';
import { printableName } from '../../types/printable-name.ts';
import type { CommandContext } from '../context.ts';
import { untilSignal } from '../follow-run.ts';
import { type LogFilter, type LogLine, LogTail, readLog } from '../log-lines.ts';
import { paint } from '../paint.ts';
import { printLine, tell } from '../print.ts';
import { shortTime } from '../times.ts';

interface LogsOptions extends LogFilter {
  readonly follow?: boolean;
  readonly limit: number;
  readonly json?: boolean;
  readonly setLevel?: LogLevel;
}

const POLL_MS = 200;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { follow = false, json = false, limit, setLevel, ...filter }: LogsOptions,
): Promise<number> {
  if (setLevel !== undefined) {
    if (follow || json || Object.keys(filter).length > 0)
      throw new AppError('USAGE', '`--set-level` prints no lines, so it goes with no other option', {
        fix: `Run \`sluice logs --set-level ${setLevel}\` alone.`,
      });
    const daemon = await context.requireDaemon();
    await daemon.post('/api/control/log-level', { level: setLevel });
    printLine(`the daemon logs from level ${setLevel} on, until it is started again`);
    return 0;
  }
  const { stateDir } = await context.project();
  const dir = join(stateDir, 'logs');
  const show = json ? showJson : showLine;
  using tail = follow ? new LogTail(dir, filter) : undefined;
  const lines = readLog(dir, filter, limit);
  if (lines.length === 0 && !tail) tell('no such lines');
  for (const line of lines) show(line);
  // What was written between finding the end and reading up to it would come twice.
  const shown = new Set(lines.map((line) => JSON.stringify(line)));
  if (tail)
    await untilSignal(async (stop) => {
      while (!stop.aborted) {
        for (const line of tail.next()) if (!shown.delete(JSON.stringify(line))) show(line);
        await sleep(POLL_MS, undefined, { signal: stop }).catch(() => {});
      }
    });
  return 0;
}

/** One line each, also on a terminal: it is a stream. */
function showJson(line: LogLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function showLine({ time, level, msg }: LogLine): void {
  const tone = { debug: 'dim', info: 'green', warning: 'yellow', error: 'red', critical: 'red' } as const;
  printLine(
    `${paint('dim', shortTime(time))} ${paint(tone[level] ?? 'dim', level.toUpperCase().padEnd(8))} ${printableName(msg)}`,
  );
}
