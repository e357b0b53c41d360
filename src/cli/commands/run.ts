/** `sluice run`: through the daemon when one runs, by itself otherwise; the same progress and outcome either way. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RunReport, RunRequest } from '../../operations/run.ts';
import { AppError, messageOf } from '../../types/errors.ts';
import type { Receipt } from '../../types/receipt.ts';
import type { Client } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { followRun, untilSignal } from '../follow-run.ts';

interface RunOptions {
  readonly force?: boolean;
  readonly json?: boolean;
  readonly report?: { readonly junit?: string; readonly sarif?: string };
}

export async function run(
  context: CommandContext,
  paths: readonly string[],
  options: RunOptions,
): Promise<number> {
  const request: RunRequest = {
    ...(paths.length > 0 && { paths: paths.map((path) => resolve(path)) }),
    ...(options.force && { force: true }),
  };
  return untilSignal(async (stop) => {
    const daemon = await context.daemon();
    return daemon ? viaDaemon(daemon, request, options, stop) : alone(context, request, options, stop);
  });
}

async function viaDaemon(
  daemon: Client,
  request: RunRequest,
  options: RunOptions,
  stop: AbortSignal,
): Promise<number> {
  const { run_id: id } = await daemon.post<RunReport>('/api/runs', request);
  const receipts = async () => {
    const { job_ids: ids } = await daemon.get<{ job_ids: string[] }>(`/api/runs/${id}/jobs`);
    return Promise.all(ids.map((job) => daemon.get<Receipt>(`/api/jobs/${job}`)));
  };
  const report = () => daemon.get<RunReport>(`/api/runs/${id}`);
  const whenStopped = 'the daemon goes on with it';
  return followRun(
    { report, whenStopped, beforePrint: () => writeReports(receipts, options) },
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
  const receipts = async () => {
    const jobs = await Promise.all(run.jobIds.map((id) => host.ledger.jobs.get(id)));
    return jobs.flatMap((job) => (job ? [host.results.toReceipt(job)] : []));
  };
  const followed = {
    report: async () => run.report(),
    done: run.done,
    whenStopped: 'what was under way is taken up by the next run',
    beforePrint: () => writeReports(receipts, options),
  };
  return await followRun(followed, options, stop);
}

async function writeReports(
  receiptsOf: () => Promise<readonly Receipt[]>,
  { report: targets }: RunOptions,
): Promise<void> {
  if (!targets) return;
  const receipts = await receiptsOf();
  if (targets.junit !== undefined) {
    const { junitReport } = await import('../../aggregator/junit.ts');
    write(targets.junit, junitReport(receipts));
  }
  if (targets.sarif !== undefined) {
    const { sarifReport } = await import('../../aggregator/sarif.ts');
    write(targets.sarif, sarifReport(receipts));
  }
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new AppError('OUTPUT_UNWRITABLE', `Cannot write the report "${file}": ${messageOf(cause)}`, {
      cause,
      fix: 'Name a file in a folder that exists and that you may write.',
    });
  }
}
