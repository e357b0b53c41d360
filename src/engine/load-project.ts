/** Loads a configuration with everything checked that other folders know: secret references, placeholders, templates. */
import { checkPlaceholders } from '../agents/placeholders.ts';
import type { Config } from '../config/config.ts';
import { type LoadedConfig, type LoadOptions, loadConfig, parseConfig } from '../config/load.ts';
import { type LoadedWorkflows, loadWorkflowFile } from '../config/load-workflow.ts';
import type { WorkflowConfig } from '../config/workflow.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { AppError } from '../types/errors.ts';

/** @throws ConfigError with every finding. */
export function loadProject(file: string, secrets: Pick<Secrets, 'check'>): Promise<LoadedConfig> {
  return loadConfig(file, optionsOf(secrets));
}

/** The same for a text that may come to stand in the file. @throws ConfigError with every finding. */
export function parseProject(
  file: string,
  source: string,
  secrets: Pick<Secrets, 'check'>,
): Promise<LoadedConfig> {
  return parseConfig(file, source, optionsOf(secrets));
}

/** Those of a file that the configuration need not list. @throws ConfigError with every finding, AppError CONFIG_NOT_FOUND. */
export function loadWorkflows(
  file: string,
  config: Config,
  secrets: Pick<Secrets, 'check'>,
): Promise<LoadedWorkflows> {
  return loadWorkflowFile(file, config, optionsOf(secrets));
}

function optionsOf(secrets: Pick<Secrets, 'check'>): LoadOptions {
  return {
    checkReference: (text) => secrets.check(text),
    checkPlaceholders,
    // Loaded here: few configurations have a report of their own, or `agents: auto`.
    checkReportTemplate: async (text) =>
      (await import('../workflows/render-template.ts')).checkTemplate(text),
    detectAgents: async ({ projectDir }) =>
      (await import('../agents/detect/registered.ts')).agentsOnPath({ env: process.env, projectDir }),
  };
}

/** The one workflow of such a file, which is to be run. @throws ConfigError; AppError USAGE when it holds several. */
export async function loadOneWorkflow(
  file: string,
  config: Config,
  secrets: Pick<Secrets, 'check'>,
): Promise<WorkflowConfig> {
  const { workflows } = await loadWorkflows(file, config, secrets);
  const [first, second] = workflows;
  if (first && !second) return first;
  throw new AppError('USAGE', `"${file}" holds ${workflows.length} workflows`, {
    fix: 'Name it under `workflows` of the configuration and run one of them by its name.',
  });
}
