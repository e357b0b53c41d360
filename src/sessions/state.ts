/** The state of one session as one party sees it: an agent in its attempt, a step, or the owner. */
import type { CommitResult, SessionLedger, StateChange, StateEntry } from '../ledger/session-ledger.ts';
import { AppError } from '../types/errors.ts';
import { type Change, type StateType, typeOf } from './changes.ts';
import { checkName, checkTime, limitError, type StateLimits } from './limits.ts';
import type { Locks, TakenLock } from './locks.ts';

export interface Party {
  readonly session: string;
  /** Whose private state it sees. Absent: nobody's, and it is shown everybody's in lists. */
  readonly agent?: string;
  /** Written beside what it changes. */
  readonly by: string;
  /** Of its locks. */
  readonly holder: string;
}

export interface Revision {
  readonly type: StateType;
  readonly key: string;
  /** Of a key that was deleted: the number of its deletion. */
  readonly revision: number;
}

export type Committed =
  | { readonly kind: 'committed'; readonly revisions: readonly Revision[] }
  /** Nothing was changed: the key is at another revision (0: not there). */
  | ({ readonly kind: 'conflict' } & Revision);

export interface StateDeps {
  readonly ledger: SessionLedger;
  /** Resolves when what was written is on disk. */
  readonly durable: () => Promise<void>;
  readonly now: () => number;
  readonly limits: StateLimits;
  readonly locks: Locks;
  readonly turns: Turns;
}

/** Changes of one session one after the other, and what is known of its size. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();
  /** At least as much as there is: what was replaced or deleted is not taken off. */
  readonly #sizes = new Map<string, { entries: number; bytes: number }>();

  async take<T>(session: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(session) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(session, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(session) === mine) this.#last.delete(session);
    }
  }

  sizeOf(session: string): { entries: number; bytes: number } | undefined {
    return this.#sizes.get(session);
  }

  setSize(session: string, size: { entries: number; bytes: number }): void {
    this.#sizes.set(session, size);
  }

  /** @param session Absent: all. */
  forget(session?: string): void {
    if (session === undefined) this.#sizes.clear();
    else this.#sizes.delete(session);
  }
}

const ADD_TRIES = 20;

export class SessionState {
  readonly party: Party;
  readonly #deps: StateDeps;

  constructor(party: Party, deps: StateDeps) {
    this.party = party;
    this.#deps = deps;
  }

  /** @returns undefined when it is not there, or has expired. @throws {AppError} `NOT_FOUND`: the session. */
  async get(key: string, type: StateType = 'shared'): Promise<StateEntry | undefined> {
    await this.#session('read');
    return this.#deps.ledger.read(this.party.session, this.#ownerOf(type), key);
  }

  /** What is shared, and what is private to the party; by owner and key. */
  async list(): Promise<readonly StateEntry[]> {
    await this.#session('read');
    const { agent, session } = this.party;
    if (agent === undefined) return this.#deps.ledger.entries(session);
    return [
      ...(await this.#deps.ledger.entries(session, '')),
      ...(await this.#deps.ledger.entries(session, agent)),
    ];
  }

  /**
   * All or nothing; on disk when it resolves.
   * @throws {AppError} `STATE_LIMIT`; `NOT_POSSIBLE` in a session that has ended, or for an `add` to what is no number.
   */
  async commit(changes: readonly Change[]): Promise<Committed> {
    const result = await this.#deps.turns.take(this.party.session, () => this.#commit(changes));
    // What an attempt was told must be there when the attempt is known to have ended.
    if (result.kind === 'committed') await this.#deps.durable();
    return result;
  }

  /** @throws {AppError} `LOCKED`, `STATE_LIMIT`, `NOT_POSSIBLE`. */
  async lock(
    name: string,
    {
      ttlMs,
      waitMs,
      signal,
    }: { readonly ttlMs: number; readonly waitMs: number; readonly signal?: AbortSignal },
  ): Promise<TakenLock> {
    const { locks, limits } = this.#deps;
    checkName('lock', name, limits);
    checkTime('ttl', ttlMs, 1, limits.leaseMs);
    checkTime('wait', waitMs, 0, limits.waitMs);
    await this.#session('write');
    const { session, holder } = this.party;
    return locks.take({ session, name }, { holder, ttlMs, waitMs, ...(signal && { signal }) });
  }

  /** @throws {AppError} `LOCKED` when it is not held any more. */
  async renew(name: string, id: string, ttlMs: number): Promise<TakenLock> {
    checkTime('ttl', ttlMs, 1, this.#deps.limits.leaseMs);
    return this.#deps.locks.renew({ session: this.party.session, name }, id, ttlMs);
  }

  /** @returns false when its lease had run out. */
  async unlock(name: string, id: string): Promise<boolean> {
    return this.#deps.locks.release({ session: this.party.session, name }, id);
  }

  async #commit(changes: readonly Change[]): Promise<Committed> {
    const { ledger } = this.#deps;
    const { session, by } = this.party;
    await this.#session('write');
    for (let tries = 1; ; tries += 1) {
      const resolved = await Promise.all(changes.map((change) => this.#resolve(change)));
      await this.#checkSize(resolved);
      const result = await ledger.commit(session, by, resolved);
      if (result.kind === 'committed') return { kind: 'committed', revisions: revisionsOf(result, resolved) };
      const { owner, key, revision } = result;
      const change = changes[resolved.findIndex((one) => one.owner === owner && one.key === key)];
      // Somebody who writes to the ledger himself came between.
      if (change?.op === 'add' && tries < ADD_TRIES) continue;
      return { kind: 'conflict', type: change?.type ?? typeOf({ owner }), key, revision };
    }
  }

  async #resolve(change: Change): Promise<StateChange> {
    const { op, key } = change;
    const owner = this.#ownerOf(change.type);
    if (op === 'delete' || op === 'check') {
      const { ifRevision } = change;
      if (op === 'check') return { op, owner, key, ifRevision: change.ifRevision };
      return { op, owner, key, ...(ifRevision !== undefined && { ifRevision }) };
    }
    const lasting = (ttlMs: number | undefined) => (ttlMs === undefined ? {} : { ttlMs });
    if (op === 'set') {
      const { value, ttlMs, ifRevision } = change;
      return { op, owner, key, value, ...lasting(ttlMs), ...(ifRevision !== undefined && { ifRevision }) };
    }
    const entry = await this.#deps.ledger.read(this.party.session, owner, key);
    const value = entry?.value ?? 0;
    if (typeof value !== 'number')
      throw new AppError('NOT_POSSIBLE', `"${key}" is no number: nothing can be added to it`, {
        fix: 'Set it to a number first, or use another key.',
      });
    // A counter that ends at some time still does.
    const left = entry?.expiresAt === undefined ? undefined : Math.max(1, entry.expiresAt - this.#deps.now());
    const sum = value + change.by;
    if (!Number.isFinite(sum)) throw limitError(`"${key}" would be larger than any number`, 'Set it anew.');
    const ttlMs = change.ttlMs ?? left;
    return { op: 'set', owner, key, value: sum, ...lasting(ttlMs), ifRevision: entry?.revision ?? 0 };
  }

  /** The exact size is asked for only when what is known at most comes near the limit. */
  async #checkSize(changes: readonly StateChange[]): Promise<void> {
    const { ledger, limits, turns } = this.#deps;
    const { session } = this.party;
    const sets = changes.filter((change) => change.op === 'set');
    if (sets.length === 0) return;
    const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
    const added = { entries: sets.length, bytes: sets.reduce((sum, { value }) => sum + bytesOf(value), 0) };
    const fits = (size: typeof added) => size.entries <= limits.entries && size.bytes <= limits.sessionBytes;
    const known = turns.sizeOf(session) ?? { ...(await ledger.size(session)) };
    const most = { entries: known.entries + added.entries, bytes: known.bytes + added.bytes };
    turns.setSize(session, most);
    if (fits(most)) return;
    const exact = { ...(await ledger.size(session)) };
    turns.setSize(session, { ...exact });
    const after = { entries: exact.entries + added.entries, bytes: exact.bytes + added.bytes };
    for (const { op, owner, key } of changes) {
      if (op === 'check') continue;
      const replaced = await ledger.read(session, owner, key);
      if (!replaced) continue;
      after.entries -= 1;
      after.bytes -= bytesOf(replaced.value);
    }
    if (!fits(after))
      throw limitError(
        after.entries > limits.entries
          ? `The session would have ${after.entries} values; at most ${limits.entries} are allowed`
          : `The values of the session would have ${after.bytes} bytes; at most ${limits.sessionBytes} are allowed`,
        'Delete what is needed no more, or give it a `ttl`; write large results to files.',
      );
    turns.setSize(session, { entries: exact.entries + added.entries, bytes: exact.bytes + added.bytes });
  }

  #ownerOf(type: StateType): string {
    if (type !== 'private') return '';
    const { agent } = this.party;
    if (agent !== undefined) return agent;
    throw new AppError('USAGE', 'Private state is that of an agent, and none was named', {
      fix: 'Name it: `--agent NAME`.',
    });
  }

  async #session(to: 'read' | 'write'): Promise<void> {
    const { session: id } = this.party;
    const session = await this.#deps.ledger.get(id);
    if (session === undefined)
      throw new AppError('NOT_FOUND', `There is no session "${id}"`, {
        fix: 'List them: `sluice sessions`.',
      });
    if (to === 'write' && session.endedAt !== undefined)
      throw new AppError('NOT_POSSIBLE', `Session ${id} has ended: its state stays as it is`, {
        fix: 'Read it, or resume its run (`sluice workflow resume`).',
      });
  }
}

function revisionsOf(
  { entries }: Extract<CommitResult, { kind: 'committed' }>,
  changes: readonly StateChange[],
): readonly Revision[] {
  return entries.map(({ owner, key, revision }) => {
    const change = changes.find((one) => one.owner === owner && one.key === key);
    const isTemporary = change?.op === 'set' && change.ttlMs !== undefined;
    return { type: typeOf({ owner, ...(isTemporary && { expiresAt: 0 }) }), key, revision };
  });
}
