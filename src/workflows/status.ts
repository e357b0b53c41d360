/**
 * Whether a step that may start does start: what stands before it, and its `if`. Without a status function an `if` means
 * "and nothing that it needs failed"; with one (`always()`, `failure()` …) it decides alone.
 */
import { evaluate, isTrue, usesStatus } from '../expressions/expressions.ts';
import type { Scope } from '../expressions/scope.ts';
import type { Expression } from '../expressions/syntax.ts';
import type { StepReason } from '../types/run.ts';
import type { Before } from './dag.ts';

/** The run is being ended: only steps that ask for it by a status function begin any more. */
export type RunEnding = 'cancelled' | 'replaced' | 'on_file_changed' | 'timeout';

export type Admission =
  | { readonly kind: 'run' }
  | { readonly kind: 'skip'; readonly reason: StepReason; readonly message: string }
  | { readonly kind: 'cancel' };

export function statusOf(before: Before, ending: RunEnding | undefined): NonNullable<Scope['status']> {
  if (ending === undefined) return { success: before.success, failure: before.failure, cancelled: false };
  return {
    success: false,
    failure: ending === 'timeout' || before.failure,
    cancelled: ending !== 'timeout',
  };
}

/** @throws ExpressionError. */
export async function admit(
  condition: Expression | undefined,
  before: Before,
  ending: RunEnding | undefined,
  scope: () => Promise<Scope>,
): Promise<Admission> {
  const decidesAlone = condition !== undefined && usesStatus(condition);
  if (!decidesAlone) {
    if (ending !== undefined) return { kind: 'cancel' };
    if (before.obstacle) return skippedBy(before.obstacle);
  }
  if (condition === undefined) return { kind: 'run' };
  if (isTrue(await evaluate(condition, { ...(await scope()), status: statusOf(before, ending) })))
    return { kind: 'run' };
  if (ending !== undefined) return { kind: 'cancel' };
  return { kind: 'skip', reason: 'condition', message: 'its condition does not hold' };
}

function skippedBy({ reason, step }: NonNullable<Before['obstacle']>): Admission {
  const message = reason === 'need_failed' ? `"${step}" failed` : `"${step}" was skipped`;
  return { kind: 'skip', reason, message };
}
