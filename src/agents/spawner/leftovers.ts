/**
 * Ends processes that an earlier daemon of this project left behind, found by their mark or environment. Rarely finds
 * any: the helper process ends everything when its daemon dies. It is for the case that both were killed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { projectVariable, readMark, readVariable, spawnerVariable } from './mark.ts';
import { readProcessTable } from './process-table.ts';

/** An earlier helper that is ending its trees may take so long before it is ended itself. */
const helperGraceMs = 5_000;
/** A process that survives so long hangs in the kernel or belongs to another user. */
const giveUpAfterMs = 10_000;

/**
 * Call it before the journal is read: an earlier helper may still write to it. Only Linux tells the environment of other
 * processes; elsewhere nothing is found.
 * @param tag The project's, as the spawner was opened with.
 * @returns how many processes were ended.
 */
export async function endLeftovers(tag: string): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const began = Date.now();
  const ended = new Set<number>();
  let empty = 0;
  for (;;) {
    const { helpers, others } = find(tag);
    const waited = Date.now() - began;
    empty = helpers.length === 0 && others.length === 0 ? empty + 1 : 0;
    // A process can fork and end while we look: where there was something, nothing must be seen twice.
    if (empty > (ended.size === 0 ? 0 : 1) || waited > giveUpAfterMs) return ended.size;
    // While the helper lives it knows better than we do what belongs together.
    const condemned = helpers.length > 0 && waited < helperGraceMs ? [] : [...helpers, ...others];
    for (const pid of condemned) {
      ended.add(pid);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone by itself between the look and the signal.
      }
    }
    await sleep(10);
  }
}

function find(tag: string): { readonly helpers: readonly number[]; readonly others: readonly number[] } {
  const helpers: number[] = [];
  const others: number[] = [];
  const rows = readProcessTable();
  const mine = ancestors(new Map(rows.map((row) => [row.pid, row.ppid])));
  for (const { pid, state } of rows) {
    if (mine.has(pid) || state === 'Z' || state === 'X') continue;
    if (readVariable(pid, spawnerVariable) === tag) helpers.push(pid);
    else if (isMarked(pid, tag) || readVariable(pid, projectVariable) === tag) others.push(pid);
  }
  return { helpers, others };
}

function isMarked(pid: number, tag: string): boolean {
  const seq = readMark(pid, tag)?.seq;
  return seq !== undefined && seq > 0;
}

/** A daemon that an agent of the same project started must not end itself. */
function ancestors(parents: ReadonlyMap<number, number>): ReadonlySet<number> {
  const found = new Set<number>();
  for (
    let pid: number | undefined = process.pid;
    pid !== undefined && !found.has(pid);
    pid = parents.get(pid)
  )
    found.add(pid);
  return found;
}
