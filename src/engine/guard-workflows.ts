/**
 * A folder that is not there cannot be kept from being made: where somebody confined may write into the project, the
 * folder that workflows are read from is made by us, so that it can be read-only for them. Otherwise an agent could give
 * itself a workflow whose commands run without a sandbox.
 */
import { mkdirSync } from 'node:fs';
import type { AgentConfig, Config } from '../config/config.ts';
import { contains } from '../config/contains.ts';
import { workflowPlaces } from '../config/workflow-places.ts';
import { systemCode } from '../types/errors.ts';

export function guardWorkflows(config: Config): void {
  if (![...config.agents.values()].some((agent) => mayWriteProject(agent, config))) return;
  for (const place of workflowPlaces(config)) {
    try {
      mkdirSync(place);
    } catch (error) {
      // It is there, or nobody can make it: neither can they.
      if (!['EEXIST', 'ENOENT', 'EACCES', 'EROFS', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    }
  }
}

function mayWriteProject({ name, sandbox }: AgentConfig, { projectDir, workflows }: Config): boolean {
  if (sandbox.mode === 'off' || (name === '$command' && workflows.length === 0)) return false;
  return sandbox.write.some((place) => place === 'project' || contains(place, projectDir));
}
