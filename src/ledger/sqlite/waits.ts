/** What jobs wait for, in as many rows as there are different answers: read from one index, however many jobs wait. */
import type { WaitRow } from '../ledger.ts';
import type { Database } from './database.ts';

interface Group {
  readonly agent: string;
  readonly rule: string;
  readonly reason: WaitRow['reason'];
  readonly jobs: number;
  readonly not_before: number | null;
  readonly sample: number;
}

export function waits(db: Database): WaitRow[] {
  const groups = db.all<Group>(
    `select agent, rule, reason, count(*) jobs, min(not_before) not_before, max(seq) sample
     from job where state = 'waiting' group by reason, agent, rule`,
  );
  return groups.map(({ agent, rule, reason, jobs, not_before, sample }) => {
    const said = db.get<{ message: string | null; fix: string | null }>(
      'select message, fix from job where seq = ?',
      sample,
    );
    const notBefore = not_before ?? (reason === 'batch' ? startOf(db, rule) : null);
    return {
      agent,
      rule,
      reason,
      jobs,
      ...(said?.message != null && { message: said.message }),
      ...(said?.fix != null && { fix: said.fix }),
      ...(notBefore !== null && { notBefore }),
    };
  });
}

/** The earliest batch of a rule. Its groups are named after it. */
function startOf(db: Database, rule: string): number | null {
  const row = db.get<{ at: number | null }>(
    'select min(not_before) at from gathering where batch = ?1 or (batch > ?2 and batch < ?3)',
    rule,
    `${rule}\0`,
    `${rule}\u0001`,
  );
  return row?.at ?? null;
}
