/**
 * Sessions: the state that the steps and agents of one run share, and who may see it. Durable in the ledger; here stand
 * what is checked before it is written, who waits for a lock, and the tokens of running attempts. The tokens are in memory
 * alone: no attempt outlives this process.
 */
import { hash, randomBytes } from 'node:crypto';
import type { SessionLedger, SessionRecord, StateEntry } from '../ledger/session-ledger.ts';
import { AppError } from '../types/errors.ts';
import { type StateLimits, stateLimits } from './limits.ts';
import { Locks } from './locks.ts';
import { type Party, SessionState, type StateDeps, Turns } from './state.ts';

export interface SessionsOptions {
  readonly ledger: SessionLedger;
  /** Resolves when everything written so far is on disk. */
  readonly durable: () => Promise<void>;
  readonly now: () => number;
  readonly limits?: Partial<StateLimits>;
  /** Told when what has expired, or was left, could not be removed. */
  readonly onFault?: (error: unknown) => void;
}

/** The right of one attempt, while it runs. */
export interface Grant {
  readonly state: SessionState;
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
}

const EXPIRE_MS = 60_000;
/** A prefix of an id is looked for among so many. */
const FIND_AMONG = 1_000;

export class Sessions implements AsyncDisposable {
  readonly limits: StateLimits;
  readonly #options: SessionsOptions;
  readonly #deps: StateDeps;
  readonly #grants = new Map<string, Grant & { readonly holder: string; readonly ending: AbortController }>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: SessionsOptions) {
    const { ledger, durable, now } = options;
    this.limits = { ...stateLimits, ...options.limits };
    this.#options = options;
    const { limits } = this;
    const locks = new Locks({ ledger, now, limits });
    this.#deps = { ledger, durable, now, limits, locks, turns: new Turns() };
    this.#timer = setInterval(
      () => void this.expire().catch(options.onFault ?? (() => {})),
      EXPIRE_MS,
    ).unref();
  }

  /** Locks that an earlier process left are free: no attempt outlives it. Call once, under the project's lock. */
  async start(): Promise<void> {
    await this.#options.ledger.unlockAll();
  }

  /** Again: nothing. */
  open(session: Pick<SessionRecord, 'id' | 'kind' | 'title'>): Promise<void> {
    return this.#options.ledger.open(session);
  }

  /** Its tokens are void, its locks and what was temporary are gone; the rest can be read until it is pruned. */
  async close(id: string): Promise<void> {
    const reason = new AppError('NOT_POSSIBLE', `Session ${id} has ended`, {
      fix: 'Nothing needs to be done.',
    });
    for (const [key, { state, ending }] of this.#grants)
      if (state.party.session === id) {
        this.#grants.delete(key);
        ending.abort(reason);
      }
    await this.#deps.turns.take(id, () => this.#options.ledger.close(id));
    this.#deps.locks.closeSession(id, reason);
    this.#deps.turns.forget(id);
  }

  /** @param prefix Of an id, as short as it is unique. @throws {AppError} `NOT_FOUND`, `USAGE`. */
  async find(prefix: string): Promise<SessionRecord> {
    return findSession(this.#options.ledger, prefix);
  }

  /** Newest first. */
  list(limit: number): Promise<readonly SessionRecord[]> {
    return this.#options.ledger.list(limit);
  }

  /** All values of a session, everybody's. */
  entries(id: string): Promise<readonly StateEntry[]> {
    return this.#options.ledger.entries(id);
  }

  /** The state of a session for the owner, or for a step. */
  stateOf(party: Party): SessionState {
    return new SessionState(party, this.#deps);
  }

  /**
   * Gives an attempt access to the shared state of one session and to the private state of its agent, until `revoke`.
   * @param o.holder Names the attempt; its locks are let go of with it.
   * @param o.by Written beside its changes; default: the agent's name.
   * @returns the token.
   * @throws {AppError} `NOT_FOUND`, `NOT_POSSIBLE`: there is no such session in use.
   */
  async grant(o: { session: string; agent: string; holder: string; by?: string }): Promise<string> {
    const { session, agent, holder, by = agent } = o;
    const record = await this.#options.ledger.get(session);
    if (record === undefined || record.endedAt !== undefined)
      throw new AppError(
        record ? 'NOT_POSSIBLE' : 'NOT_FOUND',
        `${record ? `Session ${session} has ended` : `There is no session "${session}"`}: no token for it`,
        { fix: 'This is a fault in Sluice; please report it.' },
      );
    const token = randomBytes(32).toString('base64url');
    const ending = new AbortController();
    const state = this.stateOf({ session, agent, by, holder });
    this.#grants.set(digest(token), { state, holder, ending, signal: ending.signal });
    return token;
  }

  /** The attempt has ended: its tokens are void at once, what it waits for is refused, its locks are free. */
  async revoke(holder: string): Promise<void> {
    const reason = tokenVoid();
    for (const [key, grant] of this.#grants)
      if (grant.holder === holder) {
        this.#grants.delete(key);
        grant.ending.abort(reason);
      }
    // Where the ledger cannot be written the leases end.
    await this.#deps.locks.releaseAll(holder, reason).catch(this.#options.onFault ?? (() => {}));
  }

  /** @throws {AppError} `FORBIDDEN`. */
  access(token: string): Grant {
    const grant = this.#grants.get(digest(token));
    if (grant === undefined) throw tokenVoid();
    return grant;
  }

  /** Removes what has expired. @returns how many values and locks. */
  async expire(): Promise<number> {
    const { locks, turns } = this.#deps;
    locks.tidy();
    turns.forget();
    return this.#options.ledger.expire();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const { ending } of this.#grants.values()) ending.abort(tokenVoid());
    this.#grants.clear();
    this.#deps.locks[Symbol.dispose]();
  }
}

/** @param prefix Of an id, as short as it is unique. @throws {AppError} `NOT_FOUND`, `USAGE`. */
export async function findSession(
  ledger: Pick<SessionLedger, 'get' | 'list'>,
  prefix: string,
): Promise<SessionRecord> {
  const exact = await ledger.get(prefix);
  if (exact) return exact;
  const found =
    prefix === '' ? [] : (await ledger.list(FIND_AMONG)).filter(({ id }) => id.startsWith(prefix));
  if (found.length === 1) return found[0] as SessionRecord;
  if (found.length === 0)
    throw new AppError('NOT_FOUND', `There is no session "${prefix}"`, {
      fix: 'List them: `sluice sessions`.',
    });
  throw new AppError('USAGE', `"${prefix}" is the beginning of ${found.length} sessions`, {
    fix: `Name one of them: ${found
      .slice(0, 5)
      .map(({ id }) => id)
      .join(', ')}`,
  });
}

/** Only digests are kept, so that a lookup takes no longer for a token that is almost right. */
function digest(token: string): string {
  return hash('sha256', token, 'base64url');
}

function tokenVoid(): AppError {
  return new AppError('FORBIDDEN', 'This token opens no session (any more)', {
    fix: '`sluice state` works inside of the attempt that it was made for, while that runs.',
  });
}
