/** The owner's view of sessions: texts go through the redaction funnel, and private state is everybody's. */
import { answerState, type StateAnswer, type StateRequest } from '../sessions/requests.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { type SessionDetail, type SessionView, viewEntry, viewSession } from '../sessions/view.ts';

export interface SessionsHost {
  readonly sessions: Sessions;
  /** Texts as they may be shown. */
  redaction(): Promise<(text: string) => string>;
}

export async function listSessions(
  { sessions }: Pick<SessionsHost, 'sessions'>,
  limit: number,
): Promise<readonly SessionView[]> {
  return (await sessions.list(limit)).map(viewSession);
}

/** @param prefix Of an id, as short as it is unique. @throws {AppError} `NOT_FOUND`, `USAGE`. */
export async function showSession(
  { sessions, redaction }: SessionsHost,
  prefix: string,
): Promise<SessionDetail> {
  const session = await sessions.find(prefix);
  const redact = await redaction();
  const values = (await sessions.entries(session.id)).map((entry) => viewEntry(entry, redact));
  return { ...viewSession(session), values };
}

/**
 * Reads or writes its state as an attempt would.
 * @param o.agent Whose private state is meant.
 * @throws {AppError} what the answer would be a problem for.
 */
export async function askSession(
  { sessions, redaction }: SessionsHost,
  o: { readonly session: string; readonly agent?: string; readonly request: StateRequest },
): Promise<StateAnswer> {
  const { id } = await sessions.find(o.session);
  const agent = o.agent === undefined ? {} : { agent: o.agent };
  const state = sessions.stateOf({ session: id, ...agent, by: 'cli', holder: 'the owner' });
  return answerState(state, o.request, { limits: sessions.limits, redact: await redaction() });
}
