/**
 * Runs that the attempt of a job asks for and waits for: they can wait for each other in a circle, or for the place that
 * the one who asks keeps meanwhile. Giving such attempts a further place was rejected: a limit that a program gets around
 * by calling us is none.
 */
import type { Config } from '../config/config.ts';
import type { JobId, JobRecord } from '../types/job.ts';

export interface Asking {
  /** This job cannot end before the run has: it is the one that asks, or waits for it. */
  waitsForUs(id: JobId): boolean;
  /** The attempt of this job has asked for a run that goes on. */
  isAsking(id: JobId): boolean;
}

/** True when a limit keeps each open job from starting, and all who could make room under it wait for runs themselves. */
export function isStarved({
  config: { concurrency, agents, rules },
  open,
  running,
  isAsking,
}: {
  readonly config: Pick<Config, 'concurrency' | 'agents' | 'rules'>;
  readonly open: readonly JobRecord[];
  readonly running: readonly JobRecord[];
  readonly isAsking: (id: JobId) => boolean;
}): boolean {
  const isFull = (limit = Number.POSITIVE_INFINITY, of: readonly JobRecord[] = running): boolean =>
    of.length >= limit && of.every(({ id }) => isAsking(id));
  const processes = running.filter(({ agent }) => agents.get(agent)?.kind !== 'http');
  return open.every(
    ({ state, agent, rule }) =>
      state === 'queued' &&
      (isFull(concurrency.maxConcurrentFiles) ||
        (agents.get(agent)?.kind !== 'http' && isFull(concurrency.maxProcesses, processes)) ||
        isFull(
          agents.get(agent)?.maxLoad,
          running.filter((one) => one.agent === agent),
        ) ||
        isFull(
          rules.find(({ name }) => name === rule)?.maxLoad,
          running.filter((one) => one.rule === rule),
        )),
  );
}

export function asCircle(job: JobRecord): JobRecord {
  return {
    ...job,
    reason: 'loop',
    message: `job ${job.id} works on this file, and waits itself for what it asks for here`,
    fix: 'Let the agent not call `sluice` on its own input.',
  };
}

export function asStarved(job: JobRecord): JobRecord {
  return {
    ...job,
    message:
      'the attempts that run all wait for what they have asked for; it goes on when one of them has ended',
    fix: 'Raise `max_load` of the agent or `concurrency_limits.max_processes`, or let the agent not wait for `sluice`.',
  };
}
