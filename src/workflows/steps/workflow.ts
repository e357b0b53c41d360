/** Another workflow as a step: a run of its own, with its own session; what it gives are the step's outputs. */
import type { WorkflowStep } from '../../config/workflow.ts';
import { Renderer } from '../rendering.ts';
import { endOfAborted, failed, type RunContext, type Unit, type UnitEnd } from '../unit.ts';

export async function runWorkflow(context: RunContext, unit: Unit<WorkflowStep>): Promise<UnitEnd> {
  const { workflow, with: given } = unit.step;
  if (unit.row === undefined && unit.signal.aborted) return endOfAborted(unit);
  const subRunId = unit.row?.subRunId ?? (await context.newRunId());
  if (unit.row?.subRunId === undefined) await context.put(unit, { state: 'running', subRunId });
  const run = await context.call({
    id: subRunId,
    workflow,
    unit,
    inputs: async () => {
      const inputs = await context.prepare(() => new Renderer(context, unit).deep(given));
      return inputs as Readonly<Record<string, unknown>>;
    },
  });
  if (!run) return endOfAborted(unit);
  const outputs = run.outputs ?? {};
  switch (run.state) {
    case 'succeeded':
      return { state: 'succeeded', outputs };
    case 'cancelled':
      if (unit.signal.aborted) return endOfAborted(unit);
      return { state: 'cancelled', reason: 'cancelled', message: `run ${run.id} was cancelled`, outputs };
    default: {
      const { message = `run ${run.id} failed`, fix } = run;
      return { ...failed('run_failed', message, fix), outputs };
    }
  }
}
