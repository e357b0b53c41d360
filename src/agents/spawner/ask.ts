/** The polite half of ending a tree: each process gets SIGTERM once, and may clean up. */
import type { Launcher } from './launcher.ts';
import type { ProcessRow } from './process-table.ts';
import type { TreeOwner } from './tree.ts';

/** What stands around a confined command: the leader, and the first process in its namespace. */
const wrapperName = 'bwrap';

/** @returns whether there was anybody to ask. */
export function askToEnd(
  owner: TreeOwner & { readonly request: { readonly sandboxed?: boolean } },
  tree: readonly ProcessRow[],
  launcher: Launcher,
): boolean {
  const sandboxed = owner.request.sandboxed === true;
  // Each process gets the signal once: many programs take a second one for "at once".
  const byGroup = owner.groupPinned && !sandboxed;
  if (byGroup) launcher.kill(-owner.leader, 'SIGTERM');
  let asked = byGroup;
  for (const row of tree) {
    // SIGTERM ends bubblewrap at once, and with it the whole namespace: its command would have no time at all.
    if (sandboxed && isWrapper(row, owner)) continue;
    if (!byGroup || row.pgid !== owner.leader) launcher.kill(row.pid, 'SIGTERM');
    // A stopped process takes signals only once it goes on.
    if (row.state === 'T') launcher.kill(row.pid, 'SIGCONT');
    asked = true;
  }
  return asked;
}

function isWrapper(row: ProcessRow, { leader }: TreeOwner): boolean {
  return row.pid === leader || (row.ppid === leader && row.name === wrapperName);
}
