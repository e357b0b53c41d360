/** Follows a run of a workflow: a line for each step that ends, progress of many items on a terminal, and how it went. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunReport } from '../aggregator/runs/report.ts';
import type { ProgressLine } from '../operations/workflows/progress.ts';
import type { FollowedRun } from '../operations/workflows/workflow-operations.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { printableName } from '../types/printable-name.ts';
import { printJson, tell } from './print.ts';
import { printRunReport, type RunFiles, shellWord } from './print-workflow.ts';

const POLL_MS = 150;
/** What may not come soon is not waited for, where nobody else can see to it. */
const STILL_MS = 1_500;
const goesFirst = 'another run of its concurrency group goes first';

export interface WorkflowRun {
  readonly id: string;
  follow(after: number): Promise<FollowedRun>;
  report(): Promise<RunReport>;
  /** Of the output folder: where its report is. */
  files(report: RunReport): RunFiles | undefined;
  /** A person can answer while this command waits. */
  readonly canBeAnswered: boolean;
  /** What becomes of it when only the command is stopped. */
  readonly whenStopped: string;
}

/** @returns the exit code. */
export async function followWorkflow(
  run: WorkflowRun,
  { json = false }: { readonly json?: boolean },
  stop: AbortSignal,
): Promise<number> {
  const isLive = process.stderr.isTTY === true && !json;
  const clear = (): void => void (isLive && process.stderr.write('\r\u001b[K'));
  let seen = 0;
  let isTold = false;
  let stillFor = 0;
  let waits: FollowedRun['waits'];
  const startedAt = performance.now();
  for (;;) {
    const {
      run: view,
      is_idle: isIdle,
      is_still: isStill,
      lines,
      counts,
      waits: now,
    } = await run.follow(seen);
    waits = now;
    if (lines.length > 0) clear();
    for (const line of lines) {
      seen = line.n;
      if (!json) tellLine(run.id, line);
    }
    if (isOver(view.state) || stop.aborted) break;
    if (isIdle && !run.canBeAnswered) {
      if (view.state === 'queued' && !json) tell(`${goesFirst}, and waits for a person`);
      break;
    }
    // Once may be the moment between two attempts.
    stillFor = isStill ? stillFor + 1 : 0;
    if (stillFor * POLL_MS > STILL_MS && !run.canBeAnswered) break;
    if (view.state === 'queued' && !isTold) {
      isTold = true;
      if (!json) tell(goesFirst);
    }
    if (isLive) process.stderr.write(`\r\u001b[K${liveLine(counts, performance.now() - startedAt)}`);
    await sleep(POLL_MS, undefined, { signal: stop }).catch(() => {});
  }
  clear();
  const report = await run.report();
  if (json) printJson(report);
  else {
    printRunReport(report, run.files(report));
    if (waits && waits.run_id !== run.id) tellWaits(waits);
    if (!isOver(report.state) && (stop.aborted || stillFor > 0)) tell(run.whenStopped);
  }
  return report.state === 'succeeded' ? 0 : 1;
}

function isOver(state: string): boolean {
  return ['succeeded', 'failed', 'cancelled'].includes(state);
}

const marks: Readonly<Record<string, string>> = {
  succeeded: '✓',
  cached: '✓',
  failed: '✗',
  skipped: '–',
  cancelled: '–',
};

function tellLine(runId: string, line: ProgressLine): void {
  const name = printableName(line.step);
  const said =
    line.message === undefined ? '' : `: ${line.message.split('\n').map(printableName).join('\n  ')}`;
  if (line.what === 'waiting') {
    tell(`… ${name} waits${line.reason ? ` (${line.reason})` : ''}${said}`);
    if (line.asks) tell(`  sluice workflow approve ${runId} ${shellWord(line.step)}`);
  } else if (line.what === 'ended') {
    const took = line.duration_ms === undefined ? '' : ` ${formatElapsed(line.duration_ms)}`;
    const how = line.state === 'succeeded' ? '' : ` ${line.state}${line.reason ? ` (${line.reason})` : ''}`;
    tell(`${marks[line.state] ?? '·'} ${name}${how}${took}${line.state === 'succeeded' ? '' : said}`);
  }
}

/** Of a step in a run that was called: the report of the run itself does not show it. */
function tellWaits({ run_id: id, step, reason, message, fix }: NonNullable<FollowedRun['waits']>): void {
  tell(`… ${printableName(step)} of run ${id} waits${reason ? ` (${reason})` : ''}`);
  for (const line of message?.split('\n') ?? []) tell(`  ${printableName(line)}`);
  if (fix) tell(`  fix: ${fix}`);
}

function liveLine(counts: FollowedRun['counts'], elapsedMs: number): string {
  const parts = Object.entries(counts).map(([step, { total = 0, ...rest }]) => {
    const done = ['succeeded', 'cached', 'failed', 'skipped', 'cancelled'].reduce(
      (sum, key) => sum + (rest[key] ?? 0),
      0,
    );
    return `${printableName(step)} ${done}/${total}`;
  });
  return [...parts, formatElapsed(elapsedMs)].join(' · ').slice(0, (process.stderr.columns || 80) - 1);
}
