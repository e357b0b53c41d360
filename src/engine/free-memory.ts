/**
 * The machine's memory. Linux counts what it could give at once (`MemAvailable`): memory that is "free" in the narrow
 * sense is next to none on every machine that has been up for a day, since the rest caches files. A container's own limit
 * is not looked at: its counter holds cached files too.
 */
import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';

export function readMemory(): { freeBytes: number; totalBytes: number } {
  if (process.platform === 'linux') {
    try {
      const text = readFileSync('/proc/meminfo', 'latin1');
      const kib = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1]);
      const [free, total] = [kib('MemAvailable') * 1024, kib('MemTotal') * 1024];
      if (free >= 0 && total > 0) return { freeBytes: free, totalBytes: total };
    } catch {
      // No /proc here: the portable numbers do.
    }
  }
  return { freeBytes: freemem(), totalBytes: totalmem() };
}
