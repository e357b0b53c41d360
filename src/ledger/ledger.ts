/**
 * The port of this folder: the durable record of files, jobs, attempts and results; the truth that everything else can
 * be rebuilt from. Asynchronous and without anything of SQLite in it, so that a second engine can stand behind it.
 *
 * Writes are seen by later reads at once and are on disk when `durable()` says so: everything written meanwhile shares
 * one commit. All times are epoch milliseconds of the engine's clock.
 */
import type {
  AttemptRecord,
  Disposition,
  FailureReason,
  FinalState,
  JobId,
  JobInput,
  JobRecord,
  JobStateName,
  Output,
  Proof,
  Usage,
  WaitReason,
} from '../types/job.ts';

export interface Ledger extends AsyncDisposable {
  /** Made once when the ledger is created. */
  readonly id: string;
  readonly files: FileLedger;
  readonly jobs: JobLedger;
  readonly results: ResultLedger;
  readonly audit: AuditLedger;
  /** Resolves when everything written so far is on disk. */
  durable(): Promise<void>;
}

/** What is known of one file. */
export interface FileRecord {
  readonly root: string;
  readonly path: string;
  /** `formatStamp` of the version that was taken in. */
  readonly stamp: string;
  readonly sha256?: string;
  readonly bytes: number;
  /** Absent while its job is open. */
  readonly disposition?: Disposition;
  readonly jobId?: JobId;
  /** First and last time a version of it was taken in. */
  readonly firstSeenAt: number;
  readonly seenAt: number;
  /** It was removed since. */
  readonly gone: boolean;
}

export interface FileLedger {
  get(root: string, path: string): Promise<FileRecord | undefined>;
  /** Inserts or replaces; `firstSeenAt` of a known file stays. */
  put(file: Omit<FileRecord, 'firstSeenAt'>): Promise<void>;
  setDisposition(
    root: string,
    path: string,
    jobId: JobId,
    disposition: Disposition | undefined,
  ): Promise<void>;
  setGone(root: string, path: string): Promise<void>;
  /** Files directly in `folder` that are not gone: name → stamp. Only what is durable by now: it waits for nothing. */
  inFolder(root: string, folder: string): Promise<ReadonlyMap<string, string>>;
  list(query: {
    root?: string;
    disposition?: Disposition;
    under?: string;
    limit: number;
  }): Promise<FileRecord[]>;
  counts(): Promise<Readonly<Partial<Record<Disposition, number>>>>;
  /** True the first time it is asked about this root. */
  isNewRoot(root: string): Promise<boolean>;
  markRoot(root: string): Promise<void>;
}

export interface JobSpec {
  /** Made by the caller: repeating an enqueue whose answer was lost does nothing. */
  readonly id: JobId;
  readonly input: JobInput;
  readonly rule: string;
  /** Also its group: at most `limits[agent]` of a group run at once, hard. */
  readonly agent: string;
  /** Cache key. Of jobs with one key only one runs at a time. Empty: never shared. */
  readonly key: string;
  readonly priority: number;
  readonly depth: number;
  readonly parent?: JobId;
  readonly force?: boolean;
}

/** The right to run a job once. Whoever holds a stale token is refused. */
export interface Lease {
  readonly job: JobRecord;
  /** Its result is wanted anew, whatever the cache has. */
  readonly force: boolean;
  /** Grows with every claim of the job: the fence, and the number of the attempt. */
  readonly token: number;
  /** Attempts before this one that count against `retry.attempts`. */
  readonly triesBefore: number;
}

export interface JobEnd {
  readonly state: FinalState;
  readonly reason?: FailureReason;
  readonly message?: string;
  readonly fix?: string;
  readonly proof?: readonly Proof[];
  readonly outputs?: readonly Output[];
  readonly usage?: Usage;
  readonly costUsd?: number | null;
  readonly cachedFrom?: JobId;
}

export interface JobQuery {
  readonly states?: readonly JobStateName[];
  readonly agent?: string;
  readonly root?: string;
  readonly path?: string;
  readonly endedSince?: number;
  readonly limit: number;
}

export interface JobLedger {
  /**
   * Puts a job in the queue. At most one job of a path is open and not yet running: an older one becomes `superseded`.
   * @returns the ids of jobs that this one superseded.
   */
  enqueue(spec: JobSpec): Promise<readonly JobId[]>;
  /** Records a job that needs no attempt (cached, or failed before it could start), in its final state. */
  record(
    spec: JobSpec,
    end: JobEnd,
    /** When it really was, for a ledger that is rebuilt; default: now. */
    at?: { readonly queuedAt?: number; readonly endedAt?: number },
  ): Promise<JobRecord>;
  /**
   * Claims up to `max` jobs that may run now: highest priority first, then oldest; a job gains one priority for each
   * minute it waits. Only jobs of agents in `limits`, and never more of an agent at once than its limit; never two with
   * one key or of one path: a job that must wait for such another becomes `waiting` (`single_flight`).
   */
  claim(query: {
    readonly max: number;
    readonly limits: ReadonlyMap<string, number>;
    readonly worker: string;
    readonly leaseMs: number;
  }): Promise<readonly Lease[]>;
  /** When the earliest back-off is over: claim again then. Absent when nothing waits for time. */
  nextDueAt(): Promise<number | undefined>;
  /** Keeps the leases of this worker alive. */
  heartbeat(worker: string, leaseMs: number): Promise<void>;
  /**
   * Adds the record of an attempt that has ended; `counts`: against `retry.attempts`. Again with the same number: it is
   * replaced, and not counted twice. False: the lease is lost.
   */
  attempted(lease: Lease, attempt: AttemptRecord, counts: boolean): Promise<boolean>;
  /** Ends a running job. Undefined: the lease is lost, the result must be thrown away. */
  end(lease: Lease, end: JobEnd): Promise<JobRecord | undefined>;
  /** Gives a running job back: to the queue or to wait; not before `notBefore`. */
  retry(
    lease: Lease,
    o: {
      readonly reason: WaitReason;
      readonly message?: string;
      readonly fix?: string;
      readonly notBefore: number;
    },
  ): Promise<boolean>;
  /** Gives a running job back uncounted. After `maxInterruptions` interruptions in a row it is `held`. */
  release(
    lease: Lease,
    o: { readonly interrupted: boolean; readonly maxInterruptions: number },
  ): Promise<'queued' | 'held' | 'lost'>;
  /** Ends a job that does not run. False: it runs or has ended. */
  endIdle(id: JobId, end: JobEnd): Promise<JobRecord | undefined>;
  /** Moves a job that does not run to another rule and agent: the configuration changed. */
  reroute(
    id: JobId,
    to: { readonly rule: string; readonly agent: string; readonly key: string; readonly priority: number },
  ): Promise<boolean>;
  /** Lets a held job go on. */
  unhold(id: JobId): Promise<boolean>;
  /**
   * Lets jobs go on that wait for this reason (of this agent, key or path). Those of one key go on one by one. Whoever
   * stops running lets the next go on by itself; waking for `single_flight` is only needed when in doubt.
   */
  wake(query: {
    readonly reason: WaitReason;
    readonly agent?: string;
    readonly key?: string;
    readonly root?: string;
    readonly path?: string;
  }): Promise<number>;
  /**
   * Takes over a job whose attempt `token` is known to have been made although the ledger may not have heard of it: the
   * daemon died before the commit. Undefined when the job has ended.
   */
  adopt(
    spec: JobSpec,
    o: { readonly token: number; readonly worker: string; readonly leaseMs: number },
  ): Promise<Lease | undefined>;
  /** Jobs that ran under another worker: their daemon is gone. */
  orphaned(worker: string): Promise<readonly Lease[]>;
  get(id: JobId): Promise<JobRecord | undefined>;
  /** By unique prefix, as people type them. */
  find(prefix: string): Promise<readonly JobRecord[]>;
  /** The open job of a path that has not started, or the one that runs. */
  openOf(root: string, path: string): Promise<readonly JobRecord[]>;
  /** Newest first. */
  list(query: JobQuery): Promise<JobRecord[]>;
  counts(): Promise<Readonly<Record<'queued' | 'running' | 'waiting' | 'held', number>>>;
  /** Agents that have jobs which have not ended. */
  openAgents(): Promise<readonly string[]>;
  /** Running jobs per agent. */
  load(): Promise<ReadonlyMap<string, number>>;
  /** Totals since the ledger began, kept as jobs end: cost does not grow with their number. */
  tally(): Promise<readonly TallyRow[]>;
  /** Final jobs whose files were not all put in place yet. */
  unpublished(limit: number): Promise<readonly JobRecord[]>;
  published(id: JobId): Promise<void>;
  /**
   * Removes ended jobs older than `before`, but not the latest of a file that is still there, nor one that a result
   * refers to. Files that are gone since before then are forgotten with their jobs.
   * @returns ids of the jobs that were removed, at most `limit`.
   */
  prune(before: number, limit: number): Promise<readonly JobId[]>;
}

/** One row per UTC day, root, agent and final state. */
export interface TallyRow {
  /** `2026-11-20` */
  readonly day: string;
  readonly root: string;
  readonly agent: string;
  readonly state: FinalState;
  readonly jobs: number;
  readonly durationMs: number;
  readonly costUsd: number;
}

export interface ResultLedger {
  /** The job whose result stands for this key. */
  get(key: string): Promise<{ readonly jobId: JobId; readonly createdAt: number } | undefined>;
  put(key: string, jobId: JobId): Promise<void>;
  forget(key: string): Promise<void>;
  /** Forgets every key that was put before this time. Returns their number. */
  expire(before: number): Promise<number>;
}

export interface AuditEntry {
  readonly at: number;
  readonly type: string;
  readonly who: string;
  readonly data: unknown;
}

export interface AuditLedger {
  append(entry: Omit<AuditEntry, 'at'>): Promise<void>;
  /** Newest first. */
  list(limit: number): Promise<AuditEntry[]>;
}
