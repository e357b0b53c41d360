/** One function per type of step. */
import type { StepConfig } from '../../config/workflow.ts';
import type { RunContext, Unit, UnitEnd } from '../unit.ts';
import { runAgent } from './agent.ts';
import { runApproval } from './approval.ts';
import { runCommand } from './custom-command.ts';
import { runFileProcessing } from './file-processing.ts';
import { runHttp } from './http.ts';
import { runReport } from './report.ts';
import { runReview } from './review.ts';
import { runWorkflow } from './workflow.ts';

const kinds: {
  readonly [T in StepConfig['type']]: (
    context: RunContext,
    unit: Unit<Extract<StepConfig, { readonly type: T }>>,
  ) => Promise<UnitEnd>;
} = {
  agent: runAgent,
  approval: runApproval,
  custom_command: runCommand,
  file_processing: runFileProcessing,
  http: runHttp,
  report: runReport,
  review: runReview,
  workflow: runWorkflow,
};

/** Takes a unit to its end, from the beginning or from where a restart found it. */
export function runStep(context: RunContext, unit: Unit): Promise<UnitEnd> {
  return (kinds[unit.step.type] as (context: RunContext, unit: Unit) => Promise<UnitEnd>)(context, unit);
}
