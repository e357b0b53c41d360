/** Copies of the roots' trees for agents with `workspace: copy`: they hold what the watcher sees, and nothing of ours. */
import { basename, dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Conditions } from '../types/condition.ts';
import { realPath } from '../watch/ignore.ts';
import { IgnoreTree } from '../watch/ignore-tree.ts';
import { createWorkspaces, type Exclude, type Workspaces } from '../workspace/workspaces.ts';
import { ownFolders } from './own-folders.ts';

export interface WorkspaceOptions {
  readonly config: () => Config;
  readonly conditions: Conditions;
  readonly now: () => number;
}

export function openWorkspaces({ config, conditions, now }: WorkspaceOptions): Workspaces {
  return createWorkspaces({
    stateDir: config().stateDir,
    conditions,
    now,
    excludeOf: (root) => excludeOf(config(), root),
  });
}

function excludeOf(config: Config, name: string): Exclude {
  const root = config.roots.find((one) => one.name === name);
  if (!root) return () => false;
  const barred = new Set(ownFolders(config).flatMap((dir) => [dir, realPath(dir)]));
  const tree = new IgnoreTree({ root, dir: realPath(root.dir), barred });
  const loaded = new Set<string>();
  return (path, isFolder) => {
    const parent = dirname(path);
    const folder = parent === '.' ? '' : parent;
    if (!loaded.has(folder)) {
      loaded.add(folder);
      tree.load(folder);
    }
    return tree.verdict(folder, basename(path), isFolder).ignored;
  };
}
