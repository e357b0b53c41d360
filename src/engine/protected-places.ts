/**
 * What nobody confined changes, wherever else it may write: results, the configuration, workflows, and plugins that are
 * named by a path. Whoever writes the last three decides what runs without a sandbox. A package in `node_modules` is not
 * among them: what it needs lies all over that folder, into which agents install things.
 */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Config, isCliAgent } from '../config/config.ts';
import { contains } from '../config/contains.ts';
import { workflowPlaces } from '../config/workflow-places.ts';

/** Absolute paths. */
export function protectedPlaces(config: Config): readonly string[] {
  const plugins = [...config.agents.values()].flatMap((agent) => {
    const named = isCliAgent(agent) ? agent.cli.plugin?.package : undefined;
    return named !== undefined && /^\.{0,2}\//.test(named)
      ? ofPlugin(resolve(config.projectDir, named), config.projectDir)
      : [];
  });
  return [config.output.dir, config.file, ...workflowPlaces(config), ...plugins];
}

/** Where the project lies in the plugin's folder, `write: [project]` must go on to mean something: the code beside it alone. */
function ofPlugin(place: string, projectDir: string): readonly string[] {
  if (!contains(place, projectDir)) return [place];
  const names = readdirSync(place).filter((name) => /^package\.json$|\.[cm]?[jt]s$/.test(name));
  return names.toSorted().map((name) => join(place, name));
}
