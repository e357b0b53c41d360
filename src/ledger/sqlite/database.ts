/**
 * One connection with group commit: a write opens a transaction at once (so later reads see it) and what arrives within
 * the next few milliseconds shares its commit, which syncs fully. On a slow disk the pause grows with the last commit,
 * so that the loop is blocked for a fifth of its time at most, or for half of it while somebody waits for `durable()`.
 *
 * When a commit fails (disk full, quota, I/O error) SQLite rolls the whole transaction back. The writes since the last
 * commit are therefore kept and written again into a new transaction, which needs no disk until it commits: what was
 * accepted stays visible, nobody claims a job twice, and it reaches the disk once there is space. Rejected: refusing
 * writes while the disk is full, because what an agent has finished and was paid for must be kept.
 *
 * The writer begins its next transaction with the commit of the last one. Others can read meanwhile, and nobody but us
 * can write: a database browser that was left open with a change in it is refused, and not we.
 */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import type { AppError } from '../../types/errors.ts';
import { markSuspect } from './damage.ts';
import { ledgerError, mayPass } from './sqlite-errors.ts';
import { Sums } from './sums.ts';

const COMMIT_PAUSE_MS = 4;
const AWAITED_PAUSE_MS = 2;
const COMMIT_PAUSE_MAX_MS = 250;
const RETRY_MS = 500;

export type Row = Record<string, SQLOutputValue>;

export interface DatabaseOptions {
  readonly file: string;
  readonly readOnly?: boolean;
  /** Told when a commit fails (DISK_FULL, STATE_UNWRITABLE …), and with `undefined` when it has gone through after all. */
  readonly onFull?: (problem: AppError | undefined) => void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
}

export class Database {
  readonly #file: string;
  readonly #readOnly: boolean;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #onFull: (problem: AppError | undefined) => void;
  /** Sees only what is committed; opened when first needed. */
  #committed: DatabaseSync | undefined;
  #pending: { readonly statement: StatementSync; readonly params: SQLInputValue[] }[] = [];
  #waiters: Waiter[] = [];
  #timer: NodeJS.Timeout | undefined;
  #groupBeganAt = 0;
  #lastCommitMs = 0;
  #problem: AppError | undefined;
  #closed = false;
  #isHeld = false;
  readonly sums = new Sums((sql, ...params) => this.write(sql, ...params));

  /** Opens the file and touches nothing in it. @throws AppError when it cannot be opened. */
  constructor({ file, readOnly = false, onFull = () => {} }: DatabaseOptions) {
    this.#file = file;
    this.#readOnly = readOnly;
    this.#onFull = onFull;
    this.#db = this.#guard('open', () => new DatabaseSync(file, { readOnly, timeout: 5_000 }));
  }

  /**
   * Makes the connection the writer. Pages stay in memory until the commit (`cache_spill`), so that only a commit can
   * meet a full disk.
   * @throws AppError when the file system cannot do WAL.
   */
  beginWriting(): void {
    // So that unused pages can be given back one by one. Only a database without a page takes it, and any other writes.
    if (this.get<{ page_count: number }>('pragma page_count')?.page_count === 0)
      this.exec('pragma auto_vacuum = incremental');
    const mode = this.get<{ journal_mode: string }>('pragma journal_mode = wal')?.journal_mode;
    if (mode !== 'wal') throw ledgerError(new Error(`journal mode is ${mode}`), `use WAL for ${this.#file}`);
    this.exec(
      `pragma synchronous = full; pragma wal_autocheckpoint = 2000; pragma journal_size_limit = ${16 << 20};
       pragma cache_size = -4000; pragma cache_spill = off; pragma temp_store = memory`,
    );
  }

  /**
   * From now on nobody else can write. Call when the file is known to be ours, and nothing has to be done outside of
   * groups any more. Somebody who was faster is no matter before something is to be written.
   */
  hold(): void {
    if (this.#closed || this.#db.isTransaction) return;
    this.#isHeld = true;
    try {
      this.#db.exec('begin immediate');
    } catch {
      // The next write tells.
    }
  }

  /** Schema changes and pragmas: at once, outside of the group. */
  exec(sql: string): void {
    this.#guard('write', () => this.#db.exec(sql));
  }

  get<T = Row>(sql: string, ...params: SQLInputValue[]): T | undefined {
    if (this.#pending.length > 0) this.#enter();
    return this.#guard('read', () => this.#prepare(sql).get(...params)) as T | undefined;
  }

  /** One row as a list, in the order of its columns: of many columns that costs half as much as an object. */
  getValues(sql: string, ...params: SQLInputValue[]): SQLOutputValue[] | undefined {
    if (this.#pending.length > 0) this.#enter();
    return this.#guard('read', () => {
      const statement = this.#prepare(sql);
      statement.setReturnArrays(true);
      return statement.get(...params) as unknown as SQLOutputValue[] | undefined;
    });
  }

  all<T = Row>(sql: string, ...params: SQLInputValue[]): T[] {
    if (this.#pending.length > 0) this.#enter();
    return this.#guard('read', () => this.#prepare(sql).all(...params)) as T[];
  }

  /** What is on disk by now, without waiting for what is not. */
  allCommitted<T = Row>(sql: string, ...params: SQLInputValue[]): T[] {
    if (this.#pending.length === 0) return this.all(sql, ...params);
    return this.#guard('read', () => {
      this.#committed ??= new DatabaseSync(this.#file, { readOnly: true, timeout: 5_000 });
      return this.#committed.prepare(sql).all(...params);
    }) as T[];
  }

  /** @returns the number of rows changed. */
  write(sql: string, ...params: SQLInputValue[]): number {
    this.#enter();
    const statement = this.#prepare(sql);
    const changes = Number(this.#guard('write', () => statement.run(...params)).changes);
    if (changes > 0) this.#accepted(statement, params);
    return changes;
  }

  /**
   * For what cannot be part of a group. Commits what there is, then runs `action`.
   * @returns false, and nothing is done, when the commit fails: it is tried again anyway.
   */
  betweenCommits(action: () => void): boolean {
    if (this.#closed || this.#tryCommit()) return false;
    try {
      action();
    } finally {
      if (this.#isHeld) this.hold();
    }
    return true;
  }

  /** For one row with `returning`. @returns undefined when nothing was changed. */
  writeReturning<T = Row>(sql: string, ...params: SQLInputValue[]): T | undefined {
    this.#enter();
    const statement = this.#prepare(sql);
    const row = this.#guard('write', () => statement.get(...params)) as T | undefined;
    if (row) this.#accepted(statement, params);
    return row;
  }

  durable(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (this.#waiters.length === 1 && !this.#problem) this.#schedule();
    });
  }

  /** Commits and closes. Twice is harmless. @throws AppError when accepted writes could not be written. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const problem = this.#tryCommit();
    clearTimeout(this.#timer);
    if (problem) this.#settle((waiter) => waiter.reject(problem));
    this.#statements.clear();
    this.#committed?.close();
    this.#db.close();
    if (problem) throw problem;
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#guard('read', () => this.#db.prepare(sql));
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Begins the transaction of the group, with what a failed commit took back. */
  #enter(): void {
    if (!this.#db.isTransaction)
      this.#guard('write', () => {
        this.#db.exec('begin immediate');
        try {
          for (const { statement, params } of this.#pending) statement.run(...params);
        } catch (error) {
          if (this.#db.isTransaction) this.#db.exec('rollback');
          throw error;
        }
      });
    if (this.#timer) return;
    this.#groupBeganAt = performance.now();
    this.#schedule();
  }

  #accepted(statement: StatementSync, params: SQLInputValue[]): void {
    this.#pending.push({ statement, params });
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const ageMs = performance.now() - this.#groupBeganAt;
    this.#timer = setTimeout(() => this.#commit(), Math.max(0, this.#pauseMs() - ageMs));
  }

  #pauseMs(): number {
    // Each try writes everything again: the more there is, the rarer.
    if (this.#problem) return Math.max(RETRY_MS, 20 * this.#lastCommitMs);
    const isAwaited = this.#waiters.length > 0;
    const pauseMs = (isAwaited ? 1 : 4) * this.#lastCommitMs;
    return Math.max(isAwaited ? AWAITED_PAUSE_MS : COMMIT_PAUSE_MS, Math.min(COMMIT_PAUSE_MAX_MS, pauseMs));
  }

  #commit(): void {
    this.#timer = undefined;
    const problem = this.#tryCommit();
    if (!problem) {
      if (this.#isHeld) this.hold();
      return;
    }
    this.#groupBeganAt = performance.now();
    this.#schedule();
    if (!mayPass(problem.cause)) this.#settle((waiter) => waiter.reject(problem));
  }

  #tryCommit(): AppError | undefined {
    const started = performance.now();
    try {
      if (this.#pending.length > 0 && !this.#db.isTransaction) this.#enter();
      this.sums.flush();
      // One that only held the ledger has nothing to say: what is damaged could not even commit that.
      const end = this.#pending.length > 0 ? 'commit' : 'rollback';
      if (this.#db.isTransaction) this.#guard('write', () => this.#db.exec(end));
    } catch (error) {
      this.#lastCommitMs = performance.now() - started;
      const problem = error as AppError;
      if (this.#problem?.code !== problem.code) this.#onFull(problem);
      this.#problem = problem;
      return problem;
    }
    this.#lastCommitMs = performance.now() - started;
    this.#pending = [];
    if (this.#problem) {
      this.#problem = undefined;
      this.#onFull(undefined);
    }
    this.#settle((waiter) => waiter.resolve());
    return undefined;
  }

  #settle(how: (waiter: Waiter) => void): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    waiters.forEach(how);
  }

  #guard<T>(verb: 'open' | 'read' | 'write', action: () => T): T {
    try {
      return action();
    } catch (error) {
      const problem = ledgerError(error, `${verb} the ledger ${this.#file}`);
      if (problem.code === 'LEDGER_DAMAGED' && !this.#readOnly) markSuspect(this.#file);
      throw problem;
    }
  }
}
