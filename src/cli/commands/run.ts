/** `sluice run`: through the daemon when one runs, by itself otherwise; the same progress and outcome either way. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunReport, RunRequest } from '../../operations/run.ts';
import type { Receipt } from '../../types/receipt.ts';
import type { Client } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { printRun } from '../print-run.ts';
import { createProgress } from '../progress.ts';

interface RunOptions {
  readonly force?: boolean;
  readonly json?: boolean;
  readonly report?: { readonly junit?: string; readonly sarif?: string };
}

interface FollowedRun {
  report(): Promise<RunReport>;
  receipts(): Promise<readonly Omit<Receipt, 'outputs'>[]>;
}

const POLL_MS = 100;

export async function run(
  context: CommandContext,
  paths: readonly string[],
  options: RunOptions,
): Promise<number> {
  const request: RunRequest = {
    ...(paths.length > 0 && { paths: paths.map((path) => resolve(path)) }),
    ...(options.force && { force: true }),
  };
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(1);
    stop.abort(signal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    const daemon = await context.daemon();
    return daemon
      ? await viaDaemon(daemon, request, options, stop.signal)
      : await alone(context, request, options, stop.signal);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

async function viaDaemon(
  daemon: Client,
  request: RunRequest,
  options: RunOptions,
  stop: AbortSignal,
): Promise<number> {
  const { run_id: id } = await daemon.post<RunReport>('/api/runs', request);
  return follow(
    {
      report: () => daemon.get(`/api/runs/${id}`),
      async receipts() {
        const { job_ids: ids } = await daemon.get<{ job_ids: string[] }>(`/api/runs/${id}/jobs`);
        return Promise.all(ids.map((job) => daemon.get<Receipt>(`/api/jobs/${job}`)));
      },
    },
    options,
    stop,
  );
}

async function alone(
  context: CommandContext,
  request: RunRequest,
  options: RunOptions,
  stop: AbortSignal,
): Promise<number> {
  const { openAlone } = await import('../alone.ts');
  await using project = await openAlone(context, 'run', stop);
  const { host, operations } = project;
  const run = operations.startRun(request);
  return await follow(
    {
      report: async () => run.report(),
      async receipts() {
        const jobs = await Promise.all(run.jobIds.map((id) => host.ledger.jobs.get(id)));
        return jobs.flatMap((job) => (job ? [host.results.toReceipt(job)] : []));
      },
    },
    options,
    stop,
    run.done,
  );
}

async function follow(
  run: FollowedRun,
  options: RunOptions,
  stop: AbortSignal,
  done?: Promise<unknown>,
): Promise<number> {
  using progress = createProgress(process.stderr);
  let report = await run.report();
  while (report.state === 'scanning' || report.state === 'running') {
    progress.show(report);
    await Promise.race([
      sleep(POLL_MS, undefined, { signal: stop }).catch(() => {}),
      ...(done ? [done] : []),
    ]);
    if (stop.aborted) break;
    report = await run.report();
  }
  progress.clear();
  await writeReports(run, options);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else printRun(report, stop.aborted);
  return report.state === 'succeeded' ? 0 : 1;
}

async function writeReports(run: FollowedRun, { report: targets }: RunOptions): Promise<void> {
  if (!targets) return;
  const receipts = (await run.receipts()).map((receipt) => ({ outputs: [], ...receipt }));
  if (targets.junit !== undefined) {
    const { junitReport } = await import('../../aggregator/junit.ts');
    writeFileSync(targets.junit, junitReport(receipts));
  }
  if (targets.sarif !== undefined) {
    const { sarifReport } = await import('../../aggregator/sarif.ts');
    writeFileSync(targets.sarif, sarifReport(receipts));
  }
}
