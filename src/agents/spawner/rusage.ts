/** What the kernel tells of a process when it is collected: CPU time and memory, for nothing. */
import type { TreeUsage } from './limits/cage.ts';

/** More than `struct rusage` takes anywhere. */
export const rusageBytes = 256;

/** Where `long` has 64 bits; elsewhere nothing is told. */
const isWide = process.arch !== 'arm' && process.arch !== 'ia32';

/** `struct rusage` of Linux: user time, system time (seconds and microseconds each), largest resident size in KiB. */
export function decodeUsage(rusage: Buffer): TreeUsage {
  if (!isWide) return {};
  const number = (at: number) => Number(rusage.readBigInt64LE(at));
  const cpuMs = Math.round((number(0) + number(16)) * 1000 + (number(8) + number(24)) / 1000);
  const peakKiB = number(32);
  // The child shares our memory until it becomes the command, and that is counted: a smaller one cannot be told.
  if (peakKiB <= process.resourceUsage().maxRSS) return { cpuMs };
  return { cpuMs, peakMemoryBytes: peakKiB * 1024 };
}
