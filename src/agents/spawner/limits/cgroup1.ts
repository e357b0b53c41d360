/**
 * Limits by control groups of version 1, where memory and CPU are hierarchies of their own. A thread can be moved alone
 * here: the helper's main thread goes in, starts the child, which is born where its parent is, and comes back; in and out
 * take 10 µs for each hierarchy. A shell that moves itself and then becomes the command would cost 1 ms.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Bounds, Cage, LimitsBackend } from './cage.ts';
import { makeGroup, projectGroup, readNumber, removeGroup, writeGroup } from './group-folders.ts';
import { clearProject } from './group-record.ts';
import { cpuText, memoryText } from './words.ts';

export interface Cgroup1Options {
  readonly tag: string;
  /** The groups that the helper is in. */
  readonly memoryDir: string;
  readonly cpuDir: string;
}

interface Hierarchy {
  /** Holds the groups of all attempts. */
  readonly project: string;
  readonly home: string;
}

const how = 'cgroup v1';
const periodUs = 100_000;

export function openCgroup1({ tag, memoryDir, cpuDir }: Cgroup1Options): LimitsBackend {
  const hierarchy = (home: string): Hierarchy => ({ project: join(home, projectGroup(tag)), home });
  const memory = hierarchy(memoryDir);
  const cpu = hierarchy(cpuDir);
  /** Groups that were not empty when they were to go. */
  const lingering = new Set<string>();
  const remove = (dirs: Iterable<string>) => {
    for (const dir of [...dirs]) {
      if (removeGroup(dir)) lingering.delete(dir);
      else lingering.add(dir);
    }
  };
  return {
    name: 'cgroup1',
    folders: [memory.project, cpu.project],
    open(id, bounds) {
      remove(lingering);
      const memoryGroup = join(memory.project, id);
      const cpuGroup = join(cpu.project, id);
      const made: (readonly [group: string, home: Hierarchy])[] = [];
      const make = (group: string, home: Hierarchy) => {
        makeGroup(home.project);
        makeGroup(group);
        made.push([group, home]);
      };
      try {
        if (bounds.memoryBytes !== undefined) {
          make(memoryGroup, memory);
          boundMemory(memoryGroup, bounds.memoryBytes);
        }
        if (bounds.cpuPercent !== undefined) {
          make(cpuGroup, cpu);
          writeGroup(cpuGroup, 'cpu.cfs_period_us', periodUs);
          writeGroup(cpuGroup, 'cpu.cfs_quota_us', Math.round((bounds.cpuPercent / 100) * periodUs));
        }
      } catch (error) {
        remove(made.map(([group]) => group));
        throw error;
      }
      return cage(bounds, made, { memoryGroup, cpuGroup, remove });
    },
    close() {
      for (const { project } of [memory, cpu]) clearProject(project);
    },
  };
}

/** Swap counts too where the kernel counts it: otherwise a hog would fill the swap of the whole machine. */
function boundMemory(group: string, bytes: number): void {
  writeGroup(group, 'memory.limit_in_bytes', bytes);
  try {
    writeGroup(group, 'memory.memsw.limit_in_bytes', bytes);
  } catch {
    // A kernel that does not count swap: then what is inside does not get any.
    writeGroup(group, 'memory.swappiness', 0);
  }
}

function cage(
  bounds: Bounds,
  groups: readonly (readonly [group: string, home: Hierarchy])[],
  o: {
    readonly memoryGroup: string;
    readonly cpuGroup: string;
    readonly remove: (dirs: Iterable<string>) => void;
  },
): Cage {
  const { cpuPercent, memoryBytes } = bounds;
  return {
    prefix: [],
    inForce: {
      ...(cpuPercent === undefined ? {} : { cpu: cpuText(cpuPercent, how) }),
      ...(memoryBytes === undefined ? {} : { memory: memoryText(memoryBytes, how) }),
    },
    enter(start) {
      const left: Hierarchy[] = [];
      try {
        for (const [group, hierarchy] of groups) {
          moveThread(group);
          left.push(hierarchy);
        }
        return start();
      } finally {
        for (const { home, project } of left) comeBack(home, project);
      }
    },
    started() {},
    hasRunOut: () =>
      memoryBytes !== undefined && (readNumber(o.memoryGroup, 'memory.oom_control', 'oom_kill') ?? 0) > 0,
    usage() {
      const peak =
        memoryBytes === undefined ? undefined : readNumber(o.memoryGroup, 'memory.max_usage_in_bytes');
      // Only where accounting is mounted together with the scheduler, as it mostly is.
      const ns = cpuPercent === undefined ? undefined : readNumber(o.cpuGroup, 'cpuacct.usage');
      return {
        ...(peak === undefined ? {} : { peakMemoryBytes: peak }),
        ...(ns === undefined ? {} : { cpuMs: Math.round(ns / 1e6) }),
      };
    },
    kill() {},
    remove: () => o.remove(groups.map(([group]) => group)),
  };
}

/** Moves the thread that calls, and no other of the helper's. */
function moveThread(group: string): void {
  const fd = openSync(join(group, 'tasks'), 'w');
  try {
    writeSync(fd, '0');
  } finally {
    closeSync(fd);
  }
}

/** Somebody may have removed the group we came from (a service manager that moved us): ours is always there. */
function comeBack(home: string, project: string): void {
  try {
    moveThread(home);
  } catch {
    moveThread(project);
  }
}
