/** `sluice state`: inside an attempt by its token; for the owner through the daemon, or on the ledger when none runs. */
import { AppError } from '../../types/errors.ts';
import type { CommandContext } from '../context.ts';
import { type StateCommand, type StateOptions, toCommand } from '../state/command.ts';
import { attemptDoor } from '../state/door.ts';
import { ownerDoor } from '../state/owner-door.ts';
import { perform } from '../state/perform.ts';

/** @param what `get`, `set` … */
export function runOf(what: string) {
  return async (
    context: CommandContext,
    words: readonly string[],
    options: StateOptions,
  ): Promise<number> => {
    const command = toCommand(what, words, options);
    if (command === undefined) throw new AppError('USAGE', misuse(what), { fix: examples[what] ?? '' });
    const inside = attemptDoor(context.env, command);
    if (inside) return perform(command, inside);
    await using door = await ownerDoor(context, command);
    return await perform(forOwner(command), door);
  };
}

/** For the owner an agent's name says that its private state is meant. */
function forOwner(command: StateCommand): StateCommand {
  return command.agent === undefined || !('isPrivate' in command) ? command : { ...command, isPrivate: true };
}

function misuse(what: string): string {
  if (what === 'set') return 'Give one value: as a word, by `--json-value`, or `-` for stdin';
  if (what === 'lock') return 'Name the command that is to run while the lock is held';
  return `These are not the words of \`sluice state ${what}\``;
}

const examples: Readonly<Record<string, string>> = {
  set: 'Write `sluice state set KEY VALUE`, or `sluice state set KEY --json-value 5`.',
  lock: 'Write `sluice state lock NAME -- COMMAND`.',
};
