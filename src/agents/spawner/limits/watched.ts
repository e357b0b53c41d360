/**
 * Limits without any help of the system's: memory is watched by the helper, and the CPU can only be asked to go to others
 * first. Works everywhere.
 */
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { Bounds, Cage, LimitsBackend } from './cage.ts';
import { memoryText } from './words.ts';

const niceness = 10;

export function openWatched(): LimitsBackend {
  return { name: 'watched', folders: [], open: (_id, bounds) => cage(bounds), close() {} };
}

function cage({ cpuPercent, memoryBytes }: Bounds): Cage {
  return {
    prefix: [],
    inForce: {
      ...(cpuPercent === undefined ? {} : { cpu: 'not enforced (niced)' }),
      ...(memoryBytes === undefined ? {} : { memory: memoryText(memoryBytes, 'watched') }),
    },
    ...(memoryBytes === undefined ? {} : { watchedBytes: memoryBytes }),
    enter: (start) => start(),
    started(leader) {
      if (cpuPercent !== undefined) beNice(leader);
    },
    hasRunOut: () => false,
    usage: () => ({}),
    kill() {},
    remove() {},
  };
}

/** What the leader starts later inherits it; it has not come to that when this is called. */
function beNice(leader: number): void {
  try {
    setPriority(leader, niceness);
    // Where each session is a scheduling group of its own (desktops), only the group's priority counts against others.
    writeFileSync(`/proc/${leader}/autogroup`, String(niceness));
  } catch {
    // It has ended already, or there are no such groups.
  }
}
