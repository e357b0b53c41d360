/**
 * What authors of plugins import as `sluice/plugin`: the types of an agent kind, and what the readers of the kinds that
 * come with Sluice are made of. A plugin whose export is a function is handed the same, so that it need not depend on the
 * package (which is not where it could find it when Sluice is installed globally).
 */
import type { CliKind } from '../cli/kind.ts';

export type { AgentEvent } from '../../types/agent.ts';
export type {
  Access,
  CliFault,
  CliReport,
  Correction,
  Cure,
  Denial,
  FaultClass,
} from '../../types/agent-cli.ts';
export type { Usage } from '../../types/job.ts';
export type {
  CliEnd,
  CliKind,
  CliLine,
  CliReader,
  CliVersion,
  HomePlace,
  Launch,
  LaunchRequest,
  LoginQuestion,
  LoginState,
} from '../cli/kind.ts';
export * from './tools.ts';

/** What a plugin exports as its default, or as `agentKind`. */
export interface AgentPlugin extends CliKind {
  readonly apiVersion: 1;
}

/** Everything of `sluice/plugin` that is there when a program runs. */
export type PluginTools = typeof import('./tools.ts');

/** Or a function that is given what it may use of ours. */
export type AgentPluginFactory = (tools: PluginTools) => AgentPlugin | Promise<AgentPlugin>;
