/**
 * Whether bubblewrap works here, found out by using it: versions and kernel settings say little about what a container, a
 * security module or a service manager forbids.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { pathToBytes } from '../types/path-bytes.ts';
import { bwrapPrefix } from './bwrap.ts';
import type { Mount } from './mounts.ts';
import { missingRemedy, type Remedy, refusedRemedy } from './remedy.ts';

export interface Bwrap {
  readonly file: string;
  /** It can bound the size of an empty folder (0.7 and later). */
  readonly bounds: boolean;
}

export type Probed = { readonly bwrap: Bwrap } | { readonly problem: Remedy };

const probeMs = 10_000;
/** Where system tools lie, also when a service has a bare PATH. */
const systemFolders = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin'];

/** @param path Of the daemon: bubblewrap is looked for on it. */
export async function probeBwrap(path: string): Promise<Probed> {
  if (process.platform !== 'linux')
    return {
      problem: { message: 'bubblewrap is for Linux', fix: 'Write `sandbox: { mode: off, reason: … }`.' },
    };
  const file = findTool('bwrap', path);
  const program = findTool('true', path);
  if (file === undefined || program === undefined) return { problem: missingRemedy() };
  const help = await attempt([file, '--help']);
  const bwrap: Bwrap = { file, bounds: help.output.includes('--size') };
  const mounts: Mount[] = [
    { kind: 'system', path: '/dev' },
    { kind: 'system', path: '/proc' },
    { kind: 'empty', path: '/tmp', writable: true },
  ];
  const tried = await attempt([...bwrapPrefix({ bwrap: file, mounts, cwd: '/', network: 'none' }), program]);
  return tried.ok ? { bwrap } : { problem: refusedRemedy(tried.output) };
}

/** The first file of that name that can be run. */
export function findTool(name: string, path: string): string | undefined {
  const folders = [...path.split(':').filter((folder) => isAbsolute(folder)), ...systemFolders];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a command to its end, at most 10 s. Only for argument lists that are text. */
export function attempt(argv: readonly string[]): Promise<{ readonly ok: boolean; readonly output: string }> {
  const [file = '', ...args] = argv;
  if (argv.some((word) => !pathToBytes(word).equals(Buffer.from(word))))
    return Promise.resolve({ ok: true, output: '' });
  return new Promise((done) => {
    const options = { timeout: probeMs, env: { PATH: systemFolders.join(':') }, encoding: 'utf8' } as const;
    execFile(file, args, options, (error, stdout, stderr) => {
      done({ ok: error === null, output: stdout + stderr });
    });
  });
}
