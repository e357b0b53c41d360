/** `sluice schedules`: when each starts its workflow next, and what became of the last time. */
import { printableName } from '../../types/printable-name.ts';
import type { CommandContext } from '../context.ts';
import { printJson, printTableOr, stateColor, tellIfMore } from '../print.ts';
import { shortTime } from '../times.ts';

interface SchedulesOptions {
  readonly next: number;
  readonly limit: number;
  readonly json?: boolean;
}

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { next, limit, json = false }: SchedulesOptions,
): Promise<number> {
  await using reader = await context.reader();
  const schedules = (await reader.schedules({ next })).slice(0, limit);
  if (json) {
    printJson(schedules);
    return 0;
  }
  printTableOr(
    'no schedules: write one under `schedules`, or `on: {schedule: …}` into a workflow',
    schedules,
    [
      { title: 'schedule', cell: ({ name }) => printableName(name) },
      { title: 'workflow', cell: ({ workflow }) => printableName(workflow) },
      { title: 'next', cell: ({ next: times }) => times.map((at) => shortTime(at)).join(', ') || 'never' },
      { title: 'last', cell: ({ last }) => (last ? shortTime(last.due_at) : '') },
      {
        title: 'which',
        cell: ({ last, waiting_due_at: waiting }) =>
          last ? `${last.state ?? last.outcome}${waiting === undefined ? '' : ', one waits'}` : '',
        color: ({ last }) => stateColor(last?.state ?? ''),
      },
      { title: 'when', cell: ({ cron, timezone }) => printableName(`${cron} (${timezone})`), cut: 'end' },
    ],
  );
  tellIfMore(schedules.length, limit);
  return 0;
}
