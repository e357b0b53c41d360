/**
 * What is worked on at once: a step, or one item of a `for_each`. Each type of step is one function (`steps/<type>.ts`)
 * that takes a unit to its end, whether it begins or is taken up after a restart.
 */
import type { StepConfig } from '../config/workflow.ts';
import { ExpressionError } from '../expressions/expressions.ts';
import type { Value } from '../expressions/scope.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { AppError, messageOf } from '../types/errors.ts';
import type { RunId, RunRecord, StepReason, StepRecord } from '../types/run.ts';
import type { KeptDefinition } from './definition.ts';
import type { WorkflowsDeps } from './deps.ts';
import type { JobWatch } from './job-watch.ts';
import type { OwnValues, RunScope } from './scope.ts';
import type { RunEnding } from './status.ts';

/** Why a unit is ended from outside. `stopping`: the process ends, the unit stays as it is. */
export type UnitAbort = RunEnding | 'step_timeout' | 'stopping';

export interface Unit<S extends StepConfig = StepConfig> {
  readonly step: S;
  /** The step's name, for an item with its index: `lint[3]`. */
  readonly id: string;
  readonly index?: number;
  readonly item?: Value;
  /** What the ledger has of it from before a restart. */
  readonly row?: StepRecord;
  /** Its reason is a `UnitAbort`. */
  readonly signal: AbortSignal;
}

/** How it ended; the rest of its row is known. */
export type UnitEnd = {
  readonly state: 'succeeded' | 'cached' | 'failed' | 'cancelled';
} & Pick<
  StepRecord,
  'reason' | 'message' | 'fix' | 'result' | 'resultBytes' | 'outputs' | 'cachedFrom' | 'counts' | 'answer'
>;

export interface Answer {
  readonly verdict: 'approved' | 'rejected';
  readonly by: string;
  readonly comment?: string;
}

/** The run that a unit belongs to, as far as units see it. */
export interface RunContext {
  readonly run: RunRecord;
  readonly definition: KeptDefinition;
  readonly deps: WorkflowsDeps;
  readonly scope: RunScope;
  readonly watch: JobWatch;
  readonly force: boolean;
  readonly priority: number;
  /** Writes the row of a unit that is under way; keys of an earlier call stay. */
  put(unit: Unit, change: Partial<StepRecord>): Promise<StepRecord>;
  /** When it began, from its row. */
  startedAt(unit: Unit): number;
  /** Aborted when the process ends: whoever still waits then gives up. */
  readonly stopping: AbortSignal;
  /** Nothing goes on with it before a person acts, or (false) it does again. */
  setBlocked(unit: Unit, isBlocked: boolean): void;
  progress(unit: Unit, counts: Readonly<Record<string, number>>): void;
  /** Preparing work reads files and evaluates: a few at a time, and others get their turn. */
  prepare<T>(task: () => Promise<T>): Promise<T>;
  /** Resolves when a person answers. */
  answer(unit: Unit): Promise<Answer>;
  /**
   * Starts the run that a step calls, or goes on with it, and follows it to its end; aborted: cancels it.
   * @returns undefined when it was aborted before it began.
   */
  call(o: {
    readonly id: RunId;
    readonly workflow: string;
    readonly inputs: () => Promise<Readonly<Record<string, unknown>>>;
    readonly unit: Unit;
  }): Promise<RunRecord | undefined>;
  newRunId(): Promise<RunId>;
}

/** The process ends: nothing is to be written any more. */
export class Detached extends Error {
  override readonly name = 'Detached';
}

/** What only this unit sees. */
export function ownValues({ step, index, item }: Unit): OwnValues {
  return {
    ...(index !== undefined && { index }),
    ...(item !== undefined && { item }),
    ...('env' in step && { env: step.env }),
  };
}

export function failed(reason: StepReason | string, message: string, fix?: string): UnitEnd {
  return { state: 'failed', reason, message, ...(fix !== undefined && { fix }) };
}

/** An error that is the step's own: what it says stands in its row. Others are thrown on. */
export function asEnd(error: unknown): UnitEnd {
  if (error instanceof ExpressionError)
    return failed('expression', `${error.message}\n${error.snippet}`, error.fix);
  if (!(error instanceof AppError)) throw error;
  const reason = reasons[error.code];
  if (reason === undefined) throw error;
  return failed(reason, messageOf(error), error.fix);
}

const reasons: Readonly<Partial<Record<AppError['code'], string>>> = {
  EXPRESSION: 'expression',
  TEMPLATE: 'template',
  INPUT_INVALID: 'input_invalid',
  UNKNOWN_WORKFLOW: 'run_failed',
  DEPTH_EXCEEDED: 'run_failed',
  NOT_POSSIBLE: 'run_failed',
  OUTPUT_LIMIT: 'limit_exceeded',
  OUTPUT_UNWRITABLE: 'output_unwritable',
  DISK_FULL: 'output_unwritable',
  USAGE: 'input_unreadable',
  NOT_FOUND: 'input_unreadable',
  ROOT_MISSING: 'input_unreadable',
  ROOT_UNREADABLE: 'input_unreadable',
};

/** How a unit ends that was ended from outside. @throws Detached when the process ends. */
export function endOfAborted({ step, signal }: Unit): UnitEnd {
  const reason = signal.reason as UnitAbort;
  switch (reason) {
    case 'stopping':
      throw new Detached();
    case 'step_timeout':
      return failed(
        'timeout',
        `it took longer than ${formatElapsed(step.timeoutMs ?? 0)}`,
        'Raise `timeout` of the step.',
      );
    case 'timeout':
      return { state: 'cancelled', reason: 'cancelled', message: 'the run took too long' };
    case 'replaced':
      return { state: 'cancelled', reason: 'cancelled', message: 'a newer run takes the place of this one' };
    case 'on_file_changed':
      return { state: 'cancelled', reason: 'cancelled', message: 'the file of the run was changed' };
    case 'cancelled':
      return { state: 'cancelled', reason: 'cancelled', message: 'the run was cancelled' };
    default:
      return reason satisfies never;
  }
}

/** Resolves on abort; for races. The listener goes with the unit's own signal. */
export function aborted({ signal }: Pick<Unit, 'signal'>): Promise<'aborted'> {
  if (signal.aborted) return Promise.resolve('aborted');
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
}

/** For waits that outlast the unit's own abort. @throws Detached when the process ends meanwhile. */
export async function stoppable<T>(promise: Promise<T>, stopping: AbortSignal): Promise<T> {
  // Whichever comes first is told; the other must not be an error of nobody.
  promise.catch(() => {});
  if (stopping.aborted) throw new Detached();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new Detached());
  stopping.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    stopping.removeEventListener('abort', stop);
  }
}
