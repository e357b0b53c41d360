/** How much memory a tree of processes uses, and when to look again. */
import { readFileSync } from 'node:fs';
import type { ProcessRow } from '../process-table.ts';

const firstLookMs = 25;
const fastestLookMs = 20;
const slowestLookMs = 500;

/** Watches the memory of one tree. */
export class MemoryWatch {
  readonly limitBytes: number;
  /** When to look again, on the monotonic clock. */
  dueMono: number;
  peakBytes = 0;
  #bytes = 0;
  #lookedMono: number;
  #intervalMs = firstLookMs;

  constructor(limitBytes: number, now: number) {
    this.limitBytes = limitBytes;
    this.#lookedMono = now;
    this.dueMono = now + firstLookMs;
  }

  /** @returns whether the tree uses more than it may. */
  look(tree: readonly ProcessRow[], now: number): boolean {
    const bytes = treeMemory(tree, this.limitBytes);
    const elapsedMs = Math.max(1, now - this.#lookedMono);
    this.#intervalMs = nextLookMs({
      grownBytes: bytes - this.#bytes,
      elapsedMs,
      leftBytes: this.limitBytes - bytes,
      lastMs: this.#intervalMs,
    });
    this.#bytes = bytes;
    this.#lookedMono = now;
    this.dueMono = now + this.#intervalMs;
    this.peakBytes = Math.max(this.peakBytes, bytes);
    return bytes > this.limitBytes;
  }
}

/**
 * Half of the time in which the limit would be reached at the speed seen last, from 20 to 500 ms; while nothing grows,
 * twice the last interval. A program that allocates a gigabyte a second goes some 20 MB beyond.
 */
export function nextLookMs(o: {
  readonly grownBytes: number;
  readonly elapsedMs: number;
  readonly leftBytes: number;
  readonly lastMs: number;
}): number {
  const speed = o.grownBytes / o.elapsedMs;
  const reachedInMs = speed > 0 ? o.leftBytes / speed : Number.POSITIVE_INFINITY;
  return Math.min(slowestLookMs, Math.max(fastestLookMs, Math.min(o.lastMs * 2, reachedInMs / 2)));
}

/**
 * Resident memory and swap, together. Processes that share pages (a program that forked) would count them twice: only
 * when the sum is beyond `limitBytes` the exact shares are asked for, which costs the kernel a walk through all pages.
 */
export function treeMemory(tree: readonly ProcessRow[], limitBytes: number): number {
  const resident = sum(tree.map((row) => row.rssBytes ?? residentOf(row.pid)));
  if (resident <= limitBytes || tree.length < 2) return resident;
  return sum(tree.map((row) => shareOf(row.pid) ?? row.rssBytes ?? residentOf(row.pid)));
}

/** 0 when the process is gone. */
function residentOf(pid: number): number {
  const status = read(`/proc/${pid}/status`);
  return status === undefined ? 0 : kilobytes(status, 'VmRSS') + kilobytes(status, 'VmSwap');
}

/** Undefined where it cannot be had: another user's process, or not Linux. */
function shareOf(pid: number): number | undefined {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  return rollup === undefined ? undefined : kilobytes(rollup, 'Pss') + kilobytes(rollup, 'SwapPss');
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
