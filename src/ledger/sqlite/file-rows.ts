/** Rows ↔ records of files. Folder and name are kept apart so that the sweep can ask for one folder. */
import type { Disposition, JobId } from '../../types/job.ts';
import type { FileRecord } from '../ledger.ts';

export interface FileRow {
  root: string;
  folder: string;
  name: string;
  stamp: string;
  sha256: string | null;
  bytes: number;
  disposition: Disposition | null;
  job_id: string | null;
  first_seen_at: number;
  seen_at: number;
  gone: number;
}

export function toFileRecord(row: FileRow): FileRecord {
  return {
    root: row.root,
    path: joinPath(row.folder, row.name),
    stamp: row.stamp,
    bytes: row.bytes,
    ...(row.sha256 !== null && { sha256: row.sha256 }),
    ...(row.disposition !== null && { disposition: row.disposition }),
    ...(row.job_id !== null && { jobId: row.job_id as JobId }),
    firstSeenAt: row.first_seen_at,
    seenAt: row.seen_at,
    gone: row.gone === 1,
  };
}

export function splitPath(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf('/');
  return { folder: slash < 0 ? '' : path.slice(0, slash), name: path.slice(slash + 1) };
}

export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
