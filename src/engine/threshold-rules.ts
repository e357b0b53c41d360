/**
 * When a number becomes a condition, and when it is over: pure. Each has two marks, so that a number which stands at the
 * mark does not open and close it all day.
 */
import type { ThresholdsConfig } from '../config/config.ts';
import { formatDuration } from '../config/duration.ts';
import { formatBytes } from '../types/bytes.ts';
import { formatElapsed } from '../types/elapsed.ts';
import type { ErrorCode } from '../types/error-codes.ts';

export interface Numbers {
  readonly ended: number;
  readonly failed: number;
  /** How long the oldest job that could run has waited. Absent: none does, or nothing is to run. */
  readonly waitedMs?: number;
  readonly held: number;
  /** Absent: not known here. */
  readonly memory?: { readonly freeBytes: number; readonly totalBytes: number };
}

export const thresholdCodes = [
  'ERROR_RATE',
  'DELAY',
  'RESOURCES_LOW',
  'HELD_FILES',
] as const satisfies ErrorCode[];
export type ThresholdCode = (typeof thresholdCodes)[number];

export interface Finding {
  readonly message: string;
  readonly fix: string;
}

/** An open condition ends when the number is so much better than the mark that opened it. */
const EASE = 0.8;

/** @param isOpen Which of them are open now. @returns those that are to be open, with their words. */
export function judgeNumbers(
  n: Numbers,
  t: ThresholdsConfig,
  isOpen: (code: ThresholdCode) => boolean,
): ReadonlyMap<ThresholdCode, Finding> {
  const found = new Map<ThresholdCode, Finding>();
  const ease = (code: ThresholdCode): number => (isOpen(code) ? EASE : 1);

  const share = n.ended === 0 ? 0 : n.failed / n.ended;
  const enough = isOpen('ERROR_RATE') ? n.ended > 0 : n.ended >= t.minimum;
  if (enough && n.failed > 0 && share >= t.errorRate * ease('ERROR_RATE'))
    found.set('ERROR_RATE', {
      message: `${n.failed} of the ${n.ended} jobs that ended within ${formatDuration(t.windowMs)} failed (${percent(share)}; the mark is ${percent(t.errorRate)})`,
      fix: 'Look at them with `sluice jobs list --state failed`; `sluice jobs retry --failed` runs them again.',
    });
  if (n.waitedMs !== undefined && n.waitedMs >= t.delayMs * ease('DELAY'))
    found.set('DELAY', {
      message: `the oldest job that could run has waited for ${formatElapsed(n.waitedMs)} (the mark is ${formatDuration(t.delayMs)})`,
      fix: 'See `sluice status` for the limit that is used up, and raise it, or let fewer files come.',
    });
  if (n.memory && n.memory.totalBytes > 0) {
    const free = n.memory.freeBytes / n.memory.totalBytes;
    if (free < t.freeMemory / ease('RESOURCES_LOW'))
      found.set('RESOURCES_LOW', {
        message: `${formatBytes(n.memory.freeBytes)} of the machine's memory are free (${percent(free)}; the mark is ${percent(t.freeMemory)})`,
        fix: 'Lower `concurrency_limits.max_processes`, give agents a `limits.memory`, or end what else takes memory.',
      });
  }
  if (n.held > 0)
    found.set('HELD_FILES', {
      message: n.held === 1 ? 'a file is held until you decide' : `${n.held} files are held until you decide`,
      fix: '`sluice jobs list --state held` shows them and why; then `sluice jobs release ID` (all of them: `--held`) or `sluice jobs cancel ID`.',
    });
  return found;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
