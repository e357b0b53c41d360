/**
 * The one error class. Agents' failures are outcomes, values in a union; an `AppError` is for what stops our own work.
 * Every place that shows one (terminal, API, log, condition) shows the same three things: code, message, fix.
 */
import type { ErrorCode } from './error-codes.ts';

export interface AppErrorOptions extends ErrorOptions {
  /** The next step for the person who reads it, as a command or a sentence. */
  readonly fix: string;
}

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly fix: string;

  constructor(code: ErrorCode, message: string, { fix, ...options }: AppErrorOptions) {
    super(message, options);
    this.code = code;
    this.fix = fix;
  }
}

/** The message of anything that was thrown, without its class name. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's error code (`ENOENT`, `EACCES` …) of anything that was thrown, if it has one. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
