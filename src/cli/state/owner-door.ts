/**
 * The state of a session for the owner: through the daemon while one runs. Without one the ledger itself is asked, to read
 * beside a `sluice run`, to write under the project's lock.
 */
import type { Sessions } from '../../sessions/sessions.ts';
import { AppError } from '../../types/errors.ts';
import type { Answer } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { redactionOf } from '../redaction.ts';
import type { StateCommand } from './command.ts';
import type { StateDoor } from './door.ts';

export async function ownerDoor(
  context: CommandContext,
  command: StateCommand,
): Promise<StateDoor & AsyncDisposable> {
  const { session, agent } = command;
  if (session === undefined)
    throw new AppError('USAGE', 'Outside of an attempt the session has to be named', {
      fix: 'Add `--session ID`; `sluice sessions` lists them.',
    });
  const daemon = await context.daemon();
  if (daemon)
    return {
      ask: (method, path, body) =>
        daemon.ask(method, withAgent(`/api/sessions/${encodeURIComponent(session)}${path}`, agent), body),
      async [Symbol.asyncDispose]() {},
    };
  if (command.do === 'lock')
    throw new AppError('NOT_RUNNING', 'No daemon runs for this project: nobody else could want the lock', {
      fix: 'Run the command as it is.',
    });
  await using opening = new AsyncDisposableStack();
  const isReading = command.do === 'get' || command.do === 'list';
  const ledger = isReading ? await readOnly(context) : opening.use(await locked(context, command.do)).ledger;
  if (isReading) opening.use(ledger);
  const [{ Sessions: Opened }, { askSession }] = await Promise.all([
    import('../../sessions/sessions.ts'),
    import('../../operations/sessions.ts'),
  ]);
  const sessions: Sessions = opening.use(
    new Opened({ ledger: ledger.sessions, durable: () => ledger.durable(), now: Date.now }),
  );
  const host = { sessions, redaction: () => redactionOf(context) };
  const stack = opening.move();
  return {
    async ask(method, path, body): Promise<Answer> {
      const request = { method, path, ...(body !== undefined && { body }) };
      const named = agent === undefined ? {} : { agent };
      const { status, body: value } = await askSession(host, { session, request, ...named });
      return { status, value };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function withAgent(path: string, agent: string | undefined): string {
  return agent === undefined
    ? path
    : `${path}${path.includes('?') ? '&' : '?'}agent=${encodeURIComponent(agent)}`;
}

async function readOnly(context: CommandContext) {
  const { stateDir } = await context.project();
  const { hasLedger, openSqliteLedger } = await import('../../ledger/sqlite/open.ts');
  if (hasLedger(stateDir)) return openSqliteLedger({ stateDir, readOnly: true }).ledger;
  throw new AppError('NOT_FOUND', 'Nothing has run in this project yet', { fix: 'Run `sluice run`.' });
}

async function locked(context: CommandContext, what: string) {
  const { openOffline } = await import('../offline.ts');
  return openOffline(context, `state ${what}`);
}
