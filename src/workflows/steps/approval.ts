/** Waits for a person, or for the time that was given to them. */
import type { ApprovalStep } from '../../config/workflow.ts';
import { Renderer } from '../rendering.ts';
import {
  type Answer,
  aborted,
  endOfAborted,
  failed,
  type RunContext,
  type Unit,
  type UnitEnd,
} from '../unit.ts';
import { wakeAt } from '../wake.ts';

export async function runApproval(context: RunContext, unit: Unit<ApprovalStep>): Promise<UnitEnd> {
  const { message, timeoutMs, onTimeout } = unit.step;
  const { now } = context.deps;
  if (unit.signal.aborted) return endOfAborted(unit);
  const answered = context.answer(unit);
  let waitUntil = unit.row?.waitUntil;
  let asked = unit.row?.message ?? '';
  if (unit.row === undefined) {
    if (timeoutMs !== undefined) waitUntil = now() + timeoutMs;
    asked = await context.prepare(() => new Renderer(context, unit).text(message));
    await context.put(unit, {
      state: 'waiting',
      message: asked,
      ...(waitUntil !== undefined && { waitUntil }),
    });
  }
  const { conditions, redact } = context.deps;
  const subject = `run ${context.run.id}: ${unit.id}`;
  conditions.raise({
    code: 'APPROVAL_WANTED',
    subject,
    message: `run ${context.run.id} of "${context.run.workflow}" asks: ${redact(asked)}`,
    fix: `\`sluice workflow approve ${context.run.id}\` or \`reject\`; \`show\` says what was done so far.`,
  });
  context.setBlocked(unit, true);
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const forget = waitUntil === undefined ? () => {} : wakeAt(waitUntil, now, () => resolve('late'));
  const first = await Promise.race([answered, late, aborted(unit)]);
  forget();
  context.setBlocked(unit, false);
  // What still waits when the process ends is not over: nobody is told so.
  if (!context.stopping.aborted) conditions.clear('APPROVAL_WANTED', subject);
  if (first === 'aborted') return endOfAborted(unit);
  if (first !== 'late') return endOf(first);
  if (onTimeout === 'approve') return endOf({ verdict: 'approved', by: 'timeout' });
  return {
    ...failed(
      'approval_timeout',
      'nobody answered in time',
      'Answer earlier, or raise `timeout` of the step.',
    ),
    answer: { verdict: 'rejected', by: 'timeout' },
  };
}

function endOf(answer: Answer): UnitEnd {
  const { verdict, by, comment } = answer;
  const outputs = { verdict, by, comment: comment ?? null };
  if (verdict === 'approved') return { state: 'succeeded', answer, outputs, result: comment ?? '' };
  const why = comment === undefined ? '' : `: ${comment}`;
  return { ...failed('rejected', `rejected by ${by}${why}`), answer, outputs };
}
