/**
 * What must stand before anything is done for a project: its lock, its conditions, its ledger. The watcher needs no more
 * than this and starts beside the rest of the engine.
 */
import { type ConditionBoard, createConditionBoard } from '../conditions/board.ts';
import type { Config } from '../config/config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { lockProject } from '../ledger/lock.ts';
import { hasLedger, openSqliteLedger } from '../ledger/sqlite/open.ts';
import type { OpenLog } from '../logging/log.ts';
import type { ErrorCode } from '../types/error-codes.ts';
import type { AppError } from '../types/errors.ts';
import { rebuildLedger } from './rebuild.ts';
import { guardState } from './state-guard.ts';

export interface ProjectRecord extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly conditions: ConditionBoard;
  /** The state folder was removed or replaced while it was in use. */
  isStateLost(): boolean;
  /** Called with true when the ledger's disk is full, and with false when it takes writes again. */
  onFull(listener: (isFull: boolean) => void): void;
}

export interface RecordOptions {
  readonly config: Config;
  readonly log: OpenLog;
  /** For the lock's owner: `start`, `run`. */
  readonly command: string;
  /** The state folder is gone (STATE_LOST): what is done from now on will be found again by its receipts only. */
  readonly onStateLost?: (problem: AppError) => void;
}

/** @throws AppError PROJECT_LOCKED, LEDGER_NEWER, LEDGER_LOCATION … */
export async function openRecord({
  config,
  log,
  command,
  onStateLost = () => {},
}: RecordOptions): Promise<ProjectRecord> {
  await using opening = new AsyncDisposableStack();
  const { stateDir } = config;
  const lock = opening.use(lockProject(stateDir, command));
  const conditions = createConditionBoard({
    now: Date.now,
    onChange: (condition, isOpen) => tellCondition(log, condition, isOpen),
  });
  const listeners: ((isFull: boolean) => void)[] = [];
  let problemCode: ErrorCode | undefined;
  const isNew = !hasLedger(stateDir);
  const { ledger, setAside } = openSqliteLedger({
    stateDir,
    verify: lock.wasUnclean,
    onFull: (problem) => {
      if (problem) {
        problemCode = problem.code;
        const { code, message, fix } = problem;
        conditions.raise({ code, subject: 'ledger', message, fix });
      } else if (problemCode) conditions.clear(problemCode, 'ledger');
      for (const listener of listeners) listener(problem !== undefined);
    },
  });
  opening.use(ledger);
  if (setAside !== undefined || isNew)
    await rebuildLedger({
      ledger,
      outputDir: config.output.dir,
      ...(setAside !== undefined && { setAside }),
      conditions,
    });
  const guard = opening.use(guardState(stateDir, onStateLost));

  const stack = opening.move();
  return {
    ledger,
    conditions,
    isStateLost: guard.isLost,
    onFull: (listener) => void listeners.push(listener),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function tellCondition(
  { log }: OpenLog,
  { code, subject, message, fix }: Parameters<ConditionBoard['raise']>[0],
  isOpen: boolean,
): void {
  const name = `${code}${subject ? ` (${subject})` : ''}`;
  if (isOpen) log.warn({ code, subject, fix }, `${name}: ${message} — ${fix}`);
  else log.info({ code, subject }, `${name} is over`);
}
