/** Conditions that follow from how the daemon is run, looked at when it starts. */
import type { ConditionBoard } from '../conditions/board.ts';

export function raiseStandingConditions(conditions: ConditionBoard): void {
  if (process.getuid?.() === 0)
    conditions.raise({
      code: 'RUNS_AS_ROOT',
      subject: '',
      message: 'the daemon runs as root, and so do its agents',
      fix: 'Run it as a user of its own: `sluice service install --run-as sluice`.',
    });
}
