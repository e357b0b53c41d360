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
      const which = open ? 'and ended_at is null' : '';
      const [of, values] = sessionId === undefined ? ['1', []] : ['session = ?', [sessionId]];
      const query = `select value from review where ${of} ${which} order by seq desc limit ?`;
      return read(db.all(query, ...values, limit));
    },

    async prune(before) {
      // Two ways into the table, each by its index.
      const gone = 'not exists (select 1 from run where run.id = review.session)';
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
