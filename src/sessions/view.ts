/** Sessions and their values as JSON. For the owner's eyes texts go through the redaction funnel; agents get what they wrote. */
import type { SessionRecord, StateEntry } from '../ledger/session-ledger.ts';
import { type StateType, typeOf } from './changes.ts';

export interface EntryView {
  readonly type: StateType;
  /** Of a private value: the agent. */
  readonly agent?: string;
  readonly key: string;
  readonly value: unknown;
  readonly revision: number;
  readonly expires_at?: string;
  readonly by: string;
  readonly at: string;
}

export interface SessionView {
  readonly session_id: string;
  readonly kind: SessionRecord['kind'];
  readonly title: string;
  readonly state: 'open' | 'ended';
  readonly created_at: string;
  readonly ended_at?: string;
  readonly entries: number;
}

export interface SessionDetail extends SessionView {
  readonly values: readonly EntryView[];
}

type Redact = (text: string) => string;

export function viewEntry(entry: StateEntry, redact?: Redact): EntryView {
  const { owner, key, value, revision, expiresAt, by, at } = entry;
  return {
    type: typeOf(entry),
    ...(owner !== '' && { agent: owner }),
    key: redact ? redact(key) : key,
    value: redact ? redactValue(value, redact) : value,
    revision,
    ...(expiresAt !== undefined && { expires_at: new Date(expiresAt).toISOString() }),
    by,
    at: new Date(at).toISOString(),
  };
}

export function viewSession({ id, kind, title, createdAt, endedAt, entries }: SessionRecord): SessionView {
  return {
    ...{ session_id: id, kind, title, state: endedAt === undefined ? 'open' : 'ended' },
    created_at: new Date(createdAt).toISOString(),
    ...(endedAt !== undefined && { ended_at: new Date(endedAt).toISOString() }),
    entries,
  };
}

/** Every text in it, names of members too. */
function redactValue(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((one) => redactValue(one, redact));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, one]) => [redact(name), redactValue(one, redact)]);
  return Object.fromEntries(members);
}
