/**
 * `sluice export`: everything that is needed to go on elsewhere, in one tar file, made while work goes on. The ledger is
 * copied first, so that whatever it speaks of is found by what is read after it. The manifest with the checksums comes
 * last: an archive without one is not whole. Under its final name the file appears when it is on disk, or not at all.
 */
import { createHash } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { type FileHandle, lstat, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Header, Pax } from 'tar';
import type { LoadedConfig } from '../config/load.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { AppError, messageOf, systemCode } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';
import {
  type ExportFile,
  type ExportLink,
  type ExportManifest,
  exportFiles,
  manifestName,
  withinProject,
} from './export-files.ts';

export interface ExportReport {
  readonly file: string;
  readonly files: number;
  /** Before compression. */
  readonly bytes: number;
  /** The output folder lies outside of the project and was left out. */
  readonly without_results: boolean;
}

export interface ExportOptions {
  readonly loaded: Pick<LoadedConfig, 'config' | 'files'>;
  /** Absent: the project has none yet. */
  readonly ledger?: Pick<Ledger, 'copyTo'>;
  /** Of this program. */
  readonly version: string;
  /** Must not exist. `.gz` and `.tgz` are compressed. */
  readonly file: string;
}

const PIECE_BYTES = 1 << 20;
const BLOCK = 512;

/** @throws AppError USAGE when the file exists or lies where it would hold itself; OUTPUT_UNWRITABLE, DISK_FULL. */
export async function exportProject({
  loaded,
  ledger,
  version,
  file: named,
}: ExportOptions): Promise<ExportReport> {
  const { config } = loaded;
  const file = resolve(named);
  await refusePlace(file, [config.stateDir, config.output.dir]);
  // Watched folders leave names alone that end like this.
  const part = `${file}.part`;
  const folder = ledger && (await mkdtemp(join(config.stateDir, 'export-')));
  const totals = { files: 0, bytes: 0 };
  const outputDir = withinProject(config.projectDir, config.output.dir);
  try {
    const copy = folder && join(folder, 'ledger.db');
    if (ledger && copy) await ledger.copyTo(copy);
    const archive = tarOf(loaded, copy, { version, outputDir: outputDir ?? null }, totals);
    const out = createWriteStream(part, { flags: 'w', mode: 0o600, flush: true });
    const source = Readable.from(archive, { objectMode: false });
    if (/\.t?gz$/.test(file)) await pipeline(source, createGzip(), out);
    else await pipeline(source, out);
    await rename(part, file);
    await syncFolder(dirname(file));
  } catch (error) {
    await rm(part, { force: true });
    throw error instanceof AppError ? error : unwritable(file, error);
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
  return { file, ...totals, without_results: outputDir === undefined };
}

async function* tarOf(
  { config, files }: ExportOptions['loaded'],
  ledgerCopy: string | undefined,
  { version, outputDir }: { version: string; outputDir: string | null },
  totals: { files: number; bytes: number },
): AsyncGenerator<Buffer> {
  const done: ExportManifest['files'][number][] = [];
  const links: ExportLink[] = [];
  const add = async function* (entry: ExportFile): AsyncGenerator<Buffer> {
    const known = yield* fileEntry(entry);
    if (!known) return;
    done.push(known);
    totals.files += 1;
    totals.bytes += known.bytes;
  };
  if (ledgerCopy !== undefined) yield* add({ name: 'state/ledger.db', path: ledgerCopy });
  for await (const entry of exportFiles(config, files)) {
    if ('target' in entry) links.push(entry);
    else yield* add(entry);
  }
  const manifest: ExportManifest = {
    schema: 1,
    sluice: version,
    created_at: new Date().toISOString(),
    config_file: withinProject(config.projectDir, config.file) ?? '',
    output_dir: outputDir,
    files: done,
    links,
  };
  const text = Buffer.from(JSON.stringify(manifest));
  yield header(manifestName, text.length, new Date());
  yield text;
  yield padding(text.length);
  yield Buffer.alloc(2 * BLOCK);
}

/** @returns what was written; undefined when the file was gone before it could be opened. */
async function* fileEntry({
  name,
  path,
}: ExportFile): AsyncGenerator<Buffer, ExportManifest['files'][number] | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(fsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ELOOP') return undefined;
    throw error;
  }
  await using source = handle;
  // Results are replaced by rename: what is open stays as it is.
  const { size, mtime, mode } = await source.stat();
  const hash = createHash('sha256');
  yield header(name, size, mtime, mode);
  for (let at = 0; at < size; ) {
    const { bytesRead, buffer } = await source.read(
      Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - at)),
      0,
      null,
      at,
    );
    if (bytesRead === 0)
      throw new AppError('NOT_POSSIBLE', `"${path}" was cut short while it was being exported`, {
        fix: 'Run `sluice export` again when nobody writes to it.',
      });
    const piece = buffer.subarray(0, bytesRead);
    hash.update(piece);
    at += bytesRead;
    yield piece;
  }
  yield padding(size);
  return { name, bytes: size, sha256: hash.digest('hex') };
}

/** Names that do not fit the old form stand in a block of their own before it. */
function header(path: string, size: number, mtime: Date, mode = 0o600): Buffer {
  const head = new Header({ path, size, mtime, mode: mode & 0o777, type: 'File', uid: 0, gid: 0 });
  const block = Buffer.alloc(BLOCK);
  const needsPax = head.encode(block) || Buffer.byteLength(path) > 99;
  return needsPax ? Buffer.concat([new Pax({ path, size, mtime }).encode(), block]) : block;
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

async function refusePlace(file: string, ours: readonly string[]): Promise<void> {
  if ((await lstat(file).catch(() => undefined)) !== undefined)
    throw new AppError('USAGE', `"${file}" exists already`, { fix: 'Name a file that does not exist yet.' });
  if (ours.some((dir) => withinProject(dir, file) !== undefined))
    throw new AppError('USAGE', `"${file}" would hold itself: its folder is exported`, {
      fix: 'Name a file outside of `.sluice/` and the output folder.',
    });
}

async function syncFolder(dir: string): Promise<void> {
  await using handle = await open(dir, 'r');
  await handle.sync().catch(() => {});
}

function unwritable(file: string, cause: unknown): AppError {
  const isFull = systemCode(cause) === 'ENOSPC' || systemCode(cause) === 'EDQUOT';
  return new AppError(
    isFull ? 'DISK_FULL' : 'OUTPUT_UNWRITABLE',
    `Cannot export to "${file}": ${messageOf(cause)}`,
    {
      cause,
      fix: isFull
        ? 'Make space, or name a file on another disk.'
        : 'Name a file in a folder that exists and can be written.',
    },
  );
}
