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
  Fallback,
  FinalState,
  HoldReason,
  JobId,
  JobInput,
  JobRecord,
  JobStateName,
  OpenState,
  Output,
  PromotedFile,
  Proof,
  Usage,
  WaitReason,
} from '../types/job.ts';
import type { RunId } from '../types/run.ts';
import type { StepTask } from '../types/step-task.ts';
import type { ActivityLedger } from './activity-ledger.ts';
import type { ReviewLedger } from './review-ledger.ts';
import type { RunLedger } from './run-ledger.ts';
import type { SessionLedger } from './session-ledger.ts';

export interface Ledger extends AsyncDisposable {
  /** Made once when the ledger is created. */
  readonly id: string;
  readonly files: FileLedger;
  readonly jobs: JobLedger;
  readonly results: ResultLedger;
  readonly spending: SpendingLedger;
  readonly kept: KeptLedger;
  readonly written: WrittenLedger;
  readonly metrics: MetricLedger;
  readonly audit: AuditLedger;
  readonly runs: RunLedger;
  readonly sessions: SessionLedger;
  readonly reviews: ReviewLedger;
  /** What agents did, by day. */
  readonly activity: ActivityLedger;
  /** Resolves when everything written so far is on disk. */
  durable(): Promise<void>;
  /** Gives unused space back to the disk, a little at a time, and cuts the write-ahead log short. */
  tidy(): Promise<void>;
  /** A consistent copy of everything, made while work goes on. @param file Must not exist. */
  copyTo(file: string): Promise<void>;
  /** Bytes on disk, the write-ahead log included. */
  size(): Promise<number>;
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
  /** Its queue; default: the agent's name. */
  readonly lane?: string;
  /** It waits (`batch`) with the others of this group until `notBefore`, or until the group is full. */
  readonly batch?: BatchPlace;
  /** Enqueued as `held`. */
  readonly hold?: Hold;
  readonly depth: number;
  readonly parent?: JobId;
  readonly force?: boolean;
  /** It is a step of a run, not a file: its input has the root '' and the path `<run>/<step>`. Stays as long as its run. */
  readonly step?: StepTask;
}

export interface BatchPlace {
  readonly group: string;
  /** Moves the start of the whole group: it begins when nothing came for a while. */
  readonly notBefore: number;
  /** With so many waiting the group starts at once. `Infinity`: never by number. */
  readonly maxFiles: number;
}

export interface Hold {
  readonly reason: HoldReason;
  readonly message: string;
  readonly fix: string;
}

/** Where a job goes when its agent changes. */
export interface Destination {
  readonly rule: string;
  readonly agent: string;
  readonly key: string;
  readonly priority: number;
  /** Default: the agent's name. */
  readonly lane?: string;
}

/** One queue of an agent. */
export interface Lane {
  readonly agent: string;
  /** Attempts at once from this lane; `Infinity`: only the agent's limit counts. */
  readonly limit: number;
}

/** The right to run a job once. Whoever holds a stale token is refused. */
export interface Lease {
  readonly job: JobRecord;
  /** Leases of the other jobs of its batch, claimed with it: one attempt for all. Empty on those themselves. */
  readonly companions: readonly Lease[];
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
  /** Only for `record`: what a receipt says of a job that ran under an earlier ledger. */
  readonly fallbacks?: readonly Fallback[];
  readonly promoted?: readonly PromotedFile[];
}

export interface JobQuery {
  readonly states?: readonly JobStateName[];
  /** Why they wait, are held, or have failed. */
  readonly reason?: JobRecord['reason'];
  readonly agent?: string;
  readonly root?: string;
  readonly path?: string;
  readonly endedSince?: number;
  /** Only jobs of this run's steps (and items); with `runFiles` also those of the files that its steps took in. */
  readonly run?: RunId;
  readonly runFiles?: boolean;
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
   *
   * A batch counts as one against the limits of agents, lanes and rates.
   */
  claim(query: {
    readonly max: number;
    readonly limits: ReadonlyMap<string, number>;
    /** Lanes that are not just an agent's: name → lane. Only lanes in here and those named as an agent are claimed from. */
    readonly lanes?: ReadonlyMap<string, Lane>;
    /** Agents of which no more than so many attempts may begin in any such span. */
    readonly rates?: ReadonlyMap<string, { readonly count: number; readonly perMs: number }>;
    /** Companions of a batch at most (its first job included): by group prefix, the part before the first NUL. */
    readonly batchSizes?: ReadonlyMap<string, number>;
    /** Files that may be claimed in all; default: no bound. A batch is cut to it. */
    readonly maxFiles?: number;
    readonly worker: string;
    readonly leaseMs: number;
  }): Promise<readonly Lease[]>;
  /** When the earliest job that waits for a time may go on: claim again then. Absent when nothing waits for time. */
  nextDueAt(): Promise<number | undefined>;
  /** When the next attempt of this agent may begin by its rate; undefined: now. */
  rateFreeAt(
    agent: string,
    rate: { readonly count: number; readonly perMs: number },
  ): Promise<number | undefined>;
  /** Attempts of this agent that began within the last `perMs`. */
  startedWithin(agent: string, perMs: number): Promise<number>;
  /** Keeps the leases of this worker alive. */
  heartbeat(worker: string, leaseMs: number): Promise<void>;
  /** Sends a running job to another agent, with all its tries before it; `because` is added to its fallbacks. */
  fallBack(lease: Lease, to: Destination, because: Fallback): Promise<boolean>;
  /** Gives a running job back, uncounted, with another destination: the configuration changed. */
  moveOn(lease: Lease, to: Destination): Promise<boolean>;
  /** Puts a running job on hold. */
  hold(lease: Lease, hold: Hold): Promise<boolean>;
  /** Gives a running job of a batch back to the queue, uncounted, in another group (a half of the first). */
  regroup(lease: Lease, group: string): Promise<boolean>;
  /** Queued jobs of an agent and/or rule become `waiting`; those that come later must be parked again. */
  park(
    which: { readonly agent?: string; readonly rule?: string },
    o: {
      readonly reason: WaitReason;
      readonly message: string;
      readonly fix: string;
      /** Absent: until they are woken. */
      readonly notBefore?: number;
    },
  ): Promise<number>;
  /** Sets the files that were put in place in the tree; before `end`. */
  promoted(lease: Lease, files: readonly PromotedFile[]): Promise<boolean>;
  /** Open jobs whose lane is not as `laneOf` says are moved: the rules' limits changed. */
  relane(laneOf: (job: { readonly agent: string; readonly rule: string }) => string): Promise<number>;
  /**
   * Adds the record of an attempt that has ended; what it used is added to the spending of its day, once. `counts`: against `retry.attempts`. Again with the same number: it is
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
      /** Absent: until it is woken. */
      readonly notBefore?: number;
      /** With whom it is claimed from now on; absent: as before. */
      readonly group?: string;
      /** Other work is wanted of it than before: earlier tries do not count. */
      readonly isAnew?: boolean;
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
  reroute(id: JobId, to: Destination): Promise<boolean>;
  /** Lets a held job go on; earlier tries do not count. @param group With whom it is claimed from now on; absent: as before. */
  unhold(id: JobId, group?: string): Promise<boolean>;
  /**
   * Lets jobs go on that wait for this reason (of this agent, key or path). Those of one key go on one by one. Whoever
   * stops running lets the next go on by itself; waking for `single_flight` is only needed when in doubt.
   */
  wake(query: {
    readonly reason: WaitReason;
    readonly agent?: string;
    readonly rule?: string;
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
  /** Running attempts per agent: a batch is one. */
  load(): Promise<ReadonlyMap<string, number>>;
  /** Running attempts per rule. */
  loadByRule(): Promise<ReadonlyMap<string, number>>;
  /** Jobs that have not ended per agent: what selection looks at. */
  openByAgent(): Promise<ReadonlyMap<string, number>>;
  /** The same by state; agents without open jobs are not there. */
  openStates(): Promise<ReadonlyMap<string, Readonly<Record<OpenState, number>>>>;
  /** Waiting jobs by what they wait for. */
  waits(): Promise<readonly WaitRow[]>;
  /** The oldest job that could run now: when it was put in the queue. */
  oldestQueuedAt(): Promise<number | undefined>;
  /** Totals since the ledger began, kept as jobs end: cost does not grow with their number. */
  tally(): Promise<readonly TallyRow[]>;
  /** Days before this one are no longer told apart: their totals stay. */
  foldTally(beforeDay: string): Promise<void>;
  /** Final jobs whose files were not all put in place yet. */
  unpublished(limit: number): Promise<readonly JobRecord[]>;
  published(id: JobId): Promise<void>;
  /**
   * Removes ended jobs older than `before`, but not the latest of a file that is still there, nor one that a result
   * refers to, nor one of a step whose run is there, nor one of a file that an open run took in. Files that are gone
   * since before then are forgotten with their jobs.
   * @param keep Of the others at most so many ended jobs are kept, the newest; default: all.
   * @returns ids of the jobs that were removed, at most `limit`.
   */
  prune(before: number, limit: number, keep?: number): Promise<readonly JobId[]>;
}

export interface WaitRow {
  readonly agent: string;
  readonly rule: string;
  readonly reason: WaitReason;
  readonly jobs: number;
  readonly message?: string;
  readonly fix?: string;
  /** The earliest. */
  readonly notBefore?: number;
}

/** What was spent in one UTC day by one agent for one rule. */
export interface SpendingRow {
  readonly day: string;
  readonly agent: string;
  readonly rule: string;
  readonly attempts: number;
  /** Attempts that did not say what they cost. */
  readonly unknown: number;
  readonly costUsd: number;
  /** All four buckets together. */
  readonly tokens: number;
}

/** Written by `jobs.attempted`, in the same commit. */
export interface SpendingLedger {
  /** @param day `2026-11-20` */
  of(day: string): Promise<readonly SpendingRow[]>;
  prune(beforeDay: string): Promise<number>;
}

/** Small values that must survive a restart: states of breakers, sizes of batches, when an alert was sent. */
export interface KeptLedger {
  /** @returns what `put` was given, by way of JSON. */
  get(kind: string, name: string): Promise<unknown>;
  put(kind: string, name: string, value: unknown): Promise<void>;
  forget(kind: string, name: string): Promise<void>;
  list(kind: string): Promise<readonly { readonly name: string; readonly value: unknown }[]>;
}

/** A file that we put into a root ourselves, or that an attempt is known to have made: its lineage. */
export interface WrittenRecord {
  readonly root: string;
  readonly path: string;
  /** `formatStamp` of that version. */
  readonly stamp: string;
  readonly sha256?: string;
  readonly jobId: JobId;
  readonly depth: number;
  readonly at: number;
}

export interface WrittenLedger {
  get(root: string, path: string): Promise<WrittenRecord | undefined>;
  put(record: WrittenRecord): Promise<void>;
  forget(root: string, path: string): Promise<void>;
  prune(before: number): Promise<number>;
}

/** One row a minute: name → number. */
export interface MetricLedger {
  /** @param minute Epoch milliseconds, a whole minute. Adding to a minute that is there: its values are replaced one by one. */
  put(minute: number, values: Readonly<Record<string, number>>): Promise<void>;
  /** Oldest first; `until` is not included. */
  list(
    since: number,
    until: number,
  ): Promise<readonly { readonly minute: number; readonly values: Readonly<Record<string, number>> }[]>;
  prune(before: number): Promise<number>;
}

/** One row per UTC day, root, agent and final state. */
export interface TallyRow {
  /** `2026-11-20`; empty: all days of long ago together. */
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
  /** @param keep So many stay, the newest. @returns how many were removed. */
  prune(keep: number): Promise<number>;
}
