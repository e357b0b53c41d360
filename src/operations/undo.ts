/** `sluice undo`: puts back what a job changed in its root's tree. What stands there then is known, and starts no work. */
import type { Ledger } from '../ledger/ledger.ts';
import type { JobRecord } from '../types/job.ts';
import type { Kept, Workspaces } from '../workspace/workspaces.ts';

export interface UndoReport {
  readonly job_id: string;
  readonly restored: readonly string[];
  /** Left as they are, and why. */
  readonly kept: readonly Kept[];
}

/**
 * @param force Also files that changed since; what stood there is kept beside the older versions.
 * @throws AppError NOT_FOUND when the job put nothing in place.
 */
export async function undo(
  { ledger, workspaces }: { ledger: Pick<Ledger, 'files' | 'durable'>; workspaces: Pick<Workspaces, 'undo'> },
  { id }: JobRecord,
  force: boolean,
): Promise<UndoReport> {
  const { restored, kept } = await workspaces.undo(id, {
    force,
    onPlaced: async ({ root, path, stamp, sha256 }) => {
      const known = await ledger.files.get(root, path);
      if (known) await ledger.files.put({ ...known, stamp, sha256, seenAt: Date.now(), gone: false });
    },
  });
  await ledger.durable();
  return { job_id: id, restored, kept };
}
