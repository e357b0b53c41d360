/** How limits are written on receipts, and what is said when one was overstepped. */
import { formatDuration } from '../../../config/duration.ts';
import { formatPercent } from '../../../config/percent.ts';
import { formatSize } from '../../../config/size.ts';
import type { AttemptOutcome } from '../../../types/agent.ts';

type LimitExceeded = Extract<AttemptOutcome, { kind: 'limit_exceeded' }>;

/** `50% (cgroup v2)` */
export function cpuText(percent: number, how: string): string {
  return `${formatPercent(percent)} (${how})`;
}

/** `2GiB (watched)` */
export function memoryText(bytes: number, how: string): string {
  return `${formatSize(bytes)} (${how})`;
}

export function memoryExceeded(bytes: number): LimitExceeded {
  return {
    kind: 'limit_exceeded',
    limit: 'memory',
    message: `The command and what it started used more than ${formatSize(bytes)} of memory together, its \`limits.memory\``,
    fix: "Raise the agent's `limits.memory`, or let it work on less at once.",
  };
}

export function runtimeExceeded(ms: number): LimitExceeded {
  return {
    kind: 'limit_exceeded',
    limit: 'runtime',
    message: `The command ran longer than ${formatDuration(ms)}, its \`limits.runtime\``,
    fix: "Raise the agent's `limits.runtime`; `timeout` is for what may go better when it is tried again.",
  };
}
