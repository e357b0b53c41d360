/**
 * Reads an export into an empty folder and believes nothing of it: every name is checked before anything is made, only
 * plain files are taken, and in the end all of it must be what the manifest says.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Parser, type ReadEntry } from 'tar';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';
import { type ExportManifest, linkTarget, manifestName } from './export-files.ts';

const MAX_MANIFEST_BYTES = 1 << 30;

/** @param into Exists and is empty. @throws AppError NOT_POSSIBLE for an archive that is not whole, or not ours. */
export async function readArchive(file: string, into: string): Promise<ExportManifest> {
  const found = new Map<string, { bytes: number; sha256: string }>();
  let fault: unknown;
  const take = async (entry: ReadEntry): Promise<void> => {
    if (fault === undefined && entry.type !== 'Directory')
      try {
        found.set(checkEntry(entry, found), await write(entry, join(into, entry.path)));
        return;
      } catch (error) {
        fault = error;
      }
    entry.resume();
  };
  const tasks: Promise<void>[] = [];
  await new Promise<void>((resolve, reject) => {
    const parser = new Parser({ strict: true, onReadEntry: (entry) => void tasks.push(take(entry)) });
    const source = createReadStream(file);
    source.on('error', (error) => reject(unreadable(file, error)));
    parser.on('error', (error: unknown) => reject(broken(file, messageOf(error))));
    parser.on('end', () => resolve());
    source.pipe(parser as unknown as NodeJS.WritableStream);
  });
  await Promise.all(tasks);
  if (fault !== undefined) throw fault instanceof AppError ? fault : broken(file, messageOf(fault));
  return compare(file, into, found);
}

/** @returns its name. */
function checkEntry({ path, type }: ReadEntry, found: ReadonlyMap<string, unknown>): string {
  const refuse = (why: string): never => {
    throw new AppError('NOT_POSSIBLE', `The archive holds ${JSON.stringify(path)}, ${why}`, {
      fix: 'Use a file that `sluice export` made. Nothing was imported.',
    });
  };
  if (type !== 'File' && type !== 'OldFile') refuse(`which is no plain file (${type})`);
  if (!isOurs(path)) refuse('a name that an export does not have');
  if (found.has(path)) refuse('twice');
  return path;
}

function isOurs(path: string): boolean {
  if (path === manifestName || path === 'state/ledger.db') return true;
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) return false;
  const [top, second] = parts;
  if (top === 'project') return parts.length > 1 && second !== '.sluice';
  if (top === 'results') return parts.length > 1;
  return top === 'state' && parts.length > 2 && (second === 'history' || second === 'undo');
}

async function write(entry: ReadEntry, path: string): Promise<{ bytes: number; sha256: string }> {
  await mkdir(fsPath(dirname(path)), { recursive: true, mode: 0o700 });
  // State is the owner's alone, whatever the archive says.
  const mode = entry.path.startsWith('state/') ? 0o600 : ((entry.mode ?? 0) & 0o777) | 0o600;
  await using target = await open(fsPath(path), 'wx', mode);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of entry) {
    hash.update(piece);
    bytes += piece.length;
    await target.writeFile(piece);
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function compare(
  file: string,
  into: string,
  found: ReadonlyMap<string, { bytes: number; sha256: string }>,
): Promise<ExportManifest> {
  const own = found.get(manifestName);
  if (!own || own.bytes > MAX_MANIFEST_BYTES) throw broken(file, 'it has no manifest: it was cut short');
  const manifest = parse(file, await readFile(join(into, manifestName), 'utf8'));
  for (const { name, bytes, sha256 } of manifest.files) {
    const there = found.get(name);
    if (!there) throw broken(file, `"${name}" is missing`);
    if (there.bytes !== bytes || there.sha256 !== sha256) throw broken(file, `"${name}" is not what it was`);
  }
  if (manifest.files.length !== found.size - 1)
    throw broken(file, 'it holds files that its manifest does not name');
  for (const { name, target } of manifest.links)
    if (!/^state\/history\/[A-Za-z0-9_-]{1,64}$/.test(name) || !linkTarget.test(target))
      throw broken(file, `the link "${name}" leads elsewhere`);
  if (manifest.output_dir !== null && !isOurs(`results/${manifest.output_dir}`))
    throw broken(file, `its output folder "${manifest.output_dir}" lies outside of the project`);
  return manifest;
}

function parse(file: string, text: string): ExportManifest {
  try {
    const manifest = JSON.parse(text) as ExportManifest;
    if (manifest.schema !== 1)
      throw broken(file, `its form (${manifest.schema}) is not known to this version`);
    if (Array.isArray(manifest.files) && Array.isArray(manifest.links)) return manifest;
  } catch (error) {
    if (error instanceof AppError) throw error;
  }
  throw broken(file, 'its manifest cannot be read');
}

function broken(file: string, why: string): AppError {
  return new AppError('NOT_POSSIBLE', `"${file}" cannot be imported: ${why}`, {
    fix: 'Use another export. Nothing was imported.',
  });
}

function unreadable(file: string, cause: unknown): AppError {
  const isMissing = systemCode(cause) === 'ENOENT';
  return new AppError(
    isMissing ? 'NOT_FOUND' : 'NOT_POSSIBLE',
    `Cannot read "${file}": ${messageOf(cause)}`,
    {
      cause,
      fix: 'Name a file that `sluice export` made.',
    },
  );
}
