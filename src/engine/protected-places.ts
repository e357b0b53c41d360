/**
 * What nobody confined changes, wherever else it may write: results, the configuration, workflows, and plugins that are
 * named by a path. Whoever writes the last three decides what runs without a sandbox. A package in `node_modules` is not
 * among them: what it needs lies all over that folder, into which agents install things.
 */
import { resolve } from 'node:path';
import { type Config, isCliAgent } from '../config/config.ts';
import { workflowPlaces } from '../config/workflow-places.ts';

/** Absolute paths. */
export function protectedPlaces(config: Config): readonly string[] {
  const plugins = [...config.agents.values()].flatMap((agent) => {
    const named = isCliAgent(agent) ? agent.cli.plugin?.package : undefined;
    return named !== undefined && /^\.{0,2}\//.test(named) ? [resolve(config.projectDir, named)] : [];
  });
  return [config.output.dir, config.file, ...workflowPlaces(config), ...plugins];
}
