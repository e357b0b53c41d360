/**
 * Finds the part of the version 2 tree that was handed over to us, and makes room in it. A group that is to be divided may
 * hold no process itself, so the daemon and the helper move into a leaf of it. That is done only where the group is ours:
 * a service with `Delegate=yes`, a container of our own. In somebody else's (a login session, a slice) the service manager
 * has the only say; there `systemd-run` asks it.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readProcessTable } from '../process-table.ts';
import { makeGroup, readGroup, removeGroup, writeGroup } from './group-folders.ts';

export interface Claim {
  readonly base: string;
  readonly home: string;
  /** Moves the processes; to be done before groups are made. */
  readonly settle: () => void;
}

const leaf = 'sluice-daemon';
/** Processes of ours may start others while they are moved. */
const movingRounds = 5;

/**
 * Changes nothing.
 * @param own The group of this process.
 * @param daemonPid It and its descendants are ours.
 * @throws {Error} that says why it is not ours, or of no use.
 */
export function findClaim(own: string, daemonPid: number): Claim {
  // A helper that was started anew finds itself in the leaf.
  const base = basename(own) === leaf ? dirname(own) : own;
  for (const file of ['.', 'cgroup.procs', 'cgroup.subtree_control'])
    accessSync(join(base, file), constants.W_OK);
  const controllers = (readGroup(base, 'cgroup.controllers') ?? '').trim().split(' ');
  for (const controller of ['memory', 'cpu'])
    if (!controllers.includes(controller))
      throw new Error(`the group ${base} was given no ${controller} controller`);
  // Only the root of all groups has no type, and may be divided with processes in it.
  if (readGroup(base, 'cgroup.type') === undefined) return { base, home: own, settle: () => {} };
  const foreign = foreignProcess(base, daemonPid);
  if (foreign !== undefined)
    throw new Error(`the group ${base} is not ours alone: process ${foreign} is in it too`);
  if (!isDelegated(base)) throw new Error(`the group ${base} belongs to systemd (no Delegate=yes)`);
  const home = join(base, leaf);
  return { base, home, settle: () => moveAll(base, home) };
}

function pidsIn(group: string): number[] {
  return (readGroup(group, 'cgroup.procs') ?? '').split('\n').filter(Boolean).map(Number);
}

function foreignProcess(group: string, daemonPid: number): number | undefined {
  const parents = new Map(readProcessTable().map(({ pid, ppid }) => [pid, ppid]));
  const isOurs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at))
      if (at === daemonPid) return true;
    return false;
  };
  // One that is not in the table has ended meanwhile.
  return pidsIn(group).find((pid) => pid === 0 || (parents.has(pid) && !isOurs(pid)));
}

/** To a user the folder is only given when it is delegated; root may write everywhere and has to ask. */
function isDelegated(group: string): boolean {
  if (process.getuid?.() !== 0 || !existsSync('/run/systemd/system')) return true;
  const { stdout } = spawnSync('systemctl', ['show', '--property=Delegate', '--value', basename(group)], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
    timeout: 3_000,
  });
  return (stdout ?? '').trim() === 'yes';
}

function moveAll(from: string, to: string): void {
  makeGroup(to);
  for (let round = 0; round < movingRounds; round += 1) {
    const pids = pidsIn(from);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        writeGroup(to, 'cgroup.procs', pid);
      } catch {
        // Ended meanwhile, or it may not be moved: then dividing the group is refused, with that reason.
      }
    }
  }
  removeGroup(to);
}
