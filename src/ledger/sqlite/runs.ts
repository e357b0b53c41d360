/** Workflow runs: what was started, from which version, and how it stands. Their steps are in `steps.ts`. */
import type { RunState } from '../../types/run.ts';
import type { RunLedger, RunQuery } from '../run-ledger.ts';
import type { Database } from './database.ts';
import { createDefinitions } from './definitions.ts';
import { createRunFiles } from './run-files.ts';
import { pruneRuns } from './run-retention.ts';
import { changed, IS_OPEN, type RunRow, toRun } from './run-rows.ts';
import { spentOf } from './run-spending.ts';
import { createSteps } from './steps.ts';

const FOUND_AT_MOST = 10;

export function createRunLedger(db: Database, now: () => number): RunLedger {
  const byId = (id: string): RunRow | undefined => db.get<RunRow>('select * from run where id = ?', id);
  return {
    ...createDefinitions(db, now),
    ...createSteps(db),
    ...createRunFiles(db),

    async create(run) {
      const { trigger } = run;
      db.write(
        `insert into run (id, workflow, definition, state, reason, message, fix, inputs, origin, parent, job_id, force,
           depth, concurrency, outputs, warnings, created_at, started_at, ended_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`,
        run.id,
        run.workflow,
        run.definition,
        run.state,
        run.reason ?? null,
        run.message ?? null,
        run.fix ?? null,
        JSON.stringify(run.inputs),
        JSON.stringify(trigger),
        trigger.kind === 'workflow' ? trigger.runId : null,
        trigger.kind === 'file' ? trigger.jobId : null,
        run.force ? 1 : 0,
        run.depth,
        run.group ?? null,
        run.outputs ? JSON.stringify(run.outputs) : null,
        JSON.stringify(run.warnings),
        run.createdAt,
        run.startedAt ?? null,
        run.endedAt ?? null,
      );
    },

    async update(id, change) {
      const before = byId(id);
      if (!before) return undefined;
      const row = changed(before, change);
      db.write(
        `update run set state = ?, reason = ?, message = ?, fix = ?, inputs = ?, concurrency = ?, outputs = ?, warnings = ?,
           started_at = ?, ended_at = ? where seq = ?`,
        row.state,
        row.reason,
        row.message,
        row.fix,
        row.inputs,
        row.concurrency,
        row.outputs,
        row.warnings,
        row.started_at,
        row.ended_at,
        row.seq,
      );
      return toRun(row);
    },

    async get(id) {
      const row = byId(id);
      return row && toRun(row);
    },

    async find(part) {
      if (part === '') return [];
      const begun = db.all<RunRow>(
        `select * from run where id >= ? and id < ? order by id limit ${FOUND_AT_MOST}`,
        part,
        `${part}\u{10ffff}`,
      );
      // What people type is mostly the end: the index of the ids is read through, which holds nothing else.
      const ended = db.all<RunRow>(
        `select * from run where seq in
           (select seq from run where substr(id, -length(?1)) = ?1 order by id limit ${FOUND_AT_MOST})`,
        part,
      );
      const found = new Map([...begun, ...ended].map((row) => [row.id, row]));
      return [...found.values()].slice(0, FOUND_AT_MOST).map(toRun);
    },

    async list(query) {
      // One query per state, since each state has an index in the order of the list; then the newest of all.
      const rows = query.states
        ? [...new Set(query.states)].flatMap((state) => listRows(db, query, state))
        : listRows(db, query);
      if (query.states && query.states.length > 1) rows.sort((a, b) => b.seq - a.seq);
      return rows.slice(0, query.limit).map(toRun);
    },

    async open() {
      return db.all<RunRow>(`select * from run where ${IS_OPEN} order by seq`).map(toRun);
    },

    async ofJob(jobId) {
      return db.all<RunRow>('select * from run where job_id = ? order by seq desc', jobId).map(toRun);
    },

    async spent(runId) {
      return spentOf(db, runId);
    },

    async prune(before, limit, keep) {
      return pruneRuns(db, now(), before, limit, keep);
    },
  };
}

/** `+` keeps SQLite from an index that would have to be sorted, or that holds more. */
function listRows(
  db: Database,
  { workflow, parent, endedSince, limit }: RunQuery,
  state?: RunState,
): RunRow[] {
  const where: string[] = [];
  const params: (string | number)[] = [];
  const also = (condition: string, value?: string | number): void => {
    where.push(condition);
    if (value !== undefined) params.push(value);
  };
  // Children are few; a workflow's runs mostly fewer than those in a state.
  const isNarrow = typeof parent === 'string' || endedSince !== undefined;
  if (typeof parent === 'string') also('parent = ?', parent);
  if (endedSince !== undefined) also(`${typeof parent === 'string' ? '+' : ''}ended_at >= ?`, endedSince);
  if (workflow !== undefined) also(`${isNarrow ? '+' : ''}workflow = ?`, workflow);
  if (state !== undefined) also(`${isNarrow || workflow !== undefined ? '+' : ''}state = ?`, state);
  if (parent === null) also(where.length > 0 ? '+parent is null' : 'parent is null');
  const condition = where.length > 0 ? `where ${where.join(' and ')}` : '';
  const order = isNarrow ? '+seq' : 'seq';
  return db.all<RunRow>(`select * from run ${condition} order by ${order} desc limit ?`, ...params, limit);
}
