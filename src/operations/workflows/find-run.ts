/** The run that a person means: by the beginning or the end of its id, or the latest one. */
import type { Ledger } from '../../ledger/ledger.ts';
import { AppError } from '../../types/errors.ts';
import type { RunRecord } from '../../types/run.ts';

/** @param part `latest`, or part of an id. @throws AppError NOT_FOUND, USAGE when it means several. */
export async function findRun({ runs }: Pick<Ledger, 'runs'>, part: string): Promise<RunRecord> {
  const found = part === 'latest' ? await runs.list({ parent: null, limit: 1 }) : await runs.find(part);
  const [run, other] = found;
  if (!run)
    throw new AppError('NOT_FOUND', part === 'latest' ? 'There is no run' : `No run "${part}"`, {
      fix: 'See `sluice workflow list --runs`.',
    });
  if (other)
    throw new AppError('USAGE', `"${part}" means several runs: ${run.id}, ${other.id} …`, {
      fix: 'Write more of the id.',
    });
  return run;
}
