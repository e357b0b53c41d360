/** Why a running attempt is ended from outside, as outcome and as text. */
import type { AttemptOutcome, EndReason } from '../../types/agent.ts';

/**
 * A budget that is crossed must stop within two seconds, so what is ended for an outcome of its own gets no more time than
 * this to clean up.
 */
export const urgentGraceMs = 1_000;

/** What the reason of an aborted signal says. Anything that is neither a text nor an outcome is a cancellation. */
export function endReasonOf(signal: AbortSignal): EndReason {
  const { reason } = signal as { readonly reason: unknown };
  return isOutcome(reason) ? reason : textOf(reason);
}

/** The outcome of an attempt that was ended for this reason. */
export function endedBy(reason: EndReason): AttemptOutcome {
  return typeof reason === 'string' ? { kind: 'cancelled', reason } : reason;
}

/** The text of an abort's reason: what a cancellation then says. */
export function reasonOf(signal: AbortSignal): string {
  const reason = endReasonOf(signal);
  return typeof reason === 'string' ? reason : reason.kind;
}

const outcomes = [
  'limit_exceeded',
  'stuck',
  'refused_command',
  'lingered',
  'reviewed',
] as const satisfies Exclude<EndReason, string>['kind'][];

function isOutcome(reason: unknown): reason is Exclude<EndReason, string> {
  const kind = (reason as { kind?: unknown } | null | undefined)?.kind;
  return (outcomes as readonly unknown[]).includes(kind);
}

function textOf(reason: unknown): string {
  return typeof reason === 'string' ? reason : reason instanceof Error ? reason.message : 'cancelled';
}
