/** Rounds of reviews, each a row whose value is its record as JSON. */
import { aboutOf, type ReviewRecord } from '../../types/review.ts';
import type { ReviewLedger } from '../review-ledger.ts';
import type { Database } from './database.ts';

export function createReviewLedger(db: Database): ReviewLedger {
  const read = (rows: readonly { readonly value: string }[]) =>
    rows.map(({ value }) => JSON.parse(value) as ReviewRecord);
  return {
    async put(review) {
      db.write(
        `insert into review (id, session, about, started_at, ended_at, value) values (?1, ?2, ?3, ?4, ?5, ?6)
           on conflict (id) do update set ended_at = ?5, value = ?6`,
        review.id,
        review.sessionId,
        aboutOf(review.subject),
        review.startedAt,
        review.endedAt ?? null,
        JSON.stringify(review),
      );
    },

    async get(id) {
      return read(db.all('select value from review where id = ?', id))[0];
    },

    async list({ about, sessionId, open = false, limit }) {
      const where = ['1', ...(open ? ['ended_at is null'] : [])];
      const values: string[] = [];
      if (about !== undefined) where.push('about = ?'), values.push(about);
      if (sessionId !== undefined) where.push('session = ?'), values.push(sessionId);
      const query = `select value from review where ${where.join(' and ')} order by seq desc limit ?`;
      return read(db.all(query, ...values, limit));
    },

    async prune(before) {
      // Two ways into the table, each by its index.
      const gone = `not exists (select 1 from run where run.id = review.session)
        and not exists (select 1 from job where job.id = review.session)`;
      const ended = db.write(
        `delete from review where ended_at is not null and ended_at < ? and ${gone}`,
        before,
      );
      return (
        ended + db.write(`delete from review where ended_at is null and started_at < ? and ${gone}`, before)
      );
    },
  };
}
