/** Workflow runs: what was started, from which version, and how it stands. */
import type { RunLedger } from '../run-ledger.ts';
import type { Database } from './database.ts';

export function createRunLedger(_db: Database, _now: () => number): RunLedger {
  return {} as RunLedger;
}
