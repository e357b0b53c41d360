/**
 * What every engine behind the port has to do. An engine's test file calls this with a way to open it; what only one
 * engine can do (its files, its locks) is tested beside that engine.
 */
import { describe } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { activityContract } from './contract/activity.ts';
import { auditContract } from './contract/audit.ts';
import { batchContract } from './contract/batches.ts';
import { fileContract } from './contract/files.ts';
import { historyContract } from './contract/history.ts';
import { leaseContract } from './contract/leases.ts';
import { limitContract } from './contract/limits.ts';
import { moneyContract } from './contract/money.ts';
import { movesContract } from './contract/moves.ts';
import { queueContract } from './contract/queue.ts';
import { randomContract } from './contract/random.ts';
import { randomLimitContract } from './contract/random-limits.ts';
import { randomSessionContract } from './contract/random-sessions.ts';
import { reviewContract } from './contract/reviews.ts';
import { runRetentionContract } from './contract/run-retention.ts';
import { runContract } from './contract/runs.ts';
import { sessionContract } from './contract/sessions.ts';
import { singleFlightContract } from './contract/single-flight.ts';
import { stepJobContract } from './contract/step-jobs.ts';
import { stepContract } from './contract/steps.ts';

/** One durable ledger. `open` again, after the first was disposed of, is the same ledger: a restart. */
export interface Place {
  open(now: () => number): Promise<Ledger>;
}

/** Makes an empty place, and removes it when the test is over. */
export type MakePlace = () => Place;

export function ledgerContract(name: string, makePlace: MakePlace): void {
  describe(`the ledger on ${name}`, () => {
    queueContract(makePlace);
    limitContract(makePlace);
    batchContract(makePlace);
    movesContract(makePlace);
    moneyContract(makePlace);
    activityContract(makePlace);
    singleFlightContract(makePlace);
    leaseContract(makePlace);
    fileContract(makePlace);
    historyContract(makePlace);
    auditContract(makePlace);
    runContract(makePlace);
    stepContract(makePlace);
    stepJobContract(makePlace);
    runRetentionContract(makePlace);
    sessionContract(makePlace);
    reviewContract(makePlace);
    randomContract(makePlace);
    randomLimitContract(makePlace);
    randomSessionContract(makePlace);
  });
}
