/**
 * What a clock that was set back does to the queue: back-offs and rates would last longer by that much, and old jobs
 * would stand behind new ones. All are moved along. A clock of our own that never goes back was rejected: it would stand still.
 */
import type { Database } from './database.ts';

/** Less is a correction by NTP, and harmless. */
const SET_BACK_MS = 2_000;

/** @returns `now`, made to notice when it has gone back since the last call or since the newest job came in. */
export function followClock(db: Database, now: () => number): () => number {
  let last =
    db.get<{ at: number | null }>(
      `select max(coalesce((select queued_at from job order by seq desc limit 1), 0), coalesce((select max(at) from start), 0)) at`,
    )?.at ?? 0;
  return () => {
    const at = now();
    const backMs = last - at;
    last = at;
    if (backMs > SET_BACK_MS) moveBack(db, backMs);
    return at;
  };
}

function moveBack(db: Database, byMs: number): void {
  for (const state of ['queued', 'running', 'waiting', 'held'])
    db.write(`update job set rank = rank - ?1, not_before = not_before - ?1 where state = '${state}'`, byMs);
  db.write('update gathering set not_before = not_before - ?', byMs);
  db.write('update start set at = at - ?', byMs);
}
