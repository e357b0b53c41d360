import type { ErrorCode } from './error-codes.ts';

/** A lasting problem: shown by `status` until what caused it is gone. One per `code` and `subject`. */
export interface Condition {
  readonly code: ErrorCode;
  /** What it is about: a root's or agent's name, a path; empty when it is the whole daemon. */
  readonly subject: string;
  readonly message: string;
  readonly fix: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** Handed to the folders that find lasting problems. Raising an open condition again updates its text, not `since`. */
export interface Conditions {
  raise(condition: Omit<Condition, 'since'>): void;
  clear(code: ErrorCode, subject?: string): void;
}
