/**
 * One workflow file, checked against a configuration in which it need not be listed: for `sluice workflow validate FILE`
 * and `sluice workflow run --file FILE`.
 */
import type { Config } from './config.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { LoadOptions } from './load.ts';
import type { WorkflowConfig } from './workflow.ts';

export interface LoadedWorkflows {
  /** Those of the file, at least one. What they call is here or in the configuration. */
  readonly workflows: readonly WorkflowConfig[];
  readonly warnings: readonly Diagnostic[];
}

/**
 * @param file Relative to the working directory, or absolute.
 * @param config Its agents and workflows may be used; workflows of the same file in it are left out.
 * @throws ConfigError with all findings; AppError CONFIG_NOT_FOUND when there is no such file.
 */
export async function loadWorkflowFile(
  file: string,
  config: Config,
  options: LoadOptions = {},
): Promise<LoadedWorkflows> {
  void [file, config, options];
  return { workflows: [], warnings: [] };
}
