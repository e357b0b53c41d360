/** Files that the `file_processing` steps of a run took in, one after another, with the job of each. */
import type { Value } from '../expressions/scope.ts';
import type { JobRecord } from '../types/job.ts';
import { PROJECT_ROOT } from '../types/step-task.ts';
import type { WorkflowsDeps } from './deps.ts';
import { fileValue } from './files-access.ts';

const PAGE = 500;

/** @param steps Names of the steps, in the order in which their files are wanted. */
export async function* runFiles(
  { ledger, config }: Pick<WorkflowsDeps, 'ledger' | 'config'>,
  runId: string,
  steps: readonly string[],
): AsyncGenerator<{ readonly job: JobRecord; readonly file: Value }> {
  const dirs = new Map(config.roots.map(({ name, dir }) => [name, dir]));
  dirs.set(PROJECT_ROOT, dirs.get(PROJECT_ROOT) ?? config.projectDir);
  for (const step of steps)
    for await (const id of takenIn({ ledger }, runId, step)) {
      const job = await ledger.jobs.get(id);
      if (!job || job.state === 'superseded') continue;
      const { root, path, sha256, bytes } = job.input;
      yield { job, file: fileValue(dirs.get(root) ?? config.projectDir, path, { sha256, bytes }) };
    }
}

/** Ids of the jobs that a step took in, read page by page. */
export async function* takenIn(
  { ledger }: Pick<WorkflowsDeps, 'ledger'>,
  runId: string,
  step: string,
): AsyncGenerator<string> {
  for (let after: string | undefined; ; ) {
    const page = await ledger.runs.files(runId, step, { limit: PAGE, ...(after !== undefined && { after }) });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1);
  }
}
