/** CPU time of processes that are not this one, from /proc: on a machine with company it tells more than the clock. Linux only. */
import { readFileSync } from 'node:fs';

const TICK_MS = 10;

function fieldsOf(pid: number | 'self'): number[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

/** Of the process itself, without its children. */
export function cpuMsOf(pid: number): number {
  const fields = fieldsOf(pid);
  return ((fields[11] ?? 0) + (fields[12] ?? 0)) * TICK_MS;
}

/** Of all children of this process that have ended, with all that they waited for themselves. */
export function cpuMsOfEnded(): number {
  const fields = fieldsOf('self');
  return ((fields[13] ?? 0) + (fields[14] ?? 0)) * TICK_MS;
}

/** Direct children of a process. */
export function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
