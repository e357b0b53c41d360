/** One command that runs, as the helper process keeps it. */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { formatDuration } from '../../config/duration.ts';
import type { AttemptOutcome } from '../../types/agent.ts';
import { fsPath, pathToBytes } from '../../types/path-bytes.ts';
import type { ExitStatus } from './launcher.ts';
import type { Cage, TreeUsage } from './limits/cage.ts';
import type { MemoryWatch } from './limits/tree-memory.ts';
import { memoryExceeded, runtimeExceeded } from './limits/words.ts';
import type { SpawnExit, StartRequest } from './protocol.ts';
import type { TreeOwner } from './tree.ts';

export interface Attempt extends TreeOwner {
  readonly id: number;
  readonly request: StartRequest;
  readonly files: OutputFiles;
  /** Epoch milliseconds, for people; everything below counts on the monotonic clock. */
  readonly startedAt: number;
  readonly startedMono: number;
  bytes: number;
  measuredMono: number;
  grownMono: number;
  /** When the output must be measured again. */
  measureMono: number;
  /** What holds it within CPU and memory, where it has such limits. */
  readonly cage?: Cage;
  /** Where the kernel does not see to its memory. */
  readonly watch?: MemoryWatch;
  /** Told by the ends of its processes. */
  used: TreeUsage;
  /** How the leader ended. */
  exit?: ExitStatus;
  /** Set once the leader has ended: until then what stood around it may end by itself. */
  settleMono?: number;
  /** Why we end it: that is then its outcome, whatever it exits with. */
  verdict?: AttemptOutcome;
  /** Set once its tree is being ended: when asking is over, and when we give up. */
  killMono?: number;
  giveUpMono?: number;
}

/** The two files that take what a command prints. Kept open, so that their size can be had when they were unlinked. */
export class OutputFiles {
  readonly stdoutFd: number;
  readonly stderrFd: number;

  constructor(request: StartRequest) {
    for (const [path, content] of request.files) {
      const fd = openPlain(path);
      try {
        writeFileSync(fd, pathToBytes(content));
      } finally {
        closeSync(fd);
      }
    }
    this.stdoutFd = openPlain(request.stdout);
    try {
      this.stderrFd = openPlain(request.stderr);
    } catch (error) {
      closeSync(this.stdoutFd);
      throw error;
    }
  }

  sizes(): { readonly stdoutBytes: number; readonly stderrBytes: number } {
    return { stdoutBytes: fstatSync(this.stdoutFd).size, stderrBytes: fstatSync(this.stderrFd).size };
  }

  /** Cuts each file to `maxBytes`: what was written before the bound was noticed is given back to the disk. */
  truncate(maxBytes: number): void {
    const { stdoutBytes, stderrBytes } = this.sizes();
    if (stdoutBytes > maxBytes) ftruncateSync(this.stdoutFd, maxBytes);
    if (stderrBytes > maxBytes) ftruncateSync(this.stderrFd, maxBytes);
  }

  close(): void {
    closeSync(this.stdoutFd);
    closeSync(this.stderrFd);
  }
}

/**
 * Appending, so that a process of the tree that opens /dev/stdout anew does not write over the others. A file that is
 * there already is emptied and used: making and removing files is what costs most on a journalling disk.
 */
function openPlain(path: string): number {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants;
  // An earlier attempt may have put a link or a FIFO there: neither is followed or waited for.
  const fd = openSync(fsPath(path), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o600);
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new Error(`"${path}" is no plain file`);
}

/** What the attempt reads as its stdin: written with `files` just before. */
export function openInput(path: string): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  return openSync(fsPath(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

const slowestMeasureMs = 100;
const fastestMeasureMs = 10;

/**
 * Measures the output; at most every 100 ms, more often the sooner the bound would be reached at the speed seen last. So a
 * command that suddenly prints 2 GB/s overshoots a bound of 64 MiB by some 200 MB (which `truncate` gives back), and one
 * that is idle costs two `fstat` each 100 ms. RLIMIT_FSIZE would stop it to the byte, but applies to every file that the
 * command writes, its real outputs included.
 */
export function measure(attempt: Attempt, now = performance.now()): void {
  const { stdoutBytes, stderrBytes } = attempt.files.sizes();
  const bytes = stdoutBytes + stderrBytes;
  const speed = Math.max(0, bytes - attempt.bytes) / Math.max(1, now - attempt.measuredMono);
  if (bytes !== attempt.bytes) attempt.grownMono = now;
  attempt.bytes = bytes;
  attempt.measuredMono = now;
  const reachedInMs = (attempt.request.maxOutputBytes - bytes) / speed;
  attempt.measureMono = now + Math.min(slowestMeasureMs, Math.max(fastestMeasureMs, reachedInMs / 2));
}

/** The limit that an attempt has overstepped, if any; memory that is watched is looked at elsewhere. */
export function overstepped(attempt: Attempt, now: number): AttemptOutcome | undefined {
  const { timeoutMs, idleTimeoutMs, maxOutputBytes, limits } = attempt.request;
  if (attempt.bytes > maxOutputBytes) return { kind: 'output_exceeded', maxBytes: maxOutputBytes };
  if (limits?.runtimeMs !== undefined && now - attempt.startedMono >= limits.runtimeMs)
    return runtimeExceeded(limits.runtimeMs);
  if (now - attempt.startedMono >= timeoutMs) return { kind: 'timed_out', afterMs: timeoutMs };
  if (idleTimeoutMs !== undefined && now - attempt.grownMono >= idleTimeoutMs)
    return { kind: 'stalled', idleMs: idleTimeoutMs };
  return undefined;
}

/** Adds what another process of the tree used: CPU time adds up, of the sizes the largest counts. */
export function addUsage(attempt: Attempt, { cpuMs, peakMemoryBytes }: TreeUsage): void {
  const { used } = attempt;
  attempt.used = {
    ...(cpuMs === undefined ? {} : { cpuMs: (used.cpuMs ?? 0) + cpuMs }),
    ...withPeak(Math.max(used.peakMemoryBytes ?? 0, peakMemoryBytes ?? 0)),
  };
}

const withPeak = (bytes: number): TreeUsage => (bytes === 0 ? {} : { peakMemoryBytes: bytes });

/** The most exact of what is known: a group's counters, our own watching, the kernel's word at the end. */
function usageOf({ used, cage, watch }: Attempt): TreeUsage {
  return { ...used, ...withPeak(watch?.peakBytes ?? used.peakMemoryBytes ?? 0), ...cage?.usage() };
}

/** What was in force. */
function limitsOf({ cage, request: { limits } }: Attempt): Pick<SpawnExit, 'limits'> {
  const runtime = limits?.runtimeMs === undefined ? {} : { runtime: formatDuration(limits.runtimeMs) };
  const inForce = { ...cage?.inForce, ...runtime };
  return Object.keys(inForce).length === 0 ? {} : { limits: inForce };
}

/** What is told of an attempt whose tree is gone, but for `survivors` processes; closes its files and its cage. */
export function conclude(attempt: Attempt, survivors = 0): SpawnExit {
  const { files, request, exit, cage } = attempt;
  measure(attempt);
  if (attempt.verdict === undefined && cage?.hasRunOut(exit))
    attempt.verdict = memoryExceeded(request.limits?.memoryBytes ?? 0);
  if (attempt.bytes > request.maxOutputBytes && attempt.verdict === undefined)
    attempt.verdict = { kind: 'output_exceeded', maxBytes: request.maxOutputBytes };
  if (attempt.verdict?.kind === 'output_exceeded') files.truncate(request.maxOutputBytes);
  const sizes = files.sizes();
  files.close();
  const used = usageOf(attempt);
  cage?.remove();
  const outcome: AttemptOutcome =
    attempt.verdict ??
    (exit === undefined
      ? { kind: 'interrupted' }
      : 'signal' in exit
        ? { kind: 'signalled', signal: exit.signal }
        : { kind: 'exited', exitCode: exit.exitCode });
  return {
    ...{ outcome, startedAt: attempt.startedAt, endedAt: Date.now(), ...sizes, ...used },
    ...limitsOf(attempt),
    ...(survivors === 0 ? {} : { survivors }),
  };
}
