/** Workflows as the configuration holds them, with only what a test cares about spelled out. */
import type {
  AgentStep,
  ApprovalStep,
  CommandStep,
  FileProcessingStep,
  HttpStep,
  ReportStep,
  StepConfig,
  WorkflowConfig,
  WorkflowStep,
} from '../../src/config/workflow.ts';

const common = { outputs: {}, continueOnError: false };
const jobs = { ...common, expect: { outputs: [] }, env: [] };
type Facts<S extends StepConfig> = Partial<Omit<S, 'type' | 'name'>>;

export function command(name: string, facts: Facts<CommandStep> = {}): CommandStep {
  const sandbox = { mode: 'off', reason: 'a test' } as const;
  return { ...jobs, type: 'custom_command', name, command: ['true'], sandbox, ...facts };
}

export function agent(name: string, facts: Facts<AgentStep> = {}): AgentStep {
  return { ...jobs, type: 'agent', name, agents: ['lint'], select: 'in_order', cache: true, ...facts };
}

export function http(name: string, facts: Facts<HttpStep> = {}): HttpStep {
  return { ...jobs, type: 'http', name, url: 'http://127.0.0.1:1/', method: 'POST', headers: {}, ...facts };
}

export function files(name: string, facts: Facts<FileProcessingStep> = {}): FileProcessingStep {
  return { ...common, type: 'file_processing', name, directory: '.', recursive: true, ...facts };
}

export function call(name: string, workflow: string, facts: Facts<WorkflowStep> = {}): WorkflowStep {
  return { ...common, type: 'workflow', name, workflow, with: {}, ...facts };
}

export function approval(name: string, facts: Facts<ApprovalStep> = {}): ApprovalStep {
  return { ...common, type: 'approval', name, message: 'Go on?', onTimeout: 'reject', ...facts };
}

export function report(name: string, text: string, facts: Facts<ReportStep> = {}): ReportStep {
  const template = { text, file: '/project/report.liquid' };
  return { ...common, type: 'report', name, template, output: 'report.md', with: {}, ...facts };
}

export function workflow(
  steps: readonly StepConfig[],
  facts: Partial<Omit<WorkflowConfig, 'steps'>> = {},
): WorkflowConfig {
  return {
    name: 'wf',
    aliases: [],
    file: '/project/workflows/wf.yaml',
    inputs: [],
    outputs: {},
    env: [],
    on: { manual: true, file: [], schedules: [] },
    steps,
    onFailure: [],
    ...facts,
  };
}
