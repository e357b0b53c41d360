/** One line that is written over while a run goes on; on something that is no terminal, nothing. */
import type { RunReport } from '../operations/run.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { printableName } from '../types/printable-name.ts';
import { agentWords } from '../types/step-task.ts';
import { shortTime } from './times.ts';

const WIDTH = 24;

export interface Progress extends Disposable {
  /** Something is written: it is a terminal. */
  readonly isLive: boolean;
  show(report: RunReport): void;
  clear(): void;
}

export function createProgress(stream: NodeJS.WriteStream): Progress {
  const isLive = stream.isTTY === true;
  const clear = (): void => void (isLive && stream.write('\r\u001b[K'));
  return {
    isLive,
    show(report) {
      if (isLive) stream.write(`\r\u001b[K${line(report).slice(0, (stream.columns || 80) - 1)}`);
    },
    clear,
    [Symbol.dispose]: clear,
  };
}

/** `quick until 12:00:30 (rate_limit)` */
export function waitWords({ agent, reason, until }: NonNullable<RunReport['waits']>): string {
  return `${printableName(agentWords(agent))} until ${shortTime(until)} (${reason})`;
}

function line({ state, files, duration_ms: durationMs, waits }: RunReport): string {
  const done = files.found - files.open;
  const share = files.found === 0 ? 0 : done / files.found;
  const filled = Math.round(share * WIDTH);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}`;
  const failed = files.failed > 0 ? ` · ${files.failed} failed` : '';
  const scanning = state === 'scanning' ? ' · scanning' : '';
  const waiting = waits ? ` · waits for ${waitWords(waits)}` : '';
  return `${bar} ${done}/${files.found}${failed}${scanning}${waiting} · ${formatElapsed(durationMs)}`;
}
