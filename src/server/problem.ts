/** Errors as `application/problem+json` (RFC 9457), with our code and fix. */

import type { ErrorCode } from '../types/error-codes.ts';
import { AppError, messageOf } from '../types/errors.ts';

export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly fix: string;
}

const statusOf: Partial<Record<ErrorCode, number>> = {
  NOT_FOUND: 404,
  UNKNOWN_WORKFLOW: 404,
  USAGE: 400,
  INPUT_INVALID: 400,
  FORBIDDEN: 403,
  NOT_POSSIBLE: 409,
  CONFLICT: 409,
  DEPTH_EXCEEDED: 409,
  STATE_LIMIT: 413,
  LOCKED: 423,
  CONFIG_INVALID: 422,
};

export function problemOf(error: unknown): Problem {
  if (error instanceof AppError) {
    const status = statusOf[error.code] ?? 500;
    return {
      type: 'about:blank',
      title: error.code,
      status,
      code: error.code,
      detail: error.message,
      fix: error.fix,
    };
  }
  const status = (error as { statusCode?: number } | null)?.statusCode ?? 500;
  const code = status < 500 ? 'USAGE' : 'INTERNAL';
  const fix = status < 500 ? 'Correct the request.' : 'Look at the log (`sluice logs`).';
  return { type: 'about:blank', title: code, status, code, detail: messageOf(error), fix };
}
