/** Conditions that follow from how the daemon is run and configured, looked at when it starts and at every reload. */
import type { ConditionBoard } from '../conditions/board.ts';
import type { Config } from '../config/config.ts';

export function raiseStandingConditions(conditions: ConditionBoard, config: Config): void {
  if (process.getuid?.() === 0)
    conditions.raise({
      code: 'RUNS_AS_ROOT',
      subject: '',
      message: 'the daemon runs as root, and so do its agents',
      fix: 'Run it as a user of its own: `sluice service install --run-as sluice`.',
    });
  const unconfined = new Set(
    [...config.agents.values()]
      .filter(({ kind, sandbox }) => kind === 'command' && sandbox.mode === 'auto')
      .map(({ name }) => name),
  );
  for (const { code, subject } of conditions.list())
    if (code === 'SANDBOX_NONE' && !unconfined.has(subject)) conditions.clear(code, subject);
  for (const name of unconfined)
    conditions.raise({
      code: 'SANDBOX_NONE',
      subject: name,
      message: `agent "${name}" runs without confinement: this version has no sandbox`,
      fix: 'Say so with `sandbox: { mode: off, reason: "…" }` on the agent, or run the daemon as a user that may do little.',
    });
}
