/** What the tests of bad input share: who is left of a project's processes, and how its files ended. */
import { execFileSync, spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
} from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { FileView } from '../../src/operations/file-view.ts';
import type { Receipt } from '../../src/types/receipt.ts';
import { type Project, until } from '../daemon/project.ts';

/** Pids of helpers and agents of a project, found by what their environment says, wherever they hide. Linux only. */
export function processesOf({ dir }: Pick<Project, 'dir'>): number[] {
  const tag = hash('sha256', join(dir, '.sluice'), 'hex').slice(0, 16);
  const found: number[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      const environ = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      if (environ.includes(`SLUICE_PROJECT=${tag}`) || environ.includes(`SLUICE_SPAWNER=${tag}`))
        found.push(Number(pid));
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
  return found;
}

/** What the ledger says of every file, by path. */
export async function filesOf({ client }: Pick<Project, 'client'>): Promise<Map<string, FileView>> {
  const { files } = await client.get<{ files: FileView[] }>('/api/files', { limit: 1_000_000 });
  return new Map(files.map((file) => [file.path, file]));
}

export async function jobsOf(
  { client }: Pick<Project, 'client'>,
  query: Record<string, string> = {},
): Promise<Receipt[]> {
  const { jobs } = await client.get<{ jobs: Receipt[] }>('/api/jobs', { limit: 1_000_000, ...query });
  return jobs;
}

/** Waits until so many files are known and each has ended in a disposition. */
export async function ended(
  project: Project,
  count: number,
  deadlineMs = 60_000,
): Promise<Map<string, FileView>> {
  let files = new Map<string, FileView>();
  await until(
    `each of ${count} files has a disposition`,
    async () => {
      const { files: counts } = await project.status();
      if (Object.values(counts).reduce((sum, n) => sum + n, 0) < count) return false;
      files = await filesOf(project);
      return [...files.values()].filter(({ disposition }) => disposition !== undefined).length >= count;
    },
    deadlineMs,
  );
  return files;
}

export const sha256 = (content: string | Uint8Array): string => hash('sha256', content, 'hex');

/** Every receipt below the output folder. Inputs, and outputs of agents, can have that name too. */
export function receiptFiles({ dir }: Pick<Project, 'dir'>): string[] {
  const folder = join(dir, 'processed/files');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name === 'receipt.json' && entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file, 'utf8').startsWith('{'));
}

export function allReceipts(project: Pick<Project, 'dir'>): Receipt[] {
  return receiptFiles(project).map((file) => JSON.parse(readFileSync(file, 'utf8')) as Receipt);
}

/** Options of a project whose daemons have a clock that the test sets. */
export const withClock = { env: { NODE_OPTIONS: `--import ${join(import.meta.dirname, 'clock.js')}` } };

/** @param offMs How far the clock of its daemons is ahead from now on. */
export function setClock(project: Pick<Project, 'dir' | 'write'>, offMs: number): void {
  renameSync(project.write('clock.next', String(offMs)), join(project.dir, 'clock'));
}

const dayMs = 86_400_000;

/** What is spent counts by UTC day: shortly before midnight its daemons take it for an hour earlier. */
export function stayWithinDay(project: Pick<Project, 'dir' | 'write'>): void {
  if (dayMs - (Date.now() % dayMs) < 600_000) setClock(project, -3_600_000);
}

const nobody = 65_534;

/** The words that make a command run as a user who may do little; or why that is not possible. */
export function asNobody(): { readonly wrapper: readonly string[] } | { readonly reason: string } {
  if (process.getuid?.() !== 0) return { wrapper: [] };
  const wrapper = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
  const launcher = realpathSync(join(import.meta.dirname, '../../bin/sluice.js'));
  const [command = '', ...rest] = [...wrapper, process.execPath, launcher, '--version'];
  const { status, error } = spawnSync(command, rest, { encoding: 'utf8' });
  return status === 0
    ? { wrapper }
    : { reason: `another user cannot run ${launcher}: ${error?.message ?? `exit ${status}`}` };
}

/** Gives a folder and all in it to that user. */
export function giveToNobody(dir: string): void {
  if (process.getuid?.() !== 0) return;
  chownSync(dir, nobody, nobody);
  execFileSync('chown', ['-R', `${nobody}:${nobody}`, dir]);
}

/** A file system of its own on `folder`, or why there is none. */
export function mountSmall(folder: string, size: string): { readonly reason: string } | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'sluice-test', folder], { stdio: 'pipe' });
  } catch (error) {
    return { reason: `no file system can be mounted here: ${String(error).split('\n', 1)}` };
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return undefined;
}

export function hasCommand(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
