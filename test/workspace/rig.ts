import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { fsPath, pathFromBytes } from '../../src/types/path-bytes.ts';
import { createWorkspaces, type Workspaces, type WorkspacesOptions } from '../../src/workspace/workspaces.ts';

/** A tree as text: `{ 'a/b': 'content', 'empty/': '', 'l': '-> target' }`, with the mode where it is not the usual one. */
export type Tree = Record<string, string>;

export function treeOf(dir: string): Tree {
  const tree: Tree = {};
  const into = (folder: string, prefix: string): void => {
    for (const raw of readdirSync(fsPath(folder), { encoding: 'buffer' })) {
      const name = pathFromBytes(raw);
      const file = `${folder}/${name}`;
      const stat = lstatSync(fsPath(file));
      const mode = (stat.mode & 0o777).toString(8);
      if (stat.isDirectory()) {
        tree[`${prefix}${name}/`] = mode === '755' ? '' : mode;
        into(file, `${prefix}${name}/`);
      } else if (stat.isSymbolicLink()) tree[prefix + name] = `-> ${readlinkSync(fsPath(file))}`;
      else if (!stat.isFile()) tree[prefix + name] = 'special';
      else tree[prefix + name] = readFileSync(fsPath(file), 'latin1') + (mode === '644' ? '' : ` (${mode})`);
    }
  };
  into(dir, '');
  return Object.fromEntries(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Names as `path-bytes.ts` writes them; `name/` is a folder, `-> target` a link. */
export function plant(dir: string, tree: Tree): void {
  for (const [path, content] of Object.entries(tree)) {
    const at = `${dir}/${path.replace(/\/$/, '')}`;
    const parent = fsPath(path.endsWith('/') ? at : dirname(at));
    mkdirSync(parent, { recursive: true, mode: 0o755 });
    if (path.endsWith('/')) continue;
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), fsPath(at));
    else {
      writeFileSync(fsPath(at), content);
      chmodSync(fsPath(at), 0o644);
    }
  }
}

export interface Rig {
  readonly dir: string;
  readonly root: string;
  readonly stateDir: string;
  readonly copy: string;
  readonly spaces: Workspaces;
  prepare(o?: { attempt?: number; inputs?: readonly string[] }): Promise<void>;
}

export function createRig(
  tree: Tree,
  o: { dir?: string; root?: string; stateDir?: string; options?: Partial<WorkspacesOptions> } = {},
): Rig {
  const dir = o.dir ?? temporary();
  const root = o.root ?? join(dir, 'root');
  const stateDir = o.stateDir ?? join(dir, '.sluice');
  const copy = join(stateDir, 'work/job/1/workspace');
  mkdirSync(root, { recursive: true });
  mkdirSync(stateDir, { recursive: true });
  plant(root, tree);
  const spaces = createWorkspaces({ stateDir, now: () => 1_000, ...o.options });
  return {
    dir,
    root,
    stateDir,
    copy,
    spaces,
    async prepare({ attempt = 1, inputs = [] } = {}) {
      await spaces.prepare({ jobId: 'job', attempt, root: { name: 'inbox', dir: root }, inputs, into: copy });
    },
  };
}

export function temporary(): string {
  return cleanUp(mkdtempSync(join(tmpdir(), 'sluice-workspace-')));
}

/** A folder on another file system than `temporary`, where there is one. */
export function elsewhere(): string | undefined {
  if (!existsSync('/dev/shm') || statSync('/dev/shm').dev === statSync(tmpdir()).dev) return undefined;
  return cleanUp(mkdtempSync('/dev/shm/sluice-workspace-'));
}

function cleanUp(dir: string): string {
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
