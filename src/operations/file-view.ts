/** A file of the ledger as the API and `sluice files --json` show it. */
import type { FileRecord } from '../ledger/ledger.ts';
import type { Disposition } from '../types/job.ts';

export interface FileQuery {
  readonly root?: string;
  readonly disposition?: Disposition;
  /** A folder, relative to its root. */
  readonly under?: string;
  readonly limit: number;
}

export interface FileView {
  readonly root: string;
  readonly path: string;
  readonly sha256?: string;
  readonly bytes: number;
  /** Absent while its job is open. */
  readonly disposition?: Disposition;
  readonly job_id?: string;
  /** RFC 3339: when a version of it was first and last taken in. */
  readonly first_seen_at: string;
  readonly seen_at: string;
}

export function viewFile({
  root,
  path,
  sha256,
  bytes,
  disposition,
  jobId,
  firstSeenAt,
  seenAt,
}: FileRecord): FileView {
  return {
    root,
    path,
    ...(sha256 !== undefined && { sha256 }),
    bytes,
    ...(disposition !== undefined && { disposition }),
    ...(jobId !== undefined && { job_id: jobId }),
    first_seen_at: new Date(firstSeenAt).toISOString(),
    seen_at: new Date(seenAt).toISOString(),
  };
}
