/**
 * Agents that nobody wrote: `$command` and `$http` stand for steps without an agent of their own, `$workflow:NAME` for a
 * workflow that rules send files to. With them the coordinator needs no second way to claim, limit and record work.
 */
import { stepAgents, workflowAgent } from '../types/step-task.ts';
import type { AgentConfig, RuleConfig, SandboxConfig } from './config.ts';
import { nothingToConfine } from './resolve-sandbox.ts';
import { commandSandbox } from './resolve-step-command.ts';
import { agentDefaults } from './shape.ts';
import { parseSize } from './size.ts';
import type { WorkflowConfig } from './workflow.ts';
import { definitionHash } from './workflow-definition.ts';

type Common = Omit<Extract<AgentConfig, { kind: 'builtin' }>, 'kind'>;

/**
 * All of them, for a configuration with these rules and workflows.
 * @param isBudgeted There is a budget of the whole daemon. What they say they cost counts; that they say nothing is normal.
 */
export function ownAgentConfigs(
  rules: readonly RuleConfig[],
  workflows: readonly WorkflowConfig[],
  agents: ReadonlyMap<string, AgentConfig | undefined>,
  isBudgeted: boolean,
): readonly AgentConfig[] {
  const targets = new Set(rules.map(({ target }) => (target.kind === 'agent' ? target.agent : '')));
  const ofRules = workflows.filter(({ name }) => targets.has(workflowAgent(name)));
  const commands = workflows
    .flatMap(({ steps, onFailure }) => [...steps, ...onFailure])
    .filter((step) => step.type === 'custom_command');
  // What confines them is tried at the start, and a condition says when it cannot be had: only where it is wanted.
  const confined = commands.find(({ sandbox }) => sandbox.mode !== 'off');
  return [
    ...stepAgentConfigs(confined ? commandSandbox : undefined),
    ...ofRules.map((workflow) =>
      workflowAgentConfig(workflow.name, definitionHash(workflow, workflows, agents)),
    ),
  ].map((agent) => (isBudgeted ? { ...agent, budget: { unknownCost: 'allow' } } : agent));
}

/** For steps. Command, URL, sandbox and the like come with each task; these hold the limits. */
function stepAgentConfigs(
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
function workflowAgentConfig(workflow: string, definition: string): AgentConfig {
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
