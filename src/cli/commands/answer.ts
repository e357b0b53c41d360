/** `sluice answer`: a held job goes on, and its agent heeds what is said. */
import { type Answered, runLike } from '../../operations/answer.ts';
import type { CommandContext } from '../context.ts';
import { jobTarget } from '../job-target.ts';
import { printLine, tell } from '../print.ts';

export async function run(
  context: CommandContext,
  [named = '', ...words]: readonly string[],
): Promise<number> {
  const id = runLike.test(named) ? named : await jobTarget(context, named);
  const text = words.join(' ');
  const daemon = await context.daemon();
  const { job_id: job, with: others = [] } = daemon
    ? await daemon.post<Answered>(`/api/jobs/${encodeURIComponent(id)}/answer`, { text })
    : await offline(context, id, text);
  for (const answered of [job, ...others]) printLine(`answered ${answered}`);
  if (!daemon) tell('it goes on with the next `sluice start` or `sluice run`');
  return 0;
}

async function offline(context: CommandContext, id: string, text: string): Promise<Answered> {
  const [{ openOffline }, { answerJob }, { answerHeld }, { JobNotes }] = await Promise.all([
    import('../offline.ts'),
    import('../../operations/answer.ts'),
    import('../../coordinator/answering.ts'),
    import('../../coordinator/job-notes.ts'),
  ]);
  await using project = await openOffline(context, 'answer');
  const { ledger } = project;
  const notes = new JobNotes(ledger);
  const answered = await answerJob(
    { ledger, answer: (job, said) => answerHeld({ ledger, notes }, job, said) },
    id,
    text,
  );
  await ledger.durable();
  return answered;
}
