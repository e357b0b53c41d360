/** `sluice jobs`, `sluice jobs list`: receipts without outputs, newest first. */
import { suggest } from '../../../config/suggest.ts';
import { AppError } from '../../../types/errors.ts';
import type { JobStateName } from '../../../types/job.ts';
import { printableName } from '../../../types/printable-name.ts';
import type { CommandContext } from '../../context.ts';
import { agentOf, shortId, timeOf, tookWords, untilWords, workOf } from '../../job-words.ts';
import { printJson, printTableOr, stateColor, tellIfMore } from '../../print.ts';
import { shortTime } from '../../times.ts';

interface ListOptions {
  readonly state?: readonly JobStateName[];
  readonly agent?: string;
  readonly since?: number;
  readonly limit: number;
  readonly json?: boolean;
}

const commands = ['list', 'show', 'retry', 'cancel', 'release', 'review', 'approve', 'refuse'];

export async function run(
  context: CommandContext,
  [unknown]: readonly string[],
  { state, agent, since, limit, json }: ListOptions,
): Promise<number> {
  // `jobs` alone is `jobs list`, so a slip in the name of another subcommand arrives here.
  if (unknown !== undefined)
    throw new AppError('USAGE', `unknown command "${unknown}" of \`sluice jobs\``, {
      fix: suggest(unknown, commands, 'Commands'),
    });
  await using reader = await context.reader();
  const jobs = await reader.jobs({
    limit,
    ...(state && { states: state }),
    ...(agent !== undefined && { agent }),
    ...(since !== undefined && { endedSince: since }),
  });
  if (json) {
    printJson(jobs);
    return 0;
  }
  printTableOr('no such jobs', jobs, [
    { title: 'job', cell: ({ job_id: id }) => shortId(id) },
    { title: 'state', cell: ({ state: at }) => at, color: ({ state: at }) => stateColor(at) },
    { title: 'file', cell: workOf, cut: 'start' },
    { title: 'agent', cell: agentOf },
    { title: 'when', cell: (job) => shortTime(timeOf(job)) },
    { title: 'took', cell: tookWords, align: 'right' },
    {
      title: 'reason',
      cell: ({ reason = '', message = '', waits_until: until }) =>
        printableName(reason && `${reason}${untilWords(until)}: ${message}`),
      cut: 'end',
    },
  ]);
  tellIfMore(jobs.length, limit);
  return 0;
}
