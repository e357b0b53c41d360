/** A command that waits for a person is a condition, as long as it waits. */
import { isOwnAgent } from '../config/config.ts';
import type { Log } from '../logging/log.ts';
import type { Approvals } from '../sandbox/approvals.ts';
import type { Conditions } from '../types/condition.ts';

export function tellApprovals(approvals: Approvals, conditions: Conditions, log: Pick<Log, 'info'>): void {
  approvals.on('wanted', ({ id, jobId, agent, command, cwd }) => {
    conditions.raise({
      code: 'APPROVAL_WANTED',
      subject: id,
      message: `${isOwnAgent(agent) ? 'a step' : `agent "${agent}"`} asks to run \`${command}\` in ${cwd}`,
      fix: `\`sluice jobs approve ${jobId}\` or \`sluice jobs refuse ${jobId}\`; its time-outs go on meanwhile.`,
    });
  });
  approvals.on('answered', ({ id, jobId, agent, command }) => {
    conditions.clear('APPROVAL_WANTED', id);
    log.info({ job: jobId, agent, command }, `nobody waits any more to run ${command}`);
  });
}
