/**
 * Steps of runs and the items of `for_each`. A step is written two or three times in its life, each time whole: one
 * statement, prepared once. What is asked of all items is numbers; the items themselves come in pages.
 */
import type { StepState } from '../../types/run.ts';
import type { RunLedger } from '../run-ledger.ts';
import { CHUNK, inChunks } from './chunks.ts';
import type { Database } from './database.ts';
import { forgetFiles } from './run-files.ts';
import { OWN, STEP_COLUMNS, type StepRow, toStep, toValues } from './step-rows.ts';

type Steps = Pick<
  RunLedger,
  | 'putStep'
  | 'putSteps'
  | 'step'
  | 'steps'
  | 'items'
  | 'itemIndexes'
  | 'itemCounts'
  | 'forgetSteps'
  | 'forgetItems'
>;

const ALL_COLUMNS = STEP_COLUMNS.join(', ');
const SHORT_COLUMNS = STEP_COLUMNS.filter((column) => column !== 'result').join(', ');
const PUT = `insert into step (${ALL_COLUMNS}) values (${STEP_COLUMNS.map(() => '?').join(', ')})
  on conflict (run_id, name, item) do update set ${STEP_COLUMNS.slice(3)
    .map((column) => `${column} = excluded.${column}`)
    .join(', ')}`;
const ONE = 'select * from step where run_id = ? and name = ? and item = ?';
const ITEMS_OF = 'run_id = ? and name = ? and item >= 0';

export function createSteps(db: Database): Steps {
  return {
    async putStep(step) {
      db.write(PUT, ...toValues(step));
    },

    async putSteps(steps) {
      for (const step of steps) db.write(PUT, ...toValues(step));
    },

    async step(runId, id) {
      const row = db.get<StepRow>(ONE, runId, id, OWN) ?? itemById(db, runId, id);
      return row && toStep(row);
    },

    async steps(runId, { withResults = true } = {}) {
      const columns = withResults ? ALL_COLUMNS : `${SHORT_COLUMNS}, null result`;
      return db
        .all<StepRow>(`select ${columns} from step where run_id = ? and item = ${OWN} order by seq`, runId)
        .map(toStep);
    },

    async items(runId, name, from, limit) {
      return db
        .all<StepRow>(
          'select * from step where run_id = ? and name = ? and item >= ? order by item limit ?',
          runId,
          name,
          Math.max(0, from),
          limit,
        )
        .map(toStep);
    },

    async itemIndexes(runId, name, states) {
      // As one text: a row for each of a hundred thousand numbers takes ten times the memory.
      const row = db.get<{ list: string }>(
        `select json_group_array(item order by item) list from step where ${ITEMS_OF} and ${inStates(states)}`,
        runId,
        name,
        ...states,
      );
      return JSON.parse(row?.list ?? '[]');
    },

    async itemCounts(runId, name) {
      const rows = db.all<{ state: StepState; n: number }>(
        `select state, count(*) n from step where ${ITEMS_OF} group by state`,
        runId,
        name,
      );
      return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
    },

    async forgetSteps(runId, names) {
      for (const name of names) {
        await removeSome(db, ITEMS_OF, runId, name);
        await forgetFiles(db, runId, name);
        // Last, so that a crash in between leaves a step that can be forgotten again.
        db.write(`delete from step where run_id = ? and name = ? and item = ${OWN}`, runId, name);
      }
    },

    async forgetItems(runId, name, states) {
      await removeSome(db, `${ITEMS_OF} and ${inStates(states)}`, runId, name, ...states);
    },
  };
}

/** A few at a time. @param where Of the table `step`. */
export function removeSome(db: Database, where: string, ...params: string[]): Promise<number> {
  const some = `delete from step where seq in (select seq from step where ${where} limit ${CHUNK})`;
  return inChunks(() => db.write(some, ...params));
}

function itemById(db: Database, runId: string, id: string): StepRow | undefined {
  const [, name, index] = /^(.*)\[(\d+)\]$/s.exec(id) ?? [];
  return name === undefined ? undefined : db.get<StepRow>(ONE, runId, name, Number(index));
}

function inStates(states: readonly StepState[]): string {
  return `state in (${states.map(() => '?').join(', ')})`;
}
