/** Versions of workflows that runs were started with, each kept once under the checksum of its JSON. */
import { createHash } from 'node:crypto';
import type { RunLedger } from '../run-ledger.ts';
import type { Database } from './database.ts';

/** One that was kept just now may have its run in a moment. */
const UNUSED_MS = 3_600_000;
/** It is large: telling each time that it is wanted again would write it anew. */
const TOLD_EVERY_MS = 600_000;

export function createDefinitions(db: Database, now: () => number): Pick<RunLedger, 'define' | 'definition'> {
  return {
    async define(definition) {
      const json = JSON.stringify(definition ?? null);
      const id = createHash('sha256').update(json).digest('hex');
      const at = now();
      const known = db.get<{ at: number }>('select defined_at at from definition where id = ?', id);
      if (!known || Math.abs(at - known.at) > TOLD_EVERY_MS)
        db.write(
          'insert into definition values (?1, ?2, ?3) on conflict do update set defined_at = ?2',
          id,
          at,
          json,
        );
      return id;
    },

    async definition(id) {
      const row = db.get<{ value: string }>('select value from definition where id = ?', id);
      return row && JSON.parse(row.value);
    },
  };
}

/** Removes those that no run refers to. */
export function dropUnusedDefinitions(db: Database, at: number): void {
  db.write(
    `delete from definition where defined_at < ?
       and not exists (select 1 from run where run.definition = definition.id)`,
    at - UNUSED_MS,
  );
}
