/** Jobs' lives as log lines: one when a job ends, a quieter one for each step before. */

import type { CoordinatorEvent, CoordinatorEvents } from '../coordinator/events.ts';
import type { Log } from '../logging/log.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { workWords } from '../types/job.ts';
import { printableName } from '../types/printable-name.ts';
import { agentWords } from '../types/step-task.ts';

export function tellJobs(events: CoordinatorEvents, log: Log): void {
  events.subscribe((event) => tell(event, log));
}

function tell(event: CoordinatorEvent, log: Log): void {
  if (event.type === 'idle' || event.type === 'agent_event') return;
  const { id, input, rule, agent, state, reason, message, fix, startedAt, endedAt } = event.job;
  const fields = { job: id, root: input.root, path: input.path, rule, agent };
  const name = `${printableName(workWords(event.job))} → ${printableName(agentWords(agent))}`;
  switch (event.type) {
    case 'queued':
      return log.debug(fields, `${name}: queued`);
    case 'started':
      return log.debug({ ...fields, attempt: event.attempt }, `${name}: attempt ${event.attempt} started`);
    case 'waiting':
      if (reason === 'review') return;
      return log.warn({ ...fields, reason, fix }, `${name}: waiting (${reason}): ${message ?? ''}`);
    case 'held': {
      const text = `${name}: held (${reason}): ${message ?? ''}`;
      // Of one cause many at once: the condition says it for all.
      return reason === 'too_expensive'
        ? log.debug({ ...fields, reason, fix }, text)
        : log.warn({ ...fields, reason, fix }, text);
    }
    case 'fell_back':
      return log.warn(
        { ...fields, from: event.from, reason: event.reason },
        `${name}: taken over from ${event.from} (${event.reason})`,
      );
    case 'review_wanted':
      return log.debug(fields, `${name}: its work is reviewed before it counts`);
    case 'strange_results':
      return log.warn(
        { ...fields, lines: event.lines },
        `${name}: ${event.lines} lines of results.jsonl are about no file of the batch, or no JSON`,
      );
    case 'ended': {
      const durationMs = startedAt !== undefined && endedAt !== undefined ? endedAt - startedAt : undefined;
      const took = durationMs === undefined ? '' : ` in ${formatElapsed(durationMs)}`;
      if (state === 'failed')
        return log.error(
          { ...fields, state, reason, fix },
          `${name}: failed (${reason})${took}: ${message ?? ''}`,
        );
      return log.info({ ...fields, state, duration_ms: durationMs }, `${name}: ${state}${took}`);
    }
    default:
      event satisfies never;
  }
}
