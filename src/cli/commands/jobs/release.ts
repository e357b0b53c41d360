/** `sluice jobs release`: held jobs go back to the queue, by id or all of them. */
import { AppError } from '../../../types/errors.ts';
import type { JobId } from '../../../types/job.ts';
import type { CommandContext } from '../../context.ts';
import { jobTarget } from '../../job-target.ts';
import { printLine, tell } from '../../print.ts';

interface ReleaseOptions {
  readonly held?: boolean;
  readonly rule?: string;
}

export async function run(
  context: CommandContext,
  prefixes: readonly string[],
  { held = false, rule }: ReleaseOptions,
): Promise<number> {
  if (held === prefixes.length > 0)
    throw new AppError('USAGE', 'Name the jobs to release, or write --held for all of them', {
      fix: '`sluice jobs list --state held` shows them with their ids.',
    });
  const jobs: string[] = [];
  for (const named of prefixes) jobs.push(await jobTarget(context, named));
  const request = { ...(held ? { held } : { jobs }), ...(rule !== undefined && { rule }) };
  const daemon = await context.daemon();
  const { job_ids: ids } = daemon
    ? await daemon.post<{ job_ids: string[] }>('/api/jobs/release', request)
    : await offline(context, request);
  for (const id of ids) printLine(`released ${id}`);
  if (ids.length === 0) tell('no job is held');
  else if (!daemon) tell('it goes on with the next `sluice start` or `sluice run`');
  return 0;
}

async function offline(
  context: CommandContext,
  request: { readonly held?: boolean; readonly jobs?: readonly string[]; readonly rule?: string },
): Promise<{ readonly job_ids: readonly string[] }> {
  const [{ openOffline }, { release }, { JobNotes }, { acceptedWords }] = await Promise.all([
    import('../../offline.ts'),
    import('../../../operations/release.ts'),
    import('../../../coordinator/job-notes.ts'),
    import('../../../coordinator/reviewing.ts'),
  ]);
  await using project = await openOffline(context, 'jobs release');
  const { ledger } = project;
  const notes = new JobNotes(ledger);
  const unhold = async (id: JobId): Promise<boolean> => {
    const held = await ledger.jobs.get(id);
    if (held?.state !== 'held') return false;
    await notes.accept(id, acceptedWords(held));
    return ledger.jobs.unhold(id);
  };
  const job_ids = await release({ ledger, unhold }, request);
  await ledger.durable();
  return { job_ids };
}
