/** Which agents of a configuration are what was detected, under whatever name. */
import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { type AgentConfig, type Config, isCliAgent } from '../../config/config.ts';
import { fsPath } from '../../types/path-bytes.ts';
import { baseEnvironment, searchPath } from '../environment.ts';
import { findCommand } from '../find-command.ts';
import type { Detection } from './detect.ts';
import { tools } from './tools.ts';

/** @returns their names, in the order of the configuration. */
export function agentsOf(
  { id, state, proposal }: Detection,
  { agents, projectDir }: Pick<Config, 'agents' | 'projectDir'>,
  env: NodeJS.ProcessEnv,
): readonly string[] {
  const base = baseEnvironment(env);
  const file = state.is === 'missing' ? undefined : state.file;
  const isSame = (agent: AgentConfig, program: string): boolean => {
    const found = findCommand(program, searchPath(base, agent), projectDir);
    // Where neither is there, the agent waits for the very program that was not found.
    if (file === undefined || !('file' in found)) return file === undefined && !('file' in found);
    return realOf(found.file) === realOf(file);
  };
  const tool = tools.find(({ name }) => name === id);
  const isIt = (agent: AgentConfig): boolean => {
    if (isCliAgent(agent)) {
      const { program, plugin } = agent.cli;
      if (agent.kind === 'plugin' ? plugin?.package !== proposal.entry.plugin : agent.kind !== id)
        return false;
      return program === undefined || isSame(agent, program);
    }
    if (tool === undefined) return false;
    // It has the name that we propose: its command may have been changed since.
    if (agent.name === proposal.name) return true;
    if (agent.kind !== 'command') return false;
    const words = agent.command.flatMap((word) => word.split(/\s+/));
    if (tool.telltale !== undefined && !words.includes(tool.telltale)) return false;
    // `sh -c "ffmpeg …"` starts it, too.
    return words.some((word) => basename(word) === id && isSame(agent, word));
  };
  return [...agents.values()].filter(isIt).map(({ name }) => name);
}

function realOf(file: string): string {
  try {
    return String(realpathSync(fsPath(file)));
  } catch {
    return file;
  }
}
