/**
 * Which processes belong to an attempt: its leader, the leader's group and session, every descendant, and whatever tore
 * itself loose (a double fork with `setsid`), found as an adopted child of the helper or by its mark or environment.
 * Killing the process group alone leaves the loose ones alive; a pid namespace would need rights a user may not have.
 */
import type { Launcher } from './launcher.ts';
import { attemptVariable, readVariable } from './mark.ts';
import { type ProcessRow, readProcessTable } from './process-table.ts';

/** What of an attempt this file needs. */
export interface TreeOwner {
  readonly seq: number;
  /** Value of the attempt's environment variable. */
  readonly tag: string;
  readonly leader: number;
  /** The leader's pid still names this attempt's group: the leader is not reaped, or the group has members. */
  groupPinned: boolean;
  /** Members found earlier, pid → start: they stay members when their parents are gone. */
  readonly members: Map<number, number>;
}

export interface Survey {
  /** Living processes of one attempt. */
  of(owner: TreeOwner): readonly ProcessRow[];
  /**
   * Whether nothing of it is left. Reading the table takes a while, in which a process can fork, hand on to a child that
   * is not in the table, and end. So where the helper adopts, its children are asked once more: whatever lives of the
   * tree hangs below one of them, and that one must have been seen alive, as another attempt's.
   */
  isGone(owner: TreeOwner): boolean;
  /** Living children of the helper that belong to nobody: what they belonged to has ended. */
  readonly strays: readonly ProcessRow[];
}

const isDead = (row: ProcessRow) => row.state === 'Z' || row.state === 'X';

/**
 * Reads the process table once and divides it among the attempts.
 * @param depth `glance`: where the helper adopts, marks are only read of those it has adopted: whatever tore itself loose
 * hangs below one of them, or below a process that is recognised otherwise. Enough to count memory twice a second, on a
 * machine full of other programs; what is ended wants the full look.
 */
export function survey(
  owners: readonly TreeOwner[],
  launcher: Launcher,
  { depth = 'full', helperPid = process.pid }: { depth?: 'full' | 'glance'; helperPid?: number } = {},
): Survey {
  const rows = readProcessTable();
  const helperStart = rows.find((row) => row.pid === helperPid)?.start ?? 0;
  const adopts = launcher.children() !== undefined;
  const found = new Map<number, TreeOwner>();
  const strays: ProcessRow[] = [];
  const children = Map.groupBy(rows, (row) => row.ppid);
  const claim = (row: ProcessRow, owner: TreeOwner) => {
    if (found.has(row.pid) || row.pid === helperPid) return;
    found.set(row.pid, owner);
    for (const child of children.get(row.pid) ?? []) claim(child, owner);
  };
  const recent = rows.filter((row) => row.start >= helperStart && row.pid !== helperPid);
  for (const row of recent) {
    const owner = owners.find((o) => belongs(row, o));
    if (owner !== undefined) claim(row, owner);
  }
  for (const row of recent) {
    if (found.has(row.pid) || isDead(row)) continue;
    if (depth === 'glance' && adopts && row.ppid !== helperPid) continue;
    const owner = byMark(row.pid, owners, launcher);
    if (owner !== undefined) claim(row, owner);
    else if (adopts && row.ppid === helperPid) strays.push(row);
  }
  const living = new Set(rows.filter((row) => !isDead(row)).map((row) => row.pid));
  const of = (owner: TreeOwner) => {
    const tree = rows.filter((row) => found.get(row.pid) === owner && living.has(row.pid));
    for (const row of tree) owner.members.set(row.pid, row.start);
    return tree;
  };
  const isOfAnother = (pid: number, owner: TreeOwner) =>
    living.has(pid) && found.has(pid) && found.get(pid) !== owner;
  return {
    of,
    isGone: (owner) =>
      of(owner).length === 0 && (launcher.children() ?? []).every((pid) => isOfAnother(pid, owner)),
    strays,
  };
}

function belongs(row: ProcessRow, owner: TreeOwner): boolean {
  if (
    owner.groupPinned &&
    (row.pid === owner.leader || row.pgid === owner.leader || row.sid === owner.leader)
  )
    return true;
  return owner.members.get(row.pid) === row.start;
}

function byMark(pid: number, owners: readonly TreeOwner[], launcher: Launcher): TreeOwner | undefined {
  const seq = launcher.markOf(pid);
  if (seq !== 0) return owners.find((owner) => owner.seq === seq);
  const tag = readVariable(pid, attemptVariable);
  return tag === undefined ? undefined : owners.find((owner) => owner.tag === tag);
}
