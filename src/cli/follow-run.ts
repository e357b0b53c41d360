/** Follows a run to its end with progress on a terminal, and prints how it went. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunReport } from '../operations/run.ts';
import { printableName } from '../types/printable-name.ts';
import { printJson, tell } from './print.ts';
import { printRun } from './print-run.ts';
import { createProgress, waitWords } from './progress.ts';

const POLL_MS = 100;

export interface FollowedRun {
  /** What becomes of it when only the command is stopped. */
  readonly whenStopped: string;
  report(): Promise<RunReport>;
  /** Resolves when the run has ended; absent: it is asked for. */
  readonly done?: Promise<unknown>;
  /** Called with the end, before the outcome is printed. */
  readonly beforePrint?: () => Promise<void>;
}

/** @returns the exit code. */
export async function followRun(
  run: FollowedRun,
  { json = false }: { readonly json?: boolean },
  stop: AbortSignal,
): Promise<number> {
  using progress = createProgress(process.stderr);
  let report = await run.report();
  let told: string | undefined;
  while (report.state === 'scanning' || report.state === 'running') {
    progress.show(report);
    const { waits } = report;
    if (waits && waits.until !== told && !json && !progress.isLive)
      tell(`waits for ${waitWords(waits)}: ${printableName(waits.message)}`);
    told = waits?.until ?? told;
    await Promise.race([
      sleep(POLL_MS, undefined, { signal: stop }).catch(() => {}),
      ...(run.done ? [run.done] : []),
    ]);
    if (stop.aborted) break;
    report = await run.report();
  }
  progress.clear();
  await run.beforePrint?.();
  if (json) printJson(report);
  else printRun(report, stop.aborted ? run.whenStopped : undefined);
  return report.state === 'succeeded' ? 0 : 1;
}

/** The first Ctrl-C (or SIGTERM) aborts what is under way, the second leaves at once. */
export async function untilSignal<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(1);
    stop.abort(signal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return await work(stop.signal);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}
