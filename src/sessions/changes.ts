/** Changes as people and agents write them (`type` says who sees a value) and what they are in the ledger (`owner`). */
import { parseDuration } from '../config/duration.ts';
import type { StateEntry } from '../ledger/session-ledger.ts';
import { AppError } from '../types/errors.ts';
import { checkName, checkTime, checkValue, limitError, type StateLimits } from './limits.ts';

/** `shared`: all of the session. `private`: one agent. `temporary`: shared, and gone after its `ttl`. */
export type StateType = 'shared' | 'private' | 'temporary';
export const stateTypes: readonly StateType[] = ['shared', 'private', 'temporary'];

interface Place {
  readonly type: StateType;
  readonly key: string;
  readonly ifRevision?: number;
}

export type Change =
  | (Place & { readonly op: 'set'; readonly value: unknown; readonly ttlMs?: number })
  | (Place & { readonly op: 'delete' })
  /** Changes nothing; nothing is changed unless it holds. */
  | (Place & { readonly op: 'check'; readonly ifRevision: number })
  /** A number that is counted on; 0 when it is not there. It never conflicts. */
  | (Omit<Place, 'ifRevision'> & { readonly op: 'add'; readonly by: number; readonly ttlMs?: number });

const members: Readonly<Record<Change['op'], readonly string[]>> = {
  set: ['value', 'ttl', 'ttl_ms', 'if_revision'],
  delete: ['if_revision'],
  check: ['if_revision'],
  add: ['by', 'ttl', 'ttl_ms'],
};

/**
 * @param value From JSON: a list of changes.
 * @throws {AppError} `USAGE`, `STATE_LIMIT`, naming the change.
 */
export function readChanges(value: unknown, limits: StateLimits): readonly Change[] {
  if (!Array.isArray(value) || value.length === 0)
    throw usage('A transaction is a list of changes', 'Write [{"op": "set", "key": "a", "value": 1}].');
  if (value.length > limits.changes)
    throw limitError(
      `A transaction of ${value.length} changes is too long; at most ${limits.changes} are allowed`,
      'Divide it.',
    );
  const changes = value.map((one, at) => readChange(one, `change ${at + 1}`, limits));
  const seen = new Set<string>();
  for (const { type, key } of changes) {
    const place = JSON.stringify([type === 'private', key]);
    if (seen.has(place)) throw usage(`The transaction names "${key}" twice`, 'Say once what becomes of it.');
    seen.add(place);
  }
  return changes;
}

function readChange(value: unknown, where: string, limits: StateLimits): Change {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw usage(`${where} is no object`, 'Write {"op": "set", "key": "a", "value": 1}.');
  const given = value as Readonly<Record<string, unknown>>;
  const op = given.op as Change['op'];
  if (!Object.hasOwn(members, String(op)))
    throw usage(`${where}: \`op\` is ${JSON.stringify(op)}`, 'Use set, delete, check or add.');
  const known = ['op', 'type', 'key', ...members[op]];
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw usage(`${where}: \`${op}\` has no "${name}"`, `Allowed are ${known.join(', ')}.`);
  const key = checkName('key', given.key, limits);
  const ttlMs = readTtl(given, where, limits);
  const type = readType(given.type ?? (ttlMs === undefined ? 'shared' : 'temporary'), where);
  const place = { type, key };
  const ifRevision = readRevision(given.if_revision, where);
  const guarded = { ...place, ...(ifRevision !== undefined && { ifRevision }) };
  const lasting = ttlMs === undefined ? {} : { ttlMs };
  switch (op) {
    case 'set':
      checkValue(key, given.value, limits);
      if (type === 'temporary' && ttlMs === undefined)
        throw usage(`${where}: a temporary value needs a \`ttl\``, 'Add "ttl": "5m".');
      return { op, ...guarded, value: given.value, ...lasting };
    case 'delete':
      return { op, ...guarded };
    case 'check':
      if (ifRevision === undefined)
        throw usage(`${where}: \`check\` needs \`if_revision\``, '0 means: it is not there.');
      return { op, ...place, ifRevision };
    case 'add': {
      const { by = 1 } = given;
      if (typeof by !== 'number' || !Number.isFinite(by))
        throw usage(`${where}: \`by\` is no number`, 'Write {"op": "add", "key": "n", "by": 1}.');
      return { op, ...place, by, ...lasting };
    }
    default:
      return op satisfies never;
  }
}

export function readType(value: unknown, where: string): StateType {
  if (stateTypes.includes(value as StateType)) return value as StateType;
  throw usage(`${where}: \`type\` is ${JSON.stringify(value)}`, `Use ${stateTypes.join(', ')}.`);
}

/** A length of time as configuration writes it, or milliseconds. */
export function readTime(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  const ms = typeof value === 'string' ? parseDuration(value) : typeof value === 'number' ? value : undefined;
  if (ms === undefined)
    throw usage(`\`${name}\` is ${JSON.stringify(value)}`, 'Write 500ms, 30s, 5m, 2h or 1d.');
  return ms;
}

function readTtl(given: Readonly<Record<string, unknown>>, where: string, limits: StateLimits) {
  const ms = readTime(given.ttl_ms, `${where}: ttl_ms`) ?? readTime(given.ttl, `${where}: ttl`);
  return ms === undefined ? undefined : checkTime(`${where}: ttl`, ms, 1, limits.ttlMs);
}

function readRevision(value: unknown, where: string): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0))
    return value as number | undefined;
  throw usage(`${where}: \`if_revision\` is ${JSON.stringify(value)}`, 'Give the revision that `get` told.');
}

export function typeOf({ owner, expiresAt }: Pick<StateEntry, 'owner' | 'expiresAt'>): StateType {
  if (owner !== '') return 'private';
  return expiresAt === undefined ? 'shared' : 'temporary';
}

function usage(message: string, fix: string): AppError {
  return new AppError('USAGE', message, { fix });
}
