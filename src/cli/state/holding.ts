/**
 * Runs a command while a lock is held, like `flock`: its exit status is ours. The lease is renewed as long as we live; if
 * it was lost all the same (we were stopped for longer), somebody else may hold the lock, and the command is ended.
 */
import { constants } from 'node:os';
import { messageOf, systemCode } from '../../types/errors.ts';
import { toError } from '../client.ts';
import { tell } from '../print.ts';
import type { StateDoor } from './door.ts';

export interface Holding {
  readonly name: string;
  readonly ttlMs: number;
  readonly waitMs: number;
}

const GRACE_MS = 5_000;

/** @returns the exit status of the command; 1 when the lock was lost. @throws {AppError} `LOCKED`. */
export async function holding(
  door: StateDoor,
  { name, ttlMs, waitMs }: Holding,
  argv: readonly string[],
): Promise<number> {
  const way = `/locks/${encodeURIComponent(name)}`;
  const taken = await door.ask('POST', way, { ttl_ms: ttlMs, wait_ms: waitMs });
  if (taken.status >= 400) throw toError(taken.value);
  const { id } = taken.value as { id: string };
  let until = Date.now() + ttlMs;
  let isLost = false;
  let end: (() => void) | undefined;
  const lose = (why: string): void => {
    if (isLost) return;
    isLost = true;
    tell(`sluice: the lock "${name}" was lost: ${why}`);
    end?.();
  };
  const renew = async (): Promise<void> => {
    const at = Date.now();
    try {
      const { status, value } = await door.ask('POST', way, { id, ttl_ms: ttlMs });
      if (status < 400) until = at + ttlMs;
      else lose(toError(value).message);
    } catch (error) {
      if (Date.now() >= until) lose(messageOf(error));
    }
  };
  const renewing = setInterval(() => void renew(), ttlMs / 3);
  try {
    const status = await run(argv, (kill) => {
      end = kill;
    });
    clearInterval(renewing);
    const { status: said, value } = await door.ask('DELETE', `${way}/${id}`);
    if (said >= 400 || (value as { was_held?: boolean }).was_held !== true) lose('its lease ran out');
    return isLost && status === 0 ? 1 : status;
  } finally {
    clearInterval(renewing);
  }
}

function run(argv: readonly string[], onStarted: (kill: () => void) => void): Promise<number> {
  const [program = '', ...args] = argv;
  const child = process.getBuiltinModule('node:child_process').spawn(program, args, { stdio: 'inherit' });
  const passing = (['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const).map((signal) => {
    // A terminal sends Ctrl-C to both of us.
    const isTwice = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT');
    const pass = (): void => void (isTwice || child.kill(signal));
    process.on(signal, pass);
    return () => process.off(signal, pass);
  });
  let killing: NodeJS.Timeout | undefined;
  onStarted(() => {
    child.kill('SIGTERM');
    killing = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  });
  return new Promise<number>((resolve) => {
    child.once('error', (error) => {
      tell(`sluice: "${program}" cannot be run: ${messageOf(error)}`);
      resolve(systemCode(error) === 'EACCES' ? 126 : 127);
    });
    child.once('exit', (code, signal) =>
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]),
    );
  }).finally(() => {
    clearTimeout(killing);
    for (const stop of passing) stop();
  });
}
