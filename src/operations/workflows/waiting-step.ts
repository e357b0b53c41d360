/** Which step of a run waits, where nothing of it goes on: its own, or one of a run that it has called. */
import type { Ledger } from '../../ledger/ledger.ts';
import type { RunId, StepRecord } from '../../types/run.ts';

type Runs = Pick<Ledger['runs'], 'steps' | 'items' | 'itemIndexes'>;

export async function waitingStep(
  ledger: { readonly runs: Runs },
  run: RunId,
): Promise<StepRecord | undefined> {
  const { runs } = ledger;
  for (const row of await runs.steps(run, { withResults: false })) {
    if (row.endedAt !== undefined) continue;
    const found = (await own(ledger, row)) ?? (await amongItems(ledger, row));
    if (found) return found;
  }
  return undefined;
}

async function own(ledger: { readonly runs: Runs }, row: StepRecord): Promise<StepRecord | undefined> {
  if (row.endedAt !== undefined) return undefined;
  if (row.subRunId !== undefined) return waitingStep(ledger, row.subRunId);
  return row.state === 'waiting' ? row : undefined;
}

/** Of a `for_each`: the first of them that waits. */
async function amongItems(
  ledger: { readonly runs: Runs },
  { runId, name }: StepRecord,
): Promise<StepRecord | undefined> {
  const { runs } = ledger;
  for (const index of await runs.itemIndexes(runId, name, ['running', 'waiting'])) {
    const [item] = await runs.items(runId, name, index, 1);
    const found = item && (await own(ledger, item));
    if (found) return found;
  }
  return undefined;
}
