/**
 * The cache key: content × recipe. The recipe is what would be run, as far as it decides the result; not priorities,
 * limits, time-outs or names, so that renaming a rule or giving it more time keeps its results.
 */
import { hash } from 'node:crypto';
import type { AgentConfig, RuleConfig } from '../config/config.ts';
import { whatCliRuns } from '../config/what-cli-runs.ts';

/** @param agentVersion What `AgentRunner.version` says of the agent's binary or script. */
export function recipeOf(agent: AgentConfig, agentVersion: string, rule: RuleConfig): string {
  return hash(
    'sha256',
    JSON.stringify([
      agent.kind,
      whatRuns(agent),
      agentVersion,
      agent.env.filter((entry) => entry.kind === 'set'),
      rule.prompt ?? null,
      rule.expect.outputs,
      rule.expect.jsonSchema?.schema ?? null,
    ]),
    'hex',
  );
}

/** @returns `''` when the rule's results are not shared (`cache: off`). */
export function keyOf(sha256: string, recipe: string, rule: RuleConfig, root: string, path: string): string {
  if (rule.cache === 'off' || sha256 === '') return '';
  return hash('sha256', JSON.stringify([sha256, recipe, rule.cache === 'path' ? [root, path] : null]), 'hex');
}

function whatRuns(agent: AgentConfig): unknown {
  switch (agent.kind) {
    case 'command':
      return agent.command;
    case 'http':
      return [agent.url, agent.headers, ...(agent.request ? [agent.request] : [])];
    case 'builtin':
      return null;
    case 'workflow':
      return agent.definition;
    case 'claude':
    case 'codex':
    case 'gemini':
    case 'opencode':
    case 'copilot':
    case 'plugin':
      return whatCliRuns(agent.cli);
    default:
      return agent satisfies never;
  }
}
