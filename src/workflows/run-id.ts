/** Names of runs and jobs. A run's id sorts by time and can be typed; a job's is the queue's usual sixteen digits. */
import { randomBytes } from 'node:crypto';
import type { JobId } from '../types/job.ts';
import type { RunId } from '../types/run.ts';

/** `20261120-164501-3fa2c1`, in UTC. Not unique by itself: the caller looks whether it is taken. */
export function newRunId(now: number, random: () => number): RunId {
  const [date, time] = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T');
  const tail = Math.floor(random() * 0x1000000)
    .toString(16)
    .padStart(6, '0');
  return `${date}-${time}-${tail}`;
}

export function newJobId(): JobId {
  return randomBytes(8).toString('hex');
}
