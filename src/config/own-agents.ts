/**
 * Agents that nobody wrote: `$command` and `$http` stand for steps without an agent of their own, `$workflow:NAME` for a
 * workflow that rules send files to. With them the coordinator needs no second way to claim, limit and record work.
 */
import { stepAgents, workflowAgent } from '../types/step-task.ts';
import type { AgentConfig, SandboxConfig } from './config.ts';
import { nothingToConfine } from './resolve-sandbox.ts';
import { agentDefaults } from './shape.ts';
import { parseSize } from './size.ts';

type Common = Omit<Extract<AgentConfig, { kind: 'builtin' }>, 'kind'>;

/** For steps. Command, URL, sandbox and the like come with each task; these hold the limits. */
export function stepAgentConfigs(
  sandbox: SandboxConfig = { mode: 'off', reason: 'no workflow has a command' },
): readonly AgentConfig[] {
  const tenMinutes = 600_000;
  return [
    {
      ...common(stepAgents.command),
      kind: 'command',
      command: [],
      timeoutMs: tenMinutes,
      retry: { attempts: 1, initialMs: 1_000, maxMs: 300_000 },
      sandbox,
    },
    {
      ...common(stepAgents.http),
      kind: 'http',
      url: '',
      headers: {},
      timeoutMs: tenMinutes,
      retry: { attempts: 3, initialMs: 1_000, maxMs: 300_000 },
    },
  ];
}

/** @param definition Checksum of the workflow and those that it calls. */
export function workflowAgentConfig(workflow: string, definition: string): AgentConfig {
  return {
    ...common(workflowAgent(workflow)),
    kind: 'workflow',
    workflow,
    definition,
    sandbox: { mode: 'off', reason: 'a workflow: its steps are confined' },
  };
}

/** No limits but those of the whole daemon, no breaker: one step that fails says nothing of the next. */
function common(name: string): Common {
  const { limits } = agentDefaults({ kind: 'builtin' });
  return {
    name,
    capabilities: [],
    priority: 0,
    fallback: [],
    maxLoad: Number.POSITIVE_INFINITY,
    limits: { required: false },
    maxRepeats: Number.POSITIVE_INFINITY,
    workspace: 'in_place',
    timeoutMs: Number.POSITIVE_INFINITY,
    retry: { attempts: 1, initialMs: 0, maxMs: 0 },
    maxOutputBytes: parseSize(limits?.output ?? '') ?? 0,
    env: [],
    sandbox: nothingToConfine,
  };
}
