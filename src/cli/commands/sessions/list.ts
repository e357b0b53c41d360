/** `sluice sessions`, `sluice sessions list`: newest first. */
import { suggest } from '../../../config/suggest.ts';
import { AppError } from '../../../types/errors.ts';
import { printableName } from '../../../types/printable-name.ts';
import type { CommandContext } from '../../context.ts';
import { printJson, printTableOr, tellIfMore } from '../../print.ts';
import { openSessionReader } from '../../session-reader.ts';
import { shortTime } from '../../times.ts';

interface ListOptions {
  readonly limit: number;
  readonly json?: boolean;
}

export async function run(
  context: CommandContext,
  [unknown]: readonly string[],
  { limit, json }: ListOptions,
): Promise<number> {
  // `sessions` alone is `sessions list`, so a slip in the name of another subcommand arrives here.
  if (unknown !== undefined)
    throw new AppError('USAGE', `unknown command "${unknown}" of \`sluice sessions\``, {
      fix: suggest(unknown, ['list', 'show'], 'Commands'),
    });
  await using reader = await openSessionReader(context);
  const sessions = await reader.list(limit);
  if (json) {
    printJson(sessions);
    return 0;
  }
  printTableOr('no sessions', sessions, [
    { title: 'session', cell: ({ session_id: id }) => id },
    { title: 'state', cell: ({ state }) => state },
    { title: 'kind', cell: ({ kind }) => kind },
    { title: 'values', cell: ({ entries }) => String(entries), align: 'right' },
    { title: 'began', cell: ({ created_at: at }) => shortTime(at) },
    { title: 'of', cell: ({ title }) => printableName(title), cut: 'end' },
  ]);
  tellIfMore(sessions.length, limit);
  return 0;
}
