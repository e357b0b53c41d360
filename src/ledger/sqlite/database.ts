/**
 * One connection with group commit: writes open a transaction at once (so later reads see them) and what arrives within
 * the next few milliseconds shares its commit, which syncs fully. On a slow disk the pause grows with the last commit,
 * so that the loop is never blocked for more than a fifth of its time.
 *
 * SQLite rolls the whole transaction back when the disk is full. The writes since the last commit are therefore kept
 * and written again once there is space: nothing that was accepted is lost while the process lives.
 */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { AppError, messageOf } from '../../types/errors.ts';

const COMMIT_PAUSE_MS = 4;
const FULL_RETRY_MS = 500;

export type Row = Record<string, SQLOutputValue>;

export interface DatabaseOptions {
  readonly file: string;
  readonly readOnly?: boolean;
  /** Told when a commit fails because the disk is full, and with `undefined` when it has gone through again. */
  readonly onFull?: (problem: AppError | undefined) => void;
}

export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #onFull: (problem: AppError | undefined) => void;
  #pending: { sql: string; params: SQLInputValue[] }[] = [];
  #waiters: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastCommitMs = 0;
  #full = false;
  #closed = false;

  constructor({ file, readOnly = false, onFull = () => {} }: DatabaseOptions) {
    this.#onFull = onFull;
    this.#db = new DatabaseSync(file, { readOnly, timeout: 5_000 });
    if (!readOnly)
      this.#db.exec(
        'pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 2000; pragma cache_size = -4000',
      );
  }

  /** Schema changes and pragmas: at once, outside of the group. */
  exec(sql: string): void {
    this.#db.exec(sql);
  }

  get<T = Row>(sql: string, ...params: SQLInputValue[]): T | undefined {
    return this.#prepare(sql).get(...params) as T | undefined;
  }

  all<T = Row>(sql: string, ...params: SQLInputValue[]): T[] {
    return this.#prepare(sql).all(...params) as T[];
  }

  /** @returns the number of rows changed. */
  write(sql: string, ...params: SQLInputValue[]): number {
    if (this.#full) this.#tryAgain();
    try {
      if (this.#pending.length === 0 && !this.#db.isTransaction) this.#db.exec('begin immediate');
      const { changes } = this.#prepare(sql).run(...params);
      this.#pending.push({ sql, params });
      this.#timer ??= setTimeout(() => this.#commit(), Math.max(COMMIT_PAUSE_MS, 4 * this.#lastCommitMs));
      return Number(changes);
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#pending.push({ sql, params });
      this.#enterFull(error);
      return 1;
    }
  }

  durable(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#pending.length > 0) this.#commit();
    if (this.#timer) clearTimeout(this.#timer);
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #commit(): void {
    this.#timer = undefined;
    if (this.#full) return this.#tryAgain();
    const started = performance.now();
    try {
      if (this.#db.isTransaction) this.#db.exec('commit');
    } catch (error) {
      if (isFull(error)) return this.#enterFull(error);
      const waiters = this.#waiters;
      this.#waiters = [];
      for (const waiter of waiters) waiter.reject(error);
      throw error;
    }
    this.#lastCommitMs = performance.now() - started;
    this.#pending = [];
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve();
  }

  #enterFull(error: unknown): void {
    if (this.#db.isTransaction) this.#db.exec('rollback');
    if (!this.#full) {
      this.#full = true;
      this.#onFull(
        new AppError('DISK_FULL', `Cannot write the ledger: ${messageOf(error)}`, {
          cause: error,
          fix: 'Make space on the disk that holds `.sluice/`; work goes on by itself.',
        }),
      );
    }
    this.#timer ??= setTimeout(() => this.#commit(), FULL_RETRY_MS);
  }

  #tryAgain(): void {
    try {
      this.#db.exec('begin immediate');
      for (const { sql, params } of this.#pending) this.#prepare(sql).run(...params);
      this.#db.exec('commit');
    } catch (error) {
      if (isFull(error)) return this.#enterFull(error);
      throw error;
    }
    this.#full = false;
    this.#onFull(undefined);
    this.#commit();
  }
}

/** SQLITE_FULL, or an I/O error while extending a file. */
function isFull(error: unknown): boolean {
  const code = (error as { errcode?: number } | null)?.errcode;
  return code === 13 || code === 778 || code === 4874;
}
