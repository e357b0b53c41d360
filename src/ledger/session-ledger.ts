/**
 * The part of the ledger's port that keeps the state of sessions: values under keys, shared by all of a session or owned
 * by one agent, some with an end. Every change has a revision; a commit is all or nothing.
 */
export interface SessionRecord {
  readonly id: string;
  readonly kind: 'run' | 'mission' | 'manual';
  readonly title: string;
  readonly createdAt: number;
  /** Absent: it is in use. */
  readonly endedAt?: number;
  readonly entries: number;
}

export interface StateEntry {
  /** '' for what the whole session shares, else the agent's name. */
  readonly owner: string;
  readonly key: string;
  /** JSON. */
  readonly value: unknown;
  /** 1 for the first value of a key (higher long after others were deleted); grows with each change, over deletions too. */
  readonly revision: number;
  /** Epoch milliseconds: it is gone then (`temporary`). */
  readonly expiresAt?: number;
  /** Who wrote it: an agent's name, `step NAME`, `cli`. */
  readonly by: string;
  readonly at: number;
}

export type StateChange =
  | {
      readonly op: 'set';
      readonly owner: string;
      readonly key: string;
      readonly value: unknown;
      readonly ttlMs?: number;
      /** Only when the key is at this revision; 0: only when it is not there. */
      readonly ifRevision?: number;
    }
  | { readonly op: 'delete'; readonly owner: string; readonly key: string; readonly ifRevision?: number }
  /** Changes nothing; the commit fails unless it holds. */
  | { readonly op: 'check'; readonly owner: string; readonly key: string; readonly ifRevision: number };

export type CommitResult =
  | {
      readonly kind: 'committed';
      readonly entries: readonly Pick<StateEntry, 'owner' | 'key' | 'revision'>[];
    }
  /** Nothing was changed. */
  | { readonly kind: 'conflict'; readonly owner: string; readonly key: string; readonly revision: number };

export interface SessionLedger {
  /** Again: nothing. One that was closed is in use again. */
  open(session: Pick<SessionRecord, 'id' | 'kind' | 'title'>): Promise<void>;
  /** Its locks and what was temporary go. */
  close(id: string): Promise<void>;
  get(id: string): Promise<SessionRecord | undefined>;
  /** Newest first. */
  list(limit: number): Promise<readonly SessionRecord[]>;
  /** What has expired is not there. */
  read(session: string, owner: string, key: string): Promise<StateEntry | undefined>;
  /** By owner and key. `owner` absent: all of them. */
  entries(session: string, owner?: string): Promise<readonly StateEntry[]>;
  /** Number of entries and bytes of their JSON. */
  size(session: string): Promise<{ readonly entries: number; readonly bytes: number }>;
  /** In the order given: a later change sees what an earlier one made of its key. @throws AppError NOT_FOUND */
  commit(session: string, by: string, changes: readonly StateChange[]): Promise<CommitResult>;
  /** Takes a lock, or renews the holder's own, until `ttlMs` from now; one that ran out is free. @throws AppError NOT_FOUND */
  lock(
    session: string,
    name: string,
    holder: string,
    ttlMs: number,
  ): Promise<{ readonly isHeld: boolean; readonly holder: string; readonly until: number }>;
  /** False: it was not the holder's. */
  unlock(session: string, name: string, holder: string): Promise<boolean>;
  /** Lets go of all locks of a holder: its attempt has ended. `holder` absent: of everybody, where none can live. */
  unlockAll(holder?: string): Promise<number>;
  /** Removes what has expired. @returns how many entries and locks. */
  expire(): Promise<number>;
  /** Removes sessions that ended before; that of a run only when the run is gone. */
  prune(before: number): Promise<number>;
}
