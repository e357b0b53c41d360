/** What an engine tells its alerts: each success of a file and of a run, and once a UTC day the digest of the day before. */
import { basename } from 'node:path';
import { type Alerts, createAlerts } from '../conditions/alerts.ts';
import type { ConditionBoard } from '../conditions/board.ts';
import type { Config } from '../config/config.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Log } from '../logging/log.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { messageOf } from '../types/errors.ts';
import { workWords } from '../types/job.ts';
import { agentWords } from '../types/step-task.ts';
import type { Workflows } from '../workflows/workflows.ts';
import { dayBefore, digestOf } from './digest.ts';
import { tookOf } from './tell-runs.ts';

const DIGEST_CHECK_MS = 60_000;

export interface EngineAlertsOptions {
  readonly config: Config;
  readonly conditions: ConditionBoard;
  readonly coordinator: Pick<Coordinator, 'events'>;
  readonly workflows: Pick<Workflows, 'events'>;
  readonly ledger: Pick<Ledger, 'kept' | 'jobs' | 'runs'>;
  readonly secrets: Pick<Secrets, 'resolve' | 'redact'>;
  readonly log: Pick<Log, 'warn'>;
  /** Default `Date.now`. */
  readonly now?: () => number;
}

export interface EngineAlerts extends AsyncDisposable {
  configure(config: Config): void;
}

/** Dispose it before the ledger, after the coordinator: what ends while draining is still told. */
export function openAlerts(options: EngineAlertsOptions): EngineAlerts {
  const { config, conditions, coordinator, workflows, ledger, secrets, log, now = Date.now } = options;
  const alerts: Alerts = createAlerts({
    alerts: config.alerts,
    project: basename(config.projectDir),
    conditions,
    kept: ledger.kept,
    resolve: secrets.resolve,
    redact: secrets.redact,
    now,
    random: Math.random,
  });
  const unsubscribe = coordinator.events.subscribe((event) => {
    // A step is told of with its run.
    if (event.type !== 'ended' || event.job.step) return;
    const { state, agent, startedAt, endedAt = now() } = event.job;
    if (state !== 'succeeded') return;
    const took = startedAt === undefined ? '' : ` in ${formatElapsed(endedAt - startedAt)}`;
    const subject = workWords(event.job);
    alerts.succeeded({
      subject,
      message: `${subject} → ${agentWords(agent)}: succeeded${took}`,
      at: endedAt,
    });
  });
  const unsubscribeRuns = workflows.events.subscribe((event) => {
    if (event.type !== 'run_ended' || event.run.state !== 'succeeded') return;
    const { workflow, trigger, endedAt = now() } = event.run;
    // Whoever called it, or its file, is told of.
    if (trigger.kind === 'workflow' || trigger.kind === 'file') return;
    alerts.succeeded({
      subject: workflow,
      message: `${workflow}: succeeded${tookOf(event.run)}`,
      at: endedAt,
    });
  });
  const digest = (): void => {
    const day = dayBefore(now());
    void alerts
      .digest(day, () => digestOf(ledger, day))
      .catch((error: unknown) => log.warn(`the digest of ${day} cannot be made: ${messageOf(error)}`));
  };
  digest();
  const timer = setInterval(digest, DIGEST_CHECK_MS);
  timer.unref();
  return {
    configure: (next) => alerts.configure(next.alerts),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      unsubscribe();
      unsubscribeRuns();
      await alerts[Symbol.asyncDispose]();
    },
  };
}
