/**
 * How many attempts of an agent may begin in a span of time, exactly: each start has a number, and with `count` allowed
 * the next may begin when the one `count` before it is old enough. Two look-ups, whatever the count. A bucket of tokens was
 * rejected: it lets twice as many begin around its edge.
 */
import type { Database } from './database.ts';

export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/** @returns undefined: now. Starts that a clock put in the future count as just now. */
export function rateFreeAt(db: Database, at: number, agent: string, rate: Rate): number | undefined {
  const row = db.get<{ at: number }>(
    'select at from start where agent = ?1 and n = (select max(n) from start where agent = ?1) - ?2 + 1',
    agent,
    rate.count,
  );
  if (!row) return undefined;
  const freeAt = Math.min(row.at, at) + rate.perMs;
  return freeAt > at ? freeAt : undefined;
}

/** Of no agent more is remembered than its rate needs. */
export function noteStart(db: Database, at: number, agent: string, { count }: Rate): void {
  db.write('insert into start select ?1, coalesce(max(n), 0) + 1, ?2 from start where agent = ?1', agent, at);
  db.write(
    'delete from start where agent = ?1 and n <= (select max(n) from start where agent = ?1) - ?2',
    agent,
    count,
  );
}

/**
 * By the numbers of the starts, which are in the order of their times: found by halving. Counting the rows was rejected:
 * of a rate with a large count there are as many, and it is asked with every start.
 */
export function startedWithin(db: Database, at: number, agent: string, perMs: number): number {
  const row = db.get<{ first: number | null; last: number | null }>(
    `select (select min(n) from start where agent = ?1) first, (select max(n) from start where agent = ?1) last`,
    agent,
  );
  if (row?.first == null || row.last == null) return 0;
  const isWithin = (n: number): boolean => {
    const start = db.get<{ at: number }>('select at from start where agent = ? and n = ?', agent, n);
    return start !== undefined && start.at > at - perMs;
  };
  let [low, high] = [row.first, row.last + 1];
  // Mostly none that is remembered is older.
  if (isWithin(low)) high = low;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isWithin(middle)) high = middle;
    else low = middle + 1;
  }
  return row.last + 1 - low;
}

/** After the clock went back: otherwise nothing would begin until it has caught up. */
export function forgetFuture(db: Database, at: number, agent: string): void {
  const last = db.get<{ at: number }>('select at from start where agent = ? order by n desc limit 1', agent);
  if (last && last.at > at) db.write('update start set at = ?1 where agent = ?2 and at > ?1', at, agent);
}
