/** `sluice run`: through the daemon when one runs, by itself otherwise; the same progress and outcome either way. */
import { writeFileSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { contains } from '../../config/contains.ts';
import type { RunReport, RunRequest } from '../../operations/run.ts';
import { AppError, messageOf } from '../../types/errors.ts';
import { nestingOf } from '../../types/nesting.ts';
import type { Receipt } from '../../types/receipt.ts';
import type { Client } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { followRun, untilSignal } from '../follow-run.ts';
import { readVersion } from '../version.ts';

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
  const { depth, parent } = nestingOf(context.env);
  const request: RunRequest = {
    ...(depth > 0 && { depth }),
    ...(parent !== undefined && { parent }),
    ...(paths.length > 0 && { paths: paths.map((path) => resolve(path)) }),
    ...(options.force && { force: true }),
  };
  return untilSignal(async (stop) => {
    const daemon = await context.daemon();
    return daemon
      ? viaDaemon(context, daemon, request, options, stop)
      : alone(context, request, options, stop);
  });
}

async function viaDaemon(
  context: CommandContext,
  daemon: Client,
  request: RunRequest,
  options: RunOptions,
  stop: AbortSignal,
): Promise<number> {
  const { run_id: id } = await daemon.post<RunReport>('/api/files/runs', request);
  const receipts = inPages(async (from, limit) => {
    const page = await daemon.get<{ receipts: Receipt[] }>(`/api/files/runs/${id}/receipts`, { from, limit });
    return page.receipts;
  });
  const report = () => daemon.get<RunReport>(`/api/files/runs/${id}`);
  const whenStopped = 'the daemon goes on with it';
  return followRun(
    { report, whenStopped, beforePrint: () => writeReports(context, receipts, options) },
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
  const { operations } = project;
  const run = operations.startRun(request);
  const receipts = inPages((from, limit) => run.receipts(from, limit));
  const followed = {
    report: async () => run.report(),
    done: run.done,
    whenStopped: 'what was under way is taken up by the next run',
    beforePrint: () => writeReports(context, receipts, options),
  };
  return await followRun(followed, options, stop);
}

const PAGE = 1_000;

function inPages(read: (from: number, limit: number) => Promise<readonly Receipt[]>) {
  return async (): Promise<readonly Receipt[]> => {
    const all: Receipt[] = [];
    for (;;) {
      const page = await read(all.length, PAGE);
      all.push(...page);
      if (page.length < PAGE) return all;
    }
  };
}

async function writeReports(
  context: CommandContext,
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
    write(
      targets.sarif,
      sarifReport(receipts, { rootUris: await rootUris(context), toolVersion: readVersion() }),
    );
  }
}

/** Relative to the project folder where they lie in it, as code scanning wants them. */
async function rootUris(context: CommandContext): Promise<ReadonlyMap<string, string>> {
  const { projectDir, roots } = await context.config();
  return new Map(
    roots.map(({ name, dir }) => {
      const path = relative(projectDir, dir).split(sep).join('/');
      const uri = contains(projectDir, dir) ? encodeURI(path) : pathToFileURL(dir).href;
      return [name, uri === '' ? './' : `${uri}/`];
    }),
  );
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
