/** `sluice sessions show`: a session and all of its values, everybody's private ones too. */
import { printableName } from '../../../types/printable-name.ts';
import type { CommandContext } from '../../context.ts';
import { paint } from '../../paint.ts';
import { printJson, printLine } from '../../print.ts';
import { openSessionReader } from '../../session-reader.ts';
import { printEntries } from '../../state/perform.ts';
import { shortTime } from '../../times.ts';

export async function run(
  context: CommandContext,
  [id = '']: readonly string[],
  { json }: { readonly json?: boolean },
): Promise<number> {
  await using reader = await openSessionReader(context);
  const session = await reader.show(id);
  if (json) {
    printJson(session);
    return 0;
  }
  const { session_id, title, kind, state, created_at: began, ended_at: ended, values } = session;
  printLine(`${paint('bold', session_id)}  ${printableName(title)} (${kind}), ${state}`);
  printLine(`  began ${shortTime(began)}${ended === undefined ? '' : `, ended ${shortTime(ended)}`}`);
  printEntries(values);
  return 0;
}
