/** What one session may hold: an agent that writes without end must not fill the ledger or the memory of whoever reads it. */
import { formatDuration } from '../config/duration.ts';
import { AppError } from '../types/errors.ts';

export interface StateLimits {
  readonly keyBytes: number;
  /** Of one value as JSON. */
  readonly valueBytes: number;
  readonly entries: number;
  /** Of all values as JSON. */
  readonly sessionBytes: number;
  readonly changes: number;
  readonly depth: number;
  readonly ttlMs: number;
  readonly leaseMs: number;
  readonly waitMs: number;
  /** Locks that one attempt holds, and those who wait for one lock. */
  readonly locks: number;
  readonly waiting: number;
}

const DAY_MS = 86_400_000;

export const stateLimits: StateLimits = {
  keyBytes: 256,
  valueBytes: 256 << 10,
  entries: 10_000,
  sessionBytes: 16 << 20,
  changes: 1_000,
  depth: 64,
  ttlMs: 365 * DAY_MS,
  leaseMs: DAY_MS,
  waitMs: DAY_MS,
  locks: 100,
  waiting: 1_000,
};

/** @param what `key`, `lock`. @throws {AppError} `USAGE`, `STATE_LIMIT`. */
export function checkName(what: string, name: unknown, { keyBytes }: StateLimits): string {
  if (typeof name !== 'string' || name === '')
    throw new AppError('USAGE', `A ${what} must be a text that is not empty`, { fix: `Name the ${what}.` });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name) || !name.isWellFormed())
    throw new AppError('USAGE', `The ${what} ${JSON.stringify(name)} holds a control character`, {
      fix: 'Use letters, digits and signs.',
    });
  const bytes = Buffer.byteLength(name);
  if (bytes > keyBytes)
    throw limitError(
      `The ${what} "${name.slice(0, 40)}…" has ${bytes} bytes; at most ${keyBytes} are allowed`,
      `Use a shorter ${what}.`,
    );
  return name;
}

/** @returns its bytes as JSON. @throws {AppError} `USAGE`, `STATE_LIMIT`. */
export function checkValue(key: string, value: unknown, { depth, valueBytes }: StateLimits): number {
  if (depthOf(value, depth) > depth)
    throw limitError(
      `The value of "${key}" is nested deeper than ${depth} levels`,
      'Store it as a text, or flatter.',
    );
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined)
    throw new AppError('USAGE', `The value of "${key}" cannot be written as JSON`, {
      fix: 'Give a text, a number, true, false, null, a list or an object.',
    });
  const bytes = Buffer.byteLength(json);
  if (bytes > valueBytes)
    throw limitError(
      `The value of "${key}" has ${bytes} bytes; at most ${valueBytes} are allowed`,
      'Write large results to a file in `SLUICE_OUTPUT_DIR`, and its name to the state.',
    );
  return bytes;
}

/** @param what `ttl`, `wait`. @throws {AppError} `USAGE`. */
export function checkTime(what: string, ms: number, minimumMs: number, maximumMs: number): number {
  if (Number.isSafeInteger(ms) && ms >= minimumMs && ms <= maximumMs) return ms;
  throw new AppError('USAGE', `\`${what}\` is ${ms} ms`, {
    fix: `Give from ${formatDuration(minimumMs)} to ${formatDuration(maximumMs)}.`,
  });
}

export function limitError(message: string, fix: string): AppError {
  return new AppError('STATE_LIMIT', message, { fix });
}

/** Level by level and no further than is asked: what is nested a million times must not end the program. */
function depthOf(value: unknown, most: number): number {
  let level: unknown[] = [value];
  for (let depth = 0; ; depth += 1) {
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
    if (level.length === 0 || depth > most) return depth;
  }
}
