/**
 * What was told to whom, kept across restarts, so that a daemon that is restarted ten times does not alert ten times. A
 * write that fails (a full disk) costs at most a repeated message, so nothing waits for it.
 */
import { createHash } from 'node:crypto';
import type { AlertConfig } from '../../config/config.ts';
import type { KeptLedger } from '../../ledger/ledger.ts';

/** The last that a target was told of one condition and subject. */
export interface Told {
  readonly code: string;
  readonly subject: string;
  readonly told: 'opened' | 'cleared';
  /** When it was told that it opened, for `min_interval`. Epoch milliseconds. */
  readonly openedAt: number;
  readonly message: string;
  readonly since: number;
}

export interface AlertMemory {
  load(target: string): Promise<readonly Told[]>;
  put(target: string, told: Told): void;
  forget(target: string, told: Pick<Told, 'code' | 'subject'>): void;
  /** The last day that a digest was sent of. */
  digestDay(target: string): Promise<string | undefined>;
  putDigestDay(target: string, day: string): void;
}

const KIND = 'alert';
const DIGEST = 'alert_digest';

/** The same target after a restart or a reload. The webhook itself must not be kept. */
export function targetId({ webhook, format }: AlertConfig): string {
  return createHash('sha256').update(`${format}\0${webhook}`).digest('hex').slice(0, 16);
}

export function createAlertMemory(kept: KeptLedger): AlertMemory {
  const nameOf = (target: string, { code, subject }: Pick<Told, 'code' | 'subject'>): string =>
    `${target} ${createHash('sha256').update(`${code}\0${subject}`).digest('hex').slice(0, 24)}`;
  const ignore = (written: Promise<void>): void => void written.catch(() => {});
  return {
    async load(target) {
      const rows = await kept.list(KIND);
      return rows.flatMap(({ name, value }) => (name.startsWith(`${target} `) ? [value as Told] : []));
    },
    put: (target, told) => ignore(kept.put(KIND, nameOf(target, told), told)),
    forget: (target, told) => ignore(kept.forget(KIND, nameOf(target, told))),
    async digestDay(target) {
      const day = await kept.get(DIGEST, target);
      return typeof day === 'string' ? day : undefined;
    },
    putDigestDay: (target, day) => ignore(kept.put(DIGEST, target, day)),
  };
}
