/** Copies of the roots' trees for agents with `workspace: copy`: they hold what the watcher sees, and nothing of ours. */
import { basename, dirname, join, relative } from 'node:path';
import type { Config } from '../config/config.ts';
import { contains } from '../config/contains.ts';
import { gitPlaces } from '../sandbox/git-places.ts';
import type { Conditions } from '../types/condition.ts';
import { realPath } from '../watch/ignore.ts';
import { IgnoreTree } from '../watch/ignore-tree.ts';
import { createWorkspaces, type Exclude, type Workspaces } from '../workspace/workspaces.ts';
import { ownFolders } from './own-folders.ts';
import { protectedPlaces } from './protected-places.ts';

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
    protectedOf: (root) => protectedIn(config(), root.dir),
  });
}

/**
 * The same as a sandbox does not let an agent write: an agent could give itself a workflow without one by way of its copy.
 * @param root Without symbolic links.
 */
function protectedIn(config: Config, root: string): (path: string) => boolean {
  const project = realPath(config.projectDir);
  const named = protectedPlaces(config).flatMap((place) => [
    place,
    ...(contains(config.projectDir, place) ? [join(project, relative(config.projectDir, place))] : []),
  ]);
  // One that the agent makes is none of those that are there.
  const git = [...['.git/hooks', '.git/config'].map((path) => join(root, path)), ...gitPlaces(root)];
  const places = [...new Set([...named, ...named.map(realPath), ...git])];
  return (path) => places.some((place) => contains(place, join(root, path)));
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
