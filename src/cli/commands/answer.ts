/** `sluice answer`: a held job goes on, and its agent heeds what is said. */
import type { CommandContext } from '../context.ts';
import { printLine, tell } from '../print.ts';

export async function run(context: CommandContext, [id = '', ...words]: readonly string[]): Promise<number> {
  const text = words.join(' ');
  const daemon = await context.daemon();
  const { job_id: job } = daemon
    ? await daemon.post<{ job_id: string }>(`/api/jobs/${encodeURIComponent(id)}/answer`, { text })
    : await offline(context, id, text);
  printLine(`answered ${job}`);
  if (!daemon) tell('it goes on with the next `sluice start` or `sluice run`');
  return 0;
}

async function offline(
  context: CommandContext,
  id: string,
  text: string,
): Promise<{ readonly job_id: string }> {
  const [{ openOffline }, { answerJob }, { JobNotes }] = await Promise.all([
    import('../offline.ts'),
    import('../../operations/answer.ts'),
    import('../../coordinator/job-notes.ts'),
  ]);
  await using project = await openOffline(context, 'answer');
  const { ledger } = project;
  const notes = new JobNotes(ledger);
  const answered = await answerJob(
    {
      ledger,
      async answer(job, said) {
        if ((await ledger.jobs.get(job))?.state !== 'held') return false;
        await notes.answer(job, said);
        return ledger.jobs.unhold(job);
      },
    },
    id,
    text,
  );
  await ledger.durable();
  return answered;
}
