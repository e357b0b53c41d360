/**
 * What of each agent decides its result (part of the cache key), without the machinery that runs it: `sluice why` asks
 * while no daemon runs, and must neither start the helper process nor load what `inspect` is made of.
 */
import type { AgentConfig } from '../config/config.ts';
import type { AgentRunner } from '../types/agent.ts';
import { CommandVersions } from './command-version.ts';
import { baseEnvironment, searchPath } from './environment.ts';
import { inspectVersion, nameDependence } from './inspect/version.ts';
import { pluginFingerprint } from './plugins/fingerprint.ts';

/** @param o.env Of the daemon: on its PATH commands are looked for. */
export function createVersions(o: {
  readonly projectDir: string;
  readonly env: NodeJS.ProcessEnv;
}): Pick<AgentRunner, 'version'> {
  const commands = new CommandVersions();
  const base = baseEnvironment(o.env);
  const version = async (agent: AgentConfig, path: string): Promise<string> => {
    switch (agent.kind) {
      case 'command':
        return commands.of(agent.command, searchPath(base, agent), o.projectDir);
      case 'http':
        return 'http';
      case 'builtin':
        return `inspect-${inspectVersion} ${nameDependence(path)}`;
      case 'workflow':
        return 'workflow';
      case 'claude':
      case 'codex':
      case 'gemini':
      case 'opencode':
      case 'copilot':
        return commands.of([agent.cli.program ?? agent.kind], searchPath(base, agent), o.projectDir);
      case 'plugin': {
        const { plugin, program } = agent.cli;
        const own = program && (await commands.of([program], searchPath(base, agent), o.projectDir));
        return `plugin ${await pluginFingerprint(plugin?.package ?? '', o.projectDir)} ${own ?? ''}`;
      }
      default:
        return agent satisfies never;
    }
  };
  return { version };
}
