/** Which agents cannot write into a watched folder: what they change there is never taken for a loop of theirs. */
import type { ConditionBoard } from '../conditions/board.ts';
import { type AgentConfig, type Config, isCliAgent } from '../config/config.ts';
import { contains } from '../config/contains.ts';

/** @param conditions Say which agents run without the confinement that they were to have. */
export function isConfined(
  agent: AgentConfig,
  config: Config,
  conditions: Pick<ConditionBoard, 'list'>,
): boolean {
  if (agent.kind === 'builtin') return true;
  const { sandbox } = agent;
  if (agent.kind === 'http' || sandbox.mode === 'off') return false;
  if (conditions.list().some(({ code, subject }) => code === 'SANDBOX_NONE' && subject === agent.name))
    return false;
  return ![...sandbox.write, ...writableForCli(agent)].some((place) => {
    // A copy is not the tree: what comes back from it is known file by file.
    if (place === 'workspace') return agent.workspace === 'in_place';
    const dir = place === 'project' ? config.projectDir : place;
    return config.roots.some((root) => contains(root.dir, dir) || contains(dir, root.dir));
  });
}

/** What an agent CLI may come to write, by the launch that it is allowed at most: its tree, and where it was let in. */
function writableForCli(agent: AgentConfig): readonly string[] {
  if (!isCliAgent(agent)) return [];
  const { ceiling, directories } = agent.cli.permissions;
  if (ceiling === 'read') return [];
  return agent.workspace === 'copy' ? directories : ['project', 'workspace', ...directories];
}
