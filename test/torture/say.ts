/** What a torture test says at its end: a line for people, and a row of the table that `table.ts` prints after all of them. */
import { TestRunner } from 'vitest';

export interface Row {
  readonly scenario: string;
  /** How often it was done: kills, jumps, reloads, seeds. */
  readonly runs: number;
  readonly files: number;
  /** Files without exactly one disposition and a receipt (or row) that fits. Absent, here and below: not what it is about. */
  readonly lost?: number;
  /** Files whose success was had more than once. */
  readonly doubled?: number;
  /** Processes that were left. */
  readonly orphans?: number;
  /** Of `performance.now()`. */
  readonly beganMs: number;
}

export type PrintedRow = Omit<Row, 'beganMs'> & { readonly seconds: number };

declare module 'vitest' {
  interface TaskMeta {
    row?: PrintedRow;
  }
}

export function say(what: string, beganMs: number): void {
  console.log(`  ${what} (${((performance.now() - beganMs) / 1_000).toFixed(1)} s)`);
}

/** Call it before the expectations on its numbers: a table that hides what failed would be worth nothing. */
export function tell({ beganMs, ...row }: Row): void {
  const test = TestRunner.getCurrentTest();
  if (test) test.meta.row = { ...row, seconds: (performance.now() - beganMs) / 1_000 };
}

/** `TORTURE_SCALE=20` for a long night: what is repeated is repeated so much more often. */
export function scaled(times: number): number {
  return Math.max(1, Math.round(times * Number(process.env.TORTURE_SCALE ?? 1)));
}
