/**
 * An agent that its service does not let in (a wrong key, no log-in), as values: left alone until what its log-in rests on
 * has changed, until a person says so, or until a pause is over, since the fault may be the service's. Then one job tries.
 * Every decision takes the time; `parking.ts` keeps the state.
 *
 * What changed is a hint, not a proof: the CLI rewrites files of its own, and another wrong key is a change too. So a
 * change lets one job try, and changes that lead to nothing are heeded less and less often.
 */

export interface Refused {
  readonly why: 'auth';
  readonly message: string;
  /** How to log in, a sentence. */
  readonly fix: string;
  /** When it was last not let in. Epoch milliseconds. */
  readonly at: number;
  /** From then on it is tried although nothing has changed. */
  readonly until: number;
  /** How often in a row with nothing changed: the pause doubles. */
  readonly times: number;
  /** What its log-in rested on, keyed and hashed; absent: that could not be told. */
  readonly evidence?: string;
  /** Changes of it in a row that did not help. */
  readonly changes: number;
  /** Something changed, or a person said so: it may be tried since. */
  readonly tryAt?: number;
}

/** An attempt that was not let in. */
export interface Refusal {
  readonly message: string;
  readonly fix: string;
  readonly evidence?: string | undefined;
  /** Of the attempt. */
  readonly startedAt: number;
}

const firstPauseMs = 15 * 60_000;
const longestPauseMs = 4 * 3_600_000;
const firstChangeMs = 15_000;

/** @param before What is known already: attempts that had begun before it was tell of the same. */
export function refuse(before: Refused | undefined, refusal: Refusal, now: number): Refused {
  const { message, fix, evidence, startedAt } = refusal;
  const isEarlier = before && startedAt < Math.min(before.tryAt ?? before.until, before.until);
  if (isEarlier && now >= before.at) return before;
  const isUnchanged = before !== undefined && before.tryAt === undefined;
  const times = isUnchanged ? before.times + 1 : 1;
  return {
    ...{ why: 'auth', message, fix, at: now, times },
    until: now + Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(times - 1, 20)),
    changes: before && !isUnchanged ? before.changes : 0,
    ...(evidence !== undefined && { evidence }),
  };
}

/** Whether one job may see if it is let in again. */
export function mayTry({ tryAt, until, at }: Refused, now: number): boolean {
  // A clock that was set back would make the pause as long as it needs to catch up.
  return tryAt !== undefined || until <= now || now < at;
}

/** @param evidence Of now; undefined: it cannot be told. */
export function seeEvidence(refused: Refused, evidence: string | undefined, now: number): Refused {
  if (evidence === undefined || evidence === refused.evidence || refused.tryAt !== undefined) return refused;
  // From now on there is something to compare with.
  if (refused.evidence === undefined) return { ...refused, evidence };
  const { changes, at } = refused;
  const pauseMs = changes === 0 ? 0 : Math.min(firstPauseMs, firstChangeMs * 2 ** Math.min(changes, 20));
  if (now >= at && now < at + pauseMs) return refused;
  return { ...refused, tryAt: now, changes: changes + 1 };
}

/** A person says so. */
export function letTry(refused: Refused, now: number): Refused {
  return { ...refused, tryAt: now, changes: 0 };
}

/** What an earlier process kept. */
export function parseRefused(kept: unknown): Refused | undefined {
  const { why, message, fix, at, until, times, evidence, changes, tryAt } = (kept ?? {}) as Record<
    string,
    unknown
  >;
  if (why !== 'auth' || typeof message !== 'string' || typeof fix !== 'string') return undefined;
  if (!isCount(at) || !isCount(until) || !isCount(times)) return undefined;
  return {
    ...{ why, message, fix, at, until, times },
    changes: isCount(changes) ? changes : 0,
    ...(typeof evidence === 'string' && { evidence }),
    ...(isCount(tryAt) && { tryAt }),
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
