/** `sluice jobs release`: a held job goes back to the queue. */
import { AppError } from '../../../types/errors.ts';
import type { CommandContext } from '../../context.ts';
import { printLine, tell } from '../../print.ts';

export async function run(context: CommandContext, [prefix = '']: readonly string[]): Promise<number> {
  const daemon = await context.daemon();
  if (daemon) {
    const { job_id: id } = await daemon.post<{ job_id: string }>(
      `/api/jobs/${encodeURIComponent(prefix)}/release`,
    );
    printLine(`released ${id}`);
    return 0;
  }
  const [{ openOffline }, { findJob }] = await Promise.all([
    import('../../offline.ts'),
    import('../../../operations/operations.ts'),
  ]);
  await using project = await openOffline(context, 'jobs release');
  const { id } = await findJob(project.ledger, prefix);
  if (!(await project.ledger.jobs.unhold(id)))
    throw new AppError('NOT_POSSIBLE', `Job ${id} is not held`, {
      fix: '`sluice jobs list --state held` shows those that are.',
    });
  await project.ledger.durable();
  printLine(`released ${id}`);
  tell('it goes on with the next `sluice start` or `sluice run`');
  return 0;
}
