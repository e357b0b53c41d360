/**
 * `sluice import`: an export becomes a project again. First all of it is read into a folder of its own and verified; only
 * then is anything put in place, by renames, the ledger last. Nothing that stood there is deleted: with `replace` it goes
 * to `.sluice/replaced-…/`.
 */
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { lockProject } from '../ledger/lock.ts';
import { hasLedger, openSqliteLedger } from '../ledger/sqlite/open.ts';
import { AppError, systemCode } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';
import { type ExportManifest, withinProject } from './export-files.ts';
import { readArchive } from './import-archive.ts';

export interface ImportReport {
  readonly project: string;
  readonly config_file: string;
  readonly files: number;
  readonly exported_at: string;
  /** Where things are that stood in the way. */
  readonly set_aside?: string;
}

export interface ImportOptions {
  readonly file: string;
  /** Made when it is not there. */
  readonly projectDir: string;
  readonly replace: boolean;
  readonly now: number;
}

/** Held by whoever works on the project, us included. */
const locks = /^daemon\.(lock\.db.*|json)$/;

/** @throws AppError NOT_POSSIBLE when there is something that would be replaced, or the archive is not whole; PROJECT_LOCKED. */
export async function importProject({
  file,
  projectDir,
  replace,
  now,
}: ImportOptions): Promise<ImportReport> {
  mkdirSync(projectDir, { recursive: true });
  const stateDir = join(projectDir, '.sluice');
  using _lock = lockProject(stateDir, 'import');
  if (hasLedger(stateDir) && !replace) throw occupied(`${projectDir} has a ledger already`);
  const staging = await mkdtemp(join(stateDir, 'import-'));
  try {
    const manifest = await readArchive(file, staging);
    await checkLedger(join(staging, 'state'));
    const aside = join(stateDir, `replaced-${new Date(now).toISOString().replaceAll(':', '-')}`);
    place({ staging, projectDir, stateDir, manifest, replace, aside });
    return {
      project: projectDir,
      config_file: manifest.config_file,
      files: manifest.files.length,
      exported_at: manifest.created_at,
      ...(existsSync(aside) && { set_aside: aside }),
    };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** One that is damaged, or newer than this program, must not take the place of another. */
async function checkLedger(dir: string): Promise<void> {
  if (!hasLedger(dir)) return;
  const { ledger, setAside } = openSqliteLedger({ stateDir: dir, verify: true });
  await ledger[Symbol.asyncDispose]();
  if (setAside !== undefined)
    throw new AppError('LEDGER_DAMAGED', 'The ledger in the export is damaged', {
      fix: 'Use another export. Nothing was imported.',
    });
}

interface Placing {
  readonly staging: string;
  readonly projectDir: string;
  readonly stateDir: string;
  readonly manifest: ExportManifest;
  readonly replace: boolean;
  readonly aside: string;
}

function place({ staging, projectDir, stateDir, manifest, replace, aside }: Placing): void {
  const moves: { from: string; to: string }[] = manifest.files.flatMap(({ name }) =>
    name.startsWith('project/')
      ? [{ from: join(staging, name), to: join(projectDir, name.slice('project/'.length)) }]
      : [],
  );
  if (manifest.output_dir !== null && existsSync(join(staging, 'results')))
    moves.push({ from: join(staging, 'results'), to: join(projectDir, manifest.output_dir) });
  for (const { to } of moves) requireInside(projectDir, to);
  const taken = moves.filter(({ to }) => isTaken(to));
  if (!replace && taken.length > 0)
    throw occupied(`${taken.map(({ to }) => relative(projectDir, to)).join(', ')} exist already`);

  const setAside = (path: string): void => {
    const to = join(aside, relative(projectDir, path));
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    move(path, to);
  };
  if (replace) {
    for (const name of readdirSync(stateDir))
      if (!locks.test(name) && !name.startsWith('import-') && !name.startsWith('replaced-'))
        setAside(join(stateDir, name));
  }
  for (const { from, to } of moves) {
    if (isTaken(to)) setAside(to);
    mkdirSync(dirname(to), { recursive: true });
    // An empty folder that waits for results.
    if (lstatSync(to, { throwIfNoEntry: false })?.isDirectory()) rmSync(to, { recursive: true });
    move(from, to);
  }
  for (const { name, target } of manifest.links) {
    const link = join(staging, name);
    mkdirSync(dirname(link), { recursive: true, mode: 0o700 });
    if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(target, link);
  }
  // Of a ledger that is gone: they would be taken for the new one's.
  for (const end of ['-wal', '-shm']) rmSync(join(stateDir, `ledger.db${end}`), { force: true });
  for (const name of ['history', 'undo', 'ledger.db']) {
    const from = join(staging, 'state', name);
    if (existsSync(from)) {
      rmSync(join(stateDir, name), { recursive: true, force: true });
      move(from, join(stateDir, name));
    }
  }
}

function isTaken(path: string): boolean {
  const stat = lstatSync(fsPath(path), { throwIfNoEntry: false });
  if (!stat) return false;
  return !stat.isDirectory() || readdirSync(fsPath(path)).length > 0;
}

/** A folder on the way may be a link to somewhere else. */
function requireInside(projectDir: string, path: string): void {
  let folder = dirname(path);
  while (!lstatSync(folder, { throwIfNoEntry: false })) folder = dirname(folder);
  const [real, base] = [realpathSync(folder), realpathSync(projectDir)];
  if (real !== base && withinProject(base, real) === undefined)
    throw new AppError('NOT_POSSIBLE', `"${path}" leads out of the project folder: "${folder}" is a link`, {
      fix: 'Import into an empty folder.',
    });
}

function move(from: string, to: string): void {
  try {
    renameSync(fsPath(from), fsPath(to));
  } catch (error) {
    if (systemCode(error) !== 'EXDEV') throw error;
    cpSync(from, to, { recursive: true, preserveTimestamps: true });
    rmSync(from, { recursive: true, force: true });
  }
}

function occupied(what: string): AppError {
  return new AppError('NOT_POSSIBLE', `Nothing was imported: ${what}`, {
    fix: 'Import into an empty folder, or use `--replace`: what is there is kept in `.sluice/replaced-…/`.',
  });
}
