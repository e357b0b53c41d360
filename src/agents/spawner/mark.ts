/**
 * How a process is recognised as ours whatever it did to itself: two environment variables, and a mark that outlives
 * `setsid`, a double fork and a cleared environment. The mark is the soft limit on real-time CPU (RLIMIT_RTTIME): every
 * child inherits it, nothing reads or sets it (its unit is the microsecond, ours lie above 30,000 years), everybody may
 * read it in /proc. A cgroup would say the same, but needs rights that a user's daemon does not have.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Environment variables that name the project's daemon, one attempt, and the helper process itself. */
export const projectVariable = 'SLUICE_PROJECT';
export const attemptVariable = 'SLUICE_ATTEMPT';
export const spawnerVariable = 'SLUICE_SPAWNER';

const marked = 1n << 60n;
const seqBits = 28n;
const seqMask = (1n << seqBits) - 1n;

/** The limit for all attempts of the project with this tag; `seq` (1 … 2^28 - 1, then from the start) is added to it. */
export function markBase(tag: string): bigint {
  const project = createHash('sha256').update(tag).digest().readUInt32LE(0);
  return marked | (BigInt(project) << seqBits);
}

/** What the mark of `pid` says: `undefined` no mark or the process is gone, `seq` -1 another project's. */
export function readMark(pid: number, tag: string): { readonly seq: number } | undefined {
  let limits: string;
  try {
    limits = readFileSync(`/proc/${pid}/limits`, 'latin1');
  } catch {
    return undefined;
  }
  const soft = /^Max realtime timeout\s+(\d+)/m.exec(limits)?.[1];
  if (soft === undefined) return undefined;
  const value = BigInt(soft);
  if (value < marked || value >= marked << 1n) return undefined;
  if ((value & ~seqMask) !== markBase(tag)) return { seq: -1 };
  return { seq: Number(value & seqMask) };
}

/** The value of one variable in a process' environment as it was started; undefined when it cannot be read. */
export function readVariable(pid: number, name: string): string | undefined {
  let environ: Buffer;
  try {
    environ = readFileSync(`/proc/${pid}/environ`);
  } catch {
    return undefined;
  }
  const key = `${name}=`;
  let at = environ.indexOf(key);
  while (at > 0 && environ[at - 1] !== 0) at = environ.indexOf(key, at + 1);
  if (at < 0) return undefined;
  const end = environ.indexOf(0, at);
  return environ.toString('utf8', at + key.length, end < 0 ? environ.length : end);
}

/** The next attempt number that fits into a mark. */
export function nextSeq(seq: number): number {
  return seq >= Number(seqMask) ? 1 : seq + 1;
}
