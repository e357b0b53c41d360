/**
 * The ledger of a project that nobody works on, for small changes (`jobs cancel`, `reports rebuild`): under the project's
 * lock, but without agents and without a coordinator, which would begin to work through the queue.
 */
import type { Ledger } from '../ledger/ledger.ts';
import type { CommandContext } from './context.ts';

export interface Offline extends AsyncDisposable {
  readonly ledger: Ledger;
}

/** @throws AppError PROJECT_LOCKED while a `run` works; LEDGER_NEWER … */
export async function openOffline(context: CommandContext, command: string): Promise<Offline> {
  const [{ stateDir }, { lockProject }, { openSqliteLedger }] = await Promise.all([
    context.project(),
    import('../ledger/lock.ts'),
    import('../ledger/sqlite/open.ts'),
  ]);
  await using opening = new AsyncDisposableStack();
  const lock = opening.use(lockProject(stateDir, command));
  const { ledger } = openSqliteLedger({ stateDir, verify: lock.wasUnclean });
  opening.use(ledger);
  const stack = opening.move();
  return { ledger, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
