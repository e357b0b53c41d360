/** `sluice jobs review`: has work that runs looked at by other agents, now. */
import type { CommandContext } from '../../context.ts';
import { jobTarget } from '../../job-target.ts';
import { printLine } from '../../print.ts';

export async function run(context: CommandContext, [id = '']: readonly string[]): Promise<number> {
  const daemon = await context.requireDaemon();
  const target = await jobTarget(context, id);
  const { job_id: job, under_way: isUnderWay } = await daemon.post<{ job_id: string; under_way?: true }>(
    `/api/jobs/${encodeURIComponent(target)}/review`,
    {},
  );
  printLine(
    `a review of ${job} ${isUnderWay ? 'is under way already' : 'has begun'}; \`sluice jobs show ${job}\` tells what it says`,
  );
  return 0;
}
