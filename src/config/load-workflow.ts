/**
 * One workflow file, checked against a configuration in which it need not be listed: for `sluice workflow validate FILE`
 * and `sluice workflow run --file FILE`.
 */
import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { isOwnAgent } from './config.ts';
import { ConfigError, type Diagnostic } from './diagnostic.ts';
import { deepFreeze } from './freeze.ts';
import type { LoadOptions } from './load.ts';
import { readWorkflowFile } from './read-workflows.ts';
import { resolveWorkflows } from './resolve-workflows.ts';
import type { Resolving } from './resolving.ts';
import { allFindings, Findings } from './source.ts';
import type { WorkflowConfig } from './workflow.ts';

export interface LoadedWorkflows {
  /** Those of the file, at least one. What they call is here or in the configuration. */
  readonly workflows: readonly WorkflowConfig[];
  readonly warnings: readonly Diagnostic[];
}

/**
 * @param file Relative to the working directory, or absolute.
 * @param config Its agents and workflows may be used; workflows of the same file, or the same name, in it are left out.
 * @throws ConfigError with all findings; AppError CONFIG_NOT_FOUND when there is no such file.
 */
export async function loadWorkflowFile(
  file: string,
  config: Config,
  options: LoadOptions = {},
): Promise<LoadedWorkflows> {
  const absolute = resolve(file);
  const nothing = new Findings(config.file, '', { value: { start: 0, end: 0 } });
  const files = new Set<string>();
  const context: Resolving = {
    projectDir: config.projectDir,
    findings: nothing,
    files,
    checkReference: options.checkReference,
    checkPlaceholders: options.checkPlaceholders,
    checkReportTemplate: options.checkReportTemplate,
    searchPath: options.searchPath ?? process.env.PATH ?? '',
    others: [],
  };
  const read = await readWorkflowFile(context, absolute);
  const names = new Set(read.workflows.map(({ data }) => data.name?.toLowerCase()));
  const others = config.workflows.filter(
    (one) => one.file !== absolute && !names.has(one.name.toLowerCase()),
  );
  const agents = new Map([...config.agents].filter(([name]) => !isOwnAgent(name)));
  const { list } = await resolveWorkflows(read, agents, config.reviews, others);
  const found = allFindings(nothing, context.others);
  if (found.some(({ severity }) => severity === 'error')) throw new ConfigError(absolute, found, [...files]);
  return { workflows: deepFreeze(list.map(({ workflow }) => workflow)), warnings: found };
}
