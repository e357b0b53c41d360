/** Where the control groups of this process are: which hierarchies are mounted, and its place in each. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Folders of the groups that a process is in. */
export interface OwnGroups {
  /** Of the one hierarchy of version 2, if it is mounted. */
  readonly unified?: string;
  /** Of version 1: controller → folder. */
  readonly byController: ReadonlyMap<string, string>;
}

/** @throws {Error} outside Linux. */
export function readOwnGroups(): OwnGroups {
  return ownGroups(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8'));
}

/**
 * Joins the two tables.
 * @param cgroup Lines `id:controllers:path`; version 2 is `0::path`.
 * @param mountinfo As in proc(5). A mount may show only a part of the hierarchy: its fourth field says which.
 */
export function ownGroups(cgroup: string, mountinfo: string): OwnGroups {
  const paths = new Map<string, string>();
  for (const line of cgroup.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers.split(',')) paths.set(controller, path);
  }
  const byController = new Map<string, string>();
  let unified: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const [mount, source] = line.split(' - ', 2);
    const [root, point] = (mount ?? '').split(' ').slice(3, 5);
    const [type, , options] = (source ?? '').split(' ');
    if (root === undefined || point === undefined) continue;
    if (type === 'cgroup2') unified ??= below(point, root, paths.get(''));
    if (type !== 'cgroup') continue;
    for (const controller of (options ?? '').split(',')) {
      const dir = below(point, root, paths.get(controller));
      if (dir !== undefined && !byController.has(controller)) byController.set(controller, dir);
    }
  }
  return { ...(unified === undefined ? {} : { unified }), byController };
}

/** The folder of the group `path` where the mount at `point` shows the hierarchy from `root` on. */
function below(point: string, root: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const rest = relative(unescaped(root), path);
  return rest.startsWith('..') ? undefined : join(unescaped(point), rest);
}

/** mountinfo writes blanks, newlines and backslashes as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
