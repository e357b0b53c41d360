/** Rounds of reviews, each a row whose value is its record as JSON. */
import type { ReviewRecord } from '../../types/review.ts';
import type { ReviewLedger } from '../review-ledger.ts';
import type { Database } from './database.ts';

export function createReviewLedger(db: Database): ReviewLedger {
  const read = (rows: readonly { readonly value: string }[]) =>
    rows.map(({ value }) => JSON.parse(value) as ReviewRecord);
  return {
    async put(review) {
      db.write(
        `insert into review (id, session, started_at, ended_at, value) values (?1, ?2, ?3, ?4, ?5)
           on conflict (id) do update set ended_at = ?4, value = ?5`,
        review.id,
        review.sessionId,
        review.startedAt,
        review.endedAt ?? null,
        JSON.stringify(review),
      );
    },

    async get(id) {
      return read(db.all('select value from review where id = ?', id))[0];
    },

    async list({ sessionId, open = false, limit }) {
      if (sessionId !== undefined)
        return read(
          db.all('select value from review where session = ? order by seq desc limit ?', sessionId, limit),
        ).filter(({ endedAt }) => !open || endedAt === undefined);
      const which = open ? 'where ended_at is null' : '';
      return read(db.all(`select value from review ${which} order by seq desc limit ?`, limit));
    },

    async prune(before) {
      return db.write('delete from review where ended_at is not null and ended_at < ?', before);
    },
  };
}
