/** Changes to many jobs at once that do not run: parking those of an agent or a rule, and new lanes after a reload. */
import type { JobLedger } from '../ledger.ts';
import { CHUNK, inChunks } from './chunks.ts';
import type { Database } from './database.ts';

type Which = Parameters<JobLedger['park']>[0];
type Parking = Parameters<JobLedger['park']>[1];

export function parkQueued(
  db: Database,
  { agent, rule }: Which,
  { reason, message, fix, notBefore }: Parking,
): Promise<number> {
  const where = ["state = 'queued'"];
  const params: string[] = [];
  if (agent !== undefined) where.push('agent = ?'), params.push(agent);
  if (rule !== undefined) where.push('rule = ?'), params.push(rule);
  const some = `select seq from job where ${where.join(' and ')} limit ${CHUNK}`;
  return inChunks(() =>
    db.write(
      `update job set state = 'waiting', reason = ?, message = ?, fix = ?, not_before = ? where seq in (${some})`,
      reason,
      message,
      fix,
      notBefore ?? null,
      ...params,
    ),
  );
}

export function relane(db: Database, laneOf: Parameters<JobLedger['relane']>[0]): number {
  let moved = 0;
  for (const state of ['queued', 'running', 'waiting', 'held']) {
    const kinds = db.all<{ agent: string; rule: string; lane: string }>(
      `select distinct agent, rule, lane from job where state = '${state}'`,
    );
    for (const { agent, rule, lane } of kinds) {
      const wanted = laneOf({ agent, rule });
      if (wanted === lane) continue;
      moved += db.write(
        `update job set lane = ? where state = '${state}' and agent = ? and rule = ? and lane = ?`,
        wanted,
        agent,
        rule,
        lane,
      );
    }
  }
  return moved;
}
