/**
 * What can be asked of a session's state, as HTTP would say it: one meaning for the socket of attempts, the owner's API and
 * a command that works on the ledger itself.
 *
 *     GET    /state                  {entries}
 *     GET    /state/KEY?type=private an entry, or 404
 *     POST   /transaction            {changes: [...]} → {revisions}, or 409 with the revision that is there
 *     POST   /locks/NAME             {ttl, wait} → {id, until}; {id, ttl} renews
 *     DELETE /locks/NAME/ID          {was_held}
 */
import { AppError } from '../types/errors.ts';
import { readChanges, readTime, readType } from './changes.ts';
import { checkName, type StateLimits } from './limits.ts';
import type { SessionState } from './state.ts';
import { viewEntry } from './view.ts';

export interface StateRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Parsed. */
  readonly body?: unknown;
  /** Whoever asked waits no longer. */
  readonly signal?: AbortSignal;
}

export interface StateAnswer {
  readonly status: number;
  readonly body: unknown;
}

const LEASE_MS = 60_000;

/**
 * @param o.redact For people: texts of values as they may be shown.
 * @throws {AppError} what the answer would be a problem for.
 */
export async function answerState(
  state: SessionState,
  { method, path, body, signal }: StateRequest,
  o: { readonly limits: StateLimits; readonly redact?: (text: string) => string },
): Promise<StateAnswer> {
  const { words, query } = splitPath(path);
  const [what, name, id] = words;
  const given = membersOf(body);
  const route = `${method} ${what}/${words.length}`;
  switch (route) {
    case 'GET state/1': {
      const entries = await state.list();
      return { status: 200, body: { entries: entries.map((entry) => viewEntry(entry, o.redact)) } };
    }
    case 'GET state/2': {
      const key = checkName('key', name, o.limits);
      const entry = await state.get(key, readType(query.get('type') ?? 'shared', 'query'));
      if (entry) return { status: 200, body: viewEntry(entry, o.redact) };
      throw new AppError('NOT_FOUND', `There is no value under "${key}"`, {
        fix: 'It was never set, was deleted, or has expired: `sluice state list` shows what is there.',
      });
    }
    case 'POST transaction/1': {
      const result = await state.commit(readChanges(given.changes, o.limits));
      if (result.kind === 'committed') return { status: 200, body: { revisions: result.revisions } };
      const { type, key, revision } = result;
      return { status: 409, body: { ...conflictProblem(key, revision), type, key, revision } };
    }
    case 'POST locks/2': {
      const lock = checkName('lock', name, o.limits);
      const ttlMs = readTime(given.ttl_ms ?? given.ttl, 'ttl') ?? LEASE_MS;
      if (typeof given.id === 'string') return lockAnswer(await state.renew(lock, given.id, ttlMs));
      const waitMs = readTime(given.wait_ms ?? given.wait, 'wait') ?? 0;
      return lockAnswer(await state.lock(lock, { ttlMs, waitMs, ...(signal && { signal }) }));
    }
    case 'DELETE locks/3':
      return { status: 200, body: { was_held: await state.unlock(name ?? '', id ?? '') } };
    default:
      throw new AppError('NOT_FOUND', `No route ${method} ${path.slice(0, 200)}`, {
        fix: 'See docs/state.md.',
      });
  }
}

function conflictProblem(key: string, revision: number): object {
  return {
    code: 'CONFLICT',
    detail: `"${key}" is at revision ${revision}${revision === 0 ? ' (it is not there)' : ''}: nothing was changed`,
    fix: 'Read it again, and write by the revision that is there now.',
  };
}

function lockAnswer({ id, until }: { readonly id: string; readonly until: number }): StateAnswer {
  return { status: 200, body: { id, until: new Date(until).toISOString() } };
}

function splitPath(path: string): { readonly words: readonly string[]; readonly query: URLSearchParams } {
  const [way = '', query = ''] = path.split('?', 2);
  try {
    return { words: way.slice(1).split('/').map(decodeURIComponent), query: new URLSearchParams(query) };
  } catch {
    throw new AppError('USAGE', 'The path is not well encoded', { fix: 'Write it as a URL does.' });
  }
}

function membersOf(body: unknown): Readonly<Record<string, unknown>> {
  if (body === undefined) return {};
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>;
  throw new AppError('USAGE', 'The body is no JSON object', { fix: 'See docs/state.md.' });
}
