/** What the worker keeps of one root while it watches it. */
import type { RootConfig } from '../config/config.ts';
import type { IgnoreTree } from './ignore-tree.ts';
import type { FileKind, Inspector } from './inspector.ts';
import type { Source } from './source.ts';
import type { RootStatus } from './watcher.ts';

export interface WatchedRoot {
  config: RootConfig;
  /** The folder without symbolic links; files are looked for here. */
  dir: string;
  ignores: IgnoreTree;
  source: Source;
  mode: RootStatus['mode'];
  reason?: string;
  state: RootStatus['state'];
  /** Device and inode of the folder that is watched: another one in its place is another root. */
  identity?: string;
  /** The mount delivers changes made elsewhere too late or never: leases and clocks are not trusted there. */
  remote: boolean;
  /** When each folder last changed as such (a name came or went), as the last look saw it. */
  folderTimes: Map<string, number>;
  folders: number;
  files: number;
  lastSweepAt?: number;
  lastSweepMs: number;
  /** Folders for which the kernel had no watch left: swept often instead. */
  readonly unwatched: Set<string>;
  /** It is no longer part of the configuration. */
  closed: boolean;
}

export function absolutePath(root: WatchedRoot, folder: string, name?: string): string {
  const dir = folder === '' ? root.dir : `${root.dir}/${folder}`;
  return name === undefined ? dir : `${dir === '/' ? '' : dir}/${name}`;
}

export function childOf(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/**
 * What stands at a folder's path. A link in the place of a folder, or of one above it, is `other`: what is behind it is
 * no input, and the system would follow it in the middle of a path.
 */
export function kindOfFolder(root: WatchedRoot, folder: string, inspector: Inspector): FileKind {
  for (let at = folder.indexOf('/'); at >= 0; at = folder.indexOf('/', at + 1)) {
    const above = inspector.stat(absolutePath(root, folder.slice(0, at)));
    if (above !== 'folder') return above;
  }
  return inspector.stat(absolutePath(root, folder));
}

/** May it be read? What may not be looked at is tried all the same, for the system's error. */
export function canBeRead(kind: FileKind): boolean {
  return kind === 'folder' || kind === 'denied';
}

/**
 * Remembers when a folder last changed; call before it is read, so that a later change is not mistaken for a seen one.
 * @returns what stands there; those above are not looked at.
 */
export function noteFolderTime(root: WatchedRoot, folder: string, inspector: Inspector): FileKind {
  const kind = inspector.stat(absolutePath(root, folder));
  if (kind === 'folder') root.folderTimes.set(folder, inspector.youngestMs);
  return kind;
}
