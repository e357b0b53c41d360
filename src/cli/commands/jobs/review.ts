/** `sluice jobs review`: has work that runs looked at by other agents, now. */
import type { CommandContext } from '../../context.ts';
import { printLine } from '../../print.ts';

export async function run(context: CommandContext, [id = '']: readonly string[]): Promise<number> {
  const daemon = await context.requireDaemon();
  const { job_id: job } = await daemon.post<{ job_id: string }>(
    `/api/jobs/${encodeURIComponent(id)}/review`,
    {},
  );
  printLine(`a review of ${job} has begun; \`sluice jobs show ${job}\` tells what it says`);
  return 0;
}
