/**
 * What an export holds, and where: the configuration with the prompts and schemas it was made from (`project/`), the
 * ledger and older results (`state/`), the output folder (`results/`). Not the watched files, which are their owner's; no
 * logs, work folders, locks or tokens.
 */
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Config } from '../config/config.ts';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';

export interface ExportFile {
  /** In the archive, with `/`. */
  readonly name: string;
  /** On disk. */
  readonly path: string;
}

/** A cached result that stands in for the one it came from. */
export interface ExportLink {
  readonly name: string;
  readonly target: string;
}

export interface ExportManifest {
  readonly schema: 1;
  readonly sluice: string;
  /** RFC 3339. */
  readonly created_at: string;
  /** The configuration file, relative to the project. */
  readonly config_file: string;
  /** The output folder, relative to the project; null: it lies elsewhere and is not in here. */
  readonly output_dir: string | null;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
  readonly links: readonly ExportLink[];
}

export const manifestName = 'manifest.json';
/** What a job's id looks like: the only target that a link may have. */
export const linkTarget = /^[A-Za-z0-9_-]{1,64}$/;

/** `config/orchestrator.yaml`; undefined for a path that is not below the project folder. */
export function withinProject(projectDir: string, path: string): string | undefined {
  const way = relative(projectDir, path);
  return way === '' || way === '..' || way.startsWith('../') ? undefined : way;
}

/** @param files What the configuration was made from; folders in which workflows were looked for are among them. */
export async function* exportFiles(
  { projectDir, stateDir, output }: Pick<Config, 'projectDir' | 'stateDir' | 'output'>,
  files: readonly string[],
): AsyncGenerator<ExportFile | ExportLink> {
  for (const path of files) {
    const way = withinProject(projectDir, path);
    if (way === undefined || (await lstat(fsPath(path)).catch(() => undefined))?.isDirectory()) continue;
    yield { name: `project/${way}`, path };
  }
  for (const folder of ['history', 'undo']) yield* filesBelow(join(stateDir, folder), `state/${folder}`);
  if (withinProject(projectDir, output.dir) !== undefined) yield* filesBelow(output.dir, 'results');
}

async function* filesBelow(dir: string, prefix: string): AsyncGenerator<ExportFile | ExportLink> {
  const names = await readdir(fsPath(dir), { encoding: 'buffer' }).catch((): Buffer[] => []);
  for (const bytes of names.toSorted((a, b) => Buffer.compare(a, b))) {
    const entry = pathFromBytes(bytes);
    const [path, name] = [join(dir, entry), `${prefix}/${entry}`];
    const stat = await lstat(fsPath(path)).catch(() => undefined);
    if (stat?.isDirectory()) yield* filesBelow(path, name);
    else if (stat?.isFile()) yield { name, path };
    else if (stat?.isSymbolicLink() && prefix === 'state/history') {
      const target = await readlink(fsPath(path));
      if (linkTarget.test(target)) yield { name, target };
    }
  }
}
