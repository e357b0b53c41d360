/**
 * Conditions, successes and the day's digest → webhooks. It only listens: nothing in the daemon waits for an alert, and
 * one that cannot be delivered is a condition of its own (`ALERT_FAILED`), told to every target but that one.
 */
import { hostname } from 'node:os';
import type { AlertConfig } from '../config/config.ts';
import type { KeptLedger } from '../ledger/ledger.ts';
import type { Condition } from '../types/condition.ts';
import { createAlertMemory, targetId } from './alerts/memory.ts';
import { AlertTarget, type TargetDeps } from './alerts/target.ts';
import type { ConditionBoard } from './board.ts';

export interface AlertsOptions {
  readonly alerts: readonly AlertConfig[];
  /** What the project is called in messages. */
  readonly project: string;
  readonly conditions: ConditionBoard;
  readonly kept: KeptLedger;
  /** References → values, registered for redaction. */
  readonly resolve: (text: string) => Promise<string>;
  readonly redact: (text: string) => string;
  readonly now: () => number;
  readonly random: () => number;
  /** Default 1 s: what opens within it becomes one message per code. */
  readonly gatherMs?: number;
  /** After a restart, what was told as open and is not raised again within this time is over. Default 60 s. */
  readonly settleMs?: number;
  /** First pause after a failure. Default 1 s. */
  readonly initialBackoffMs?: number;
  /** Of one delivery. Default 10 s. */
  readonly timeoutMs?: number;
}

export interface Succeeded {
  /** The file, as people call it. */
  readonly subject: string;
  readonly message: string;
  readonly at: number;
}

export interface Alerts extends AsyncDisposable {
  succeeded(job: Succeeded): void;
  /** Sends the digest of a day to those that want it and have not had it. @param text Made only if somebody does; undefined: nothing happened that day. */
  digest(day: string, text: () => Promise<string | undefined>): Promise<void>;
  configure(alerts: readonly AlertConfig[]): void;
}

interface Known {
  readonly target: AlertTarget;
  /** The subject of its own `ALERT_FAILED`. */
  subject: string;
  index: number;
  hasTrouble: boolean;
  digestDay?: string;
}

export function createAlerts(options: AlertsOptions): Alerts {
  const { conditions, kept, resolve, redact, now, random, project } = options;
  const { gatherMs = 1_000, settleMs = 60_000, initialBackoffMs = 1_000, timeoutMs } = options;
  const memory = createAlertMemory(kept);
  const targets = new Map<string, Known>();
  const host = hostname();

  const trouble = (known: Known, problem: Parameters<TargetDeps['onTrouble']>[0]): void => {
    if (!problem) return calm(known);
    const subject = `alerts[${known.index}]${problem.host === '' ? '' : ` (${problem.host})`}`;
    if (subject !== known.subject) calm(known);
    known.subject = subject;
    known.hasTrouble = true;
    conditions.raise({
      code: 'ALERT_FAILED',
      subject,
      message: `alerts to ${subject} cannot be delivered: ${problem.message}`,
      fix: `Check the webhook of \`alerts[${known.index}]\` and what receives it; what is still open is told when it answers.`,
    });
  };
  const calm = (known: Known): void => {
    if (!known.hasTrouble) return;
    known.hasTrouble = false;
    conditions.clear('ALERT_FAILED', known.subject);
  };
  const open = (id: string, config: AlertConfig, index: number): Known => {
    let self: Known | undefined;
    const target = new AlertTarget(id, config, {
      project,
      host,
      memory,
      resolve,
      redact,
      now,
      random,
      gatherMs,
      initialBackoffMs,
      ...(timeoutMs !== undefined && { timeoutMs }),
      onTrouble: (problem) => void (self && trouble(self, problem)),
    });
    self = { target, subject: '', index, hasTrouble: false };
    return self;
  };
  const tell = (condition: Condition, isOpen: boolean): void => {
    for (const known of targets.values()) {
      if (condition.code === 'ALERT_FAILED' && condition.subject === known.subject) continue;
      known.target.change(condition, isOpen);
    }
  };
  const configure = (alerts: readonly AlertConfig[]): void => {
    const wanted = new Set<string>();
    for (const [index, config] of alerts.entries()) {
      let id = targetId(config);
      // The same webhook twice, say with other codes: both are told.
      while (wanted.has(id)) id += '+';
      wanted.add(id);
      const known = targets.get(id);
      if (known) {
        known.index = index;
        known.target.configure(config);
      } else targets.set(id, open(id, config, index));
      // Those that are new to it: what it knows already is not news.
      for (const condition of conditions.list())
        if (condition.code !== 'ALERT_FAILED') targets.get(id)?.target.change(condition, true);
    }
    for (const [id, known] of targets)
      if (!wanted.has(id)) {
        targets.delete(id);
        calm(known);
        void known.target[Symbol.asyncDispose]();
      }
  };

  configure(options.alerts);
  const unsubscribe = conditions.subscribe(tell);
  const settled = setTimeout(() => {
    for (const { target } of targets.values()) target.settle();
  }, settleMs);
  settled.unref();

  return {
    configure,
    succeeded({ subject, message, at }) {
      const item = { code: null, subject, message, fix: '', since: at };
      for (const { target } of targets.values())
        if (target.wantsSuccess) target.notice({ kind: 'success', item, at: now() });
    },
    async digest(day, text) {
      let made: Promise<string | undefined> | undefined;
      for (const [id, known] of targets) {
        if (!known.target.wantsDigest || known.digestDay === day) continue;
        if (((await memory.digestDay(id)) ?? '') >= day) continue;
        made ??= text();
        const message = await made;
        known.digestDay = day;
        if (message === undefined) continue;
        const item = { code: null, subject: day, message, fix: '', since: Date.parse(`${day}T00:00:00Z`) };
        known.target.notice({ kind: 'digest', item, at: now(), onSent: () => memory.putDigestDay(id, day) });
      }
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(settled);
      unsubscribe();
      await Promise.all([...targets.values()].map(({ target }) => target[Symbol.asyncDispose]()));
    },
  };
}
