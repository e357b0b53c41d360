/** Sessions from the daemon while it runs, else from the ledger, opened for reading only. Both give the same shapes. */
import type { SessionDetail, SessionView } from '../sessions/view.ts';
import { AppError } from '../types/errors.ts';
import type { CommandContext } from './context.ts';

export interface SessionReader extends AsyncDisposable {
  list(limit: number): Promise<readonly SessionView[]>;
  /** @param prefix Of a session's id. @throws {AppError} `NOT_FOUND`, `USAGE`. */
  show(prefix: string): Promise<SessionDetail>;
}

export async function openSessionReader(context: CommandContext): Promise<SessionReader> {
  const daemon = await context.daemon();
  if (daemon)
    return {
      async list(limit) {
        return (await daemon.get<{ sessions: SessionView[] }>('/api/sessions', { limit })).sessions;
      },
      show: (prefix) => daemon.get(`/api/sessions/${encodeURIComponent(prefix)}`),
      async [Symbol.asyncDispose]() {},
    };
  const [{ stateDir }, { hasLedger, openSqliteLedger }, { findSession }, { viewEntry, viewSession }] =
    await Promise.all([
      context.project(),
      import('../ledger/sqlite/open.ts'),
      import('../sessions/sessions.ts'),
      import('../sessions/view.ts'),
    ]);
  const ledger = hasLedger(stateDir) ? openSqliteLedger({ stateDir, readOnly: true }).ledger : undefined;
  return {
    list: async (limit) => ((await ledger?.sessions.list(limit)) ?? []).map(viewSession),
    async show(prefix) {
      if (!ledger)
        throw new AppError('NOT_FOUND', `There is no session "${prefix}"`, {
          fix: 'Nothing has run in this project yet.',
        });
      const session = await findSession(ledger.sessions, prefix);
      const { redactionOf } = await import('./redaction.ts');
      const redact = await redactionOf(context);
      const values = (await ledger.sessions.entries(session.id)).map((entry) => viewEntry(entry, redact));
      return { ...viewSession(session), values };
    },
    async [Symbol.asyncDispose]() {
      await ledger?.[Symbol.asyncDispose]();
    },
  };
}
