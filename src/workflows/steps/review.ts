/** Has the work of a step judged by other agents, and acts on what they decide. */
import type { ReviewStep } from '../../config/workflow.ts';
import { failed, type RunContext, type Unit, type UnitEnd } from '../unit.ts';

export async function runReview(context: RunContext, { step }: Unit<ReviewStep>): Promise<UnitEnd> {
  return failed('run_failed', `nobody reviews "${step.of}" of run ${context.run.id}`);
}
