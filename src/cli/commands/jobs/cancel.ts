/** `sluice jobs cancel`: a running attempt is ended by the daemon; without one a waiting job is ended in the ledger. */
import { AppError } from '../../../types/errors.ts';
import type { CommandContext } from '../../context.ts';
import { jobTarget } from '../../job-target.ts';
import { printLine } from '../../print.ts';

export async function run(context: CommandContext, [named = '']: readonly string[]): Promise<number> {
  const prefix = await jobTarget(context, named);
  const daemon = await context.daemon();
  if (daemon) {
    const { job_id: id } = await daemon.post<{ job_id: string }>(
      `/api/jobs/${encodeURIComponent(prefix)}/cancel`,
    );
    printLine(`cancelled ${id}`);
    return 0;
  }
  const [{ openOffline }, { findJob }] = await Promise.all([
    import('../../offline.ts'),
    import('../../../operations/find-job.ts'),
  ]);
  await using project = await openOffline(context, 'jobs cancel');
  const { id } = await findJob(project.ledger, prefix);
  const job = await project.ledger.jobs.endIdle(id, {
    state: 'cancelled',
    message: 'cancelled by the owner',
  });
  if (!job)
    throw new AppError('NOT_POSSIBLE', `Job ${id} cannot be cancelled: it has ended`, {
      fix: `See \`sluice jobs show ${id}\`.`,
    });
  await project.ledger.durable();
  printLine(`cancelled ${id}`);
  return 0;
}
