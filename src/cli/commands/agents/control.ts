/** `sluice agents pause` and `resume`: through the daemon, or in the ledger, where the next one finds it. */
import type { AgentOperations } from '../../../operations/agents/agent-operations.ts';
import type { Client } from '../../client.ts';
import type { CommandContext } from '../../context.ts';
import { printLine } from '../../print.ts';

async function change<T>(
  context: CommandContext,
  command: string,
  inDaemon: (daemon: Client) => Promise<T>,
  alone: (agents: AgentOperations) => Promise<T>,
): Promise<T> {
  const daemon = await context.daemon();
  if (daemon) return inDaemon(daemon);
  const { openAlone } = await import('../../alone.ts');
  // Nothing of what waits begins because of it.
  await using project = await openAlone(context, command, new AbortController().signal, { isPaused: true });
  return await alone(project.operations.agents);
}

export const pause = {
  async run(context: CommandContext, [name = '']: readonly string[]): Promise<number> {
    const { agent } = await change(
      context,
      'agents pause',
      (daemon) => daemon.post<{ agent: string }>(`/api/agents/${encodeURIComponent(name)}/pause`),
      (agents) => agents.pause(name, 'the owner'),
    );
    printLine(`${agent} starts nothing more; \`sluice agents resume ${agent}\` lets it go on`);
    return 0;
  },
};

export const resume = {
  async run(context: CommandContext, [name = '']: readonly string[]): Promise<number> {
    const { agent, was_parked: wasParked } = await change(
      context,
      'agents resume',
      (daemon) =>
        daemon.post<{ agent: string; was_parked: boolean }>(`/api/agents/${encodeURIComponent(name)}/resume`),
      (agents) => agents.resume(name, 'the owner'),
    );
    printLine(wasParked ? `${agent} goes on` : `${agent} was not paused`);
    return 0;
  },
};
