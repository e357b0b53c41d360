/**
 * Where a plugin's package is and which file of it is loaded. Its folder is looked for as Node would from the project, then
 * from where Sluice is installed: that finds what was installed globally beside it. `import()` cannot be asked to look from
 * somewhere else, so the main entry is read from package.json here; only that, plugins have no other.
 */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { AppError, messageOf } from '../../types/errors.ts';
import { isObject } from '../cli/reading/values.ts';

export interface Located {
  /** As the configuration names it. */
  readonly package: string;
  readonly version: string;
  /** Absolute. */
  readonly dir: string;
  /** The file to load. Absolute. */
  readonly entry: string;
}

export interface Manifest {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly main?: unknown;
  readonly exports?: unknown;
  readonly keywords?: unknown;
}

/** @throws {AppError} `AGENT_UNAVAILABLE` or `PLUGIN_INVALID` */
export async function locatePlugin(named: string, projectDir: string, ownDir: string): Promise<Located> {
  if (isPath(named)) return atPath(named, resolve(projectDir, named));
  if (!isPackageName(named))
    throw new AppError('PLUGIN_INVALID', `"${named}" is no name of an npm package`, {
      fix: 'Write the name as `npm install` takes it, or a path that begins with `./`.',
    });
  const dir = folderFrom(projectDir, named) ?? folderFrom(ownDir, named);
  if (dir === undefined)
    throw new AppError('AGENT_UNAVAILABLE', `The plugin "${named}" is not installed`, {
      fix: `Run \`npm install ${named}\` in ${projectDir}.`,
    });
  return inFolder(named, dir);
}

/** The nearest `node_modules/NAME` from here upwards. */
export function folderFrom(from: string, name: string): string | undefined {
  for (let dir = from; ; dir = dirname(dir)) {
    const found = join(dir, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return found;
    if (dirname(dir) === dir) return undefined;
  }
}

export async function readManifest(dir: string): Promise<Manifest> {
  const file = join(dir, 'package.json');
  try {
    const manifest: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (isObject(manifest)) return manifest;
    throw new Error('no object');
  } catch (error) {
    throw new AppError('PLUGIN_INVALID', `Cannot read "${file}": ${messageOf(error)}`, {
      cause: error,
      fix: 'Install the package again.',
    });
  }
}

async function atPath(named: string, path: string): Promise<Located> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new AppError('AGENT_UNAVAILABLE', `The plugin "${named}" is not there: there is no "${path}"`, {
      fix: 'Correct the path under `plugin`; it is relative to the project folder.',
    });
  return stat.isDirectory()
    ? inFolder(named, path)
    : { package: named, version: '0', dir: dirname(path), entry: path };
}

async function inFolder(named: string, dir: string): Promise<Located> {
  const manifest = await readManifest(dir);
  const entry = entryOf(manifest, dir);
  if (entry === undefined)
    throw new AppError(
      'PLUGIN_INVALID',
      `The package "${named}" (${dir}) has no main entry that can be loaded`,
      {
        fix: 'Its author has to set `exports` or `main` in package.json to a JavaScript file that is there.',
      },
    );
  const { version } = manifest;
  return { package: named, version: typeof version === 'string' ? version : '0', dir, entry };
}

function entryOf({ exports, main }: Manifest, dir: string): string | undefined {
  const named =
    exports === undefined || exports === null
      ? typeof main === 'string'
        ? main
        : 'index.js'
      : targetOf(isObject(exports) && '.' in exports ? exports['.'] : exports);
  if (named === undefined) return undefined;
  const file = join(dir, named);
  // `main` may leave out the extension, or name a folder.
  return [file, `${file}.js`, join(file, 'index.js')].find((one) =>
    statSync(one, { throwIfNoEntry: false })?.isFile(),
  );
}

const conditions: ReadonlySet<string> = new Set(['node', 'import', 'module-sync', 'default']);

/** The first condition that holds, in the package's own order. */
function targetOf(target: unknown): string | undefined {
  if (typeof target === 'string') return target.startsWith('./') ? target : undefined;
  if (Array.isArray(target)) return target.map(targetOf).find((one) => one !== undefined);
  if (!isObject(target)) return undefined;
  for (const [condition, inner] of Object.entries(target)) {
    const found = conditions.has(condition) ? targetOf(inner) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function isPath(named: string): boolean {
  return isAbsolute(named) || /^\.{1,2}(?:\/|$)/.test(named);
}

function isPackageName(named: string): boolean {
  return named.length <= 214 && /^(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*$/i.test(named);
}
