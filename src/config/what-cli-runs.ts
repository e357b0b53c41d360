/**
 * What of an agent CLI's settings decides its results, for cache keys and checksums of workflows. The ceiling is not in it,
 * nor what happens without quota: a corrected launch does what the plain one was to do.
 */
import type { CliSettings } from './config.ts';

export function whatCliRuns(cli: CliSettings): unknown {
  const { program, plugin, model, effort, maxTurns, tools, permissions } = cli;
  return [program, plugin, model, effort, maxTurns, tools.toSorted(), permissions.mode];
}
