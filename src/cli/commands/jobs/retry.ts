/** `sluice jobs retry`: through the daemon, which goes on with them by itself; without one here, to the end, like `run`. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RetryRequest, Take } from '../../../operations/retry.ts';
import { AppError } from '../../../types/errors.ts';
import { nestingOf } from '../../../types/nesting.ts';
import { printableName } from '../../../types/printable-name.ts';
import type { CommandContext } from '../../context.ts';
import { followRun, untilSignal } from '../../follow-run.ts';
import { shortId } from '../../job-words.ts';
import { printJson, printLine, tell } from '../../print.ts';

interface RetryOptions {
  readonly failed?: boolean;
  readonly since?: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

export async function run(
  context: CommandContext,
  given: readonly string[],
  { failed = false, since, force = false, json = false }: RetryOptions,
): Promise<number> {
  if (given.length === 0 && !failed)
    throw new AppError('USAGE', 'Nothing to retry was named', {
      fix: 'Name jobs or files, or use `sluice jobs retry --failed`.',
    });
  if (since !== undefined && !failed)
    throw new AppError('USAGE', '`--since` needs `--failed`', { fix: 'Use `--failed --since 1d`.' });
  const targets = given.map(asTarget);
  const { depth, parent } = nestingOf(context.env);
  const nesting = { ...(depth > 0 && { depth }), ...(parent !== undefined && { parent }) };
  const daemon = await context.daemon();
  if (!daemon) {
    const request = { targets, failed, force, ...nesting, ...(since !== undefined && { endedSince: since }) };
    return untilSignal((stop) => alone(context, request, json, stop));
  }
  const taken = await daemon.post<Take>('/api/jobs/retry', {
    targets,
    failed,
    force,
    ...nesting,
    ...(since !== undefined && { ended_since: since }),
  });
  if (json) printJson(taken);
  else printTaken(taken);
  return taken.skipped.length > 0 ? 1 : 0;
}

async function alone(
  context: CommandContext,
  request: RetryRequest,
  json: boolean,
  stop: AbortSignal,
): Promise<number> {
  const { openAlone } = await import('../../alone.ts');
  await using project = await openAlone(context, 'jobs retry', stop);
  const run = project.operations.startRun({ retry: request });
  const followed = {
    report: async () => run.report(),
    done: run.done,
    whenStopped: 'what was under way is taken up by the next run',
  };
  const code = await followRun(followed, { json }, stop);
  if (!json) tellSkipped(run.report().skipped ?? []);
  return code;
}

/** A job's id stays as it is; a path is made absolute here, where it was written. */
function asTarget(text: string): string {
  return /^[0-9a-f]{4,16}$/.test(text) && !existsSync(text) ? text : resolve(text);
}

function printTaken({ job_ids: ids, skipped }: Take): void {
  const shown = ids.slice(0, 10).map(shortId).join(', ');
  printLine(
    ids.length === 0
      ? 'nothing was put in the queue'
      : `${ids.length} ${ids.length === 1 ? 'job is' : 'jobs are'} in the queue: ${shown}${ids.length > 10 ? ' …' : ''}`,
  );
  tellSkipped(skipped);
}

function tellSkipped(skipped: Take['skipped']): void {
  for (const { target, reason } of skipped) tell(`skipped ${printableName(target)}: ${reason}`);
}
