/** `sluice workflow list`: the workflows with their last run; with `--runs` the runs, newest first. */
import { suggest } from '../../../config/suggest.ts';
import { formatElapsed } from '../../../types/elapsed.ts';
import { AppError } from '../../../types/errors.ts';
import { printableName } from '../../../types/printable-name.ts';
import type { RunState } from '../../../types/run.ts';
import type { CommandContext } from '../../context.ts';
import { printJson, printTableOr, stateColor, tellIfMore } from '../../print.ts';
import { shortTime } from '../../times.ts';

interface ListOptions {
  readonly runs?: boolean;
  readonly workflow?: string;
  readonly state?: readonly RunState[];
  readonly all?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

const commands = ['list', 'run', 'show', 'cancel', 'resume', 'approve', 'reject', 'validate', 'graph', 'new'];

export async function run(
  context: CommandContext,
  [unknown]: readonly string[],
  { runs = false, workflow, state, all, limit, json = false }: ListOptions,
): Promise<number> {
  // `workflow` alone is `workflow list`, so a slip in the name of another subcommand arrives here.
  if (unknown !== undefined)
    throw new AppError('USAGE', `unknown command "${unknown}" of \`sluice workflow\``, {
      fix: suggest(unknown, commands, 'Commands'),
    });
  await using reader = await context.reader();
  if (!runs && workflow === undefined && !state && !all) {
    const workflows = (await reader.workflows()).slice(0, limit);
    if (json) printJson(workflows);
    else
      printTableOr(
        'no workflows: write one into `workflows/`, or `sluice workflow new --template code-quality`',
        workflows,
        [
          { title: 'workflow', cell: ({ name }) => printableName(name) },
          { title: 'steps', cell: ({ steps }) => String(steps), align: 'right' },
          { title: 'last run', cell: ({ last_run: last }) => (last ? shortTime(last.created_at) : '') },
          {
            title: 'state',
            cell: ({ last_run: last }) => last?.state ?? '',
            color: ({ last_run: last }) => stateColor(last?.state ?? ''),
          },
          { title: 'starts on', cell: ({ triggers }) => printableName(triggers.join('; ')), cut: 'end' },
          { title: 'description', cell: ({ description = '' }) => printableName(description), cut: 'end' },
        ],
      );
    return 0;
  }
  const found = await reader.runs({
    limit,
    ...(workflow !== undefined && { workflow }),
    ...(state && { states: state }),
    ...(all && { all }),
  });
  if (json) {
    printJson(found);
    return 0;
  }
  printTableOr('no such runs', found, [
    { title: 'run', cell: ({ run_id: id }) => id },
    { title: 'workflow', cell: ({ workflow: name }) => printableName(name) },
    { title: 'state', cell: ({ state: at }) => at, color: ({ state: at }) => stateColor(at) },
    { title: 'started by', cell: ({ trigger }) => printableName(trigger), cut: 'start' },
    { title: 'when', cell: ({ created_at: at }) => shortTime(at) },
    {
      title: 'took',
      cell: ({ duration_ms: ms }) => (ms === undefined ? '' : formatElapsed(ms)),
      align: 'right',
    },
    { title: 'why', cell: ({ message = '' }) => printableName(message), cut: 'end' },
  ]);
  tellIfMore(found.length, limit);
  return 0;
}
