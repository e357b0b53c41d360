/**
 * Limits by control groups of version 2, below a group that was handed over to us. Here only whole processes can be moved,
 * so the helper moves itself in, starts the child and comes back: 0.1 ms, and a few more when nobody on the machine has
 * moved a process for a while. A shell that moves itself and then becomes the command would hide why an exec was refused;
 * being born inside (`CLONE_INTO_CGROUP`) needs a C library that most machines do not have yet.
 */
import { join } from 'node:path';
import type { Bounds, Cage, LimitsBackend } from './cage.ts';
import { makeGroup, projectGroup, readGroup, readNumber, removeGroup, writeGroup } from './group-folders.ts';
import { clearProject } from './group-record.ts';
import { cpuText, memoryText } from './words.ts';

export interface Cgroup2Options {
  readonly tag: string;
  /** Ours to divide: no process in it, or the root of all groups. */
  readonly base: string;
  /** The group that the helper itself is in. */
  readonly home: string;
  /** Default: memory and cpu, which limits need. Fewer only to see how the groups themselves behave. */
  readonly controllers?: readonly string[];
}

const how = 'cgroup v2';
const periodUs = 100_000;

/** @throws when a controller is not to be had. */
export function openCgroup2({
  tag,
  base,
  home,
  controllers = ['memory', 'cpu'],
}: Cgroup2Options): LimitsBackend {
  const project = join(base, projectGroup(tag));
  const hand = controllers.map((name) => `+${name}`).join(' ');
  if (hand !== '') writeGroup(base, 'cgroup.subtree_control', hand);
  const lingering = new Set<string>();
  const remove = (group: string) => {
    if (removeGroup(group)) lingering.delete(group);
    else lingering.add(group);
  };
  return {
    name: 'cgroup2',
    folders: [project],
    open(id, bounds) {
      for (const group of [...lingering]) remove(group);
      const group = join(project, id);
      makeGroup(project);
      if (hand !== '') writeGroup(project, 'cgroup.subtree_control', hand);
      makeGroup(group);
      try {
        bind(group, bounds);
      } catch (error) {
        remove(group);
        throw error;
      }
      return cage(group, home, bounds, () => remove(group));
    },
    close() {
      clearProject(project);
    },
  };
}

function bind(group: string, { cpuPercent, memoryBytes }: Bounds): void {
  if (memoryBytes !== undefined) {
    writeGroup(group, 'memory.max', memoryBytes);
    // Missing where the kernel has no swap at all.
    if (readGroup(group, 'memory.swap.max') !== undefined) writeGroup(group, 'memory.swap.max', 0);
    // All of it at once: what lost a part of itself would only go on to fail in odd ways.
    if (readGroup(group, 'memory.oom.group') !== undefined) writeGroup(group, 'memory.oom.group', 1);
  }
  if (cpuPercent !== undefined)
    writeGroup(group, 'cpu.max', `${Math.round((cpuPercent / 100) * periodUs)} ${periodUs}`);
}

function cage(group: string, home: string, bounds: Bounds, remove: () => void): Cage {
  const { cpuPercent, memoryBytes } = bounds;
  return {
    prefix: [],
    inForce: {
      ...(cpuPercent === undefined ? {} : { cpu: cpuText(cpuPercent, how) }),
      ...(memoryBytes === undefined ? {} : { memory: memoryText(memoryBytes, how) }),
    },
    enter(start) {
      writeGroup(group, 'cgroup.procs', process.pid);
      try {
        return start();
      } finally {
        writeGroup(home, 'cgroup.procs', process.pid);
      }
    },
    started() {},
    hasRunOut: () => memoryBytes !== undefined && (readNumber(group, 'memory.events', 'oom_kill') ?? 0) > 0,
    usage() {
      const cpuUs = readNumber(group, 'cpu.stat', 'usage_usec');
      const peak = memoryBytes === undefined ? undefined : readNumber(group, 'memory.peak');
      return {
        ...(cpuUs === undefined ? {} : { cpuMs: Math.round(cpuUs / 1000) }),
        ...(peak === undefined ? {} : { peakMemoryBytes: peak }),
      };
    },
    kill() {
      try {
        writeGroup(group, 'cgroup.kill', 1);
      } catch {
        // A kernel before 5.14: then they are ended one by one.
      }
    },
    remove,
  };
}
