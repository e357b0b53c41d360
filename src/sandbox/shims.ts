/**
 * A folder for the front of PATH, with a script for each program of which some use is blocked or must be confirmed; and,
 * in a sandbox, the mounts that put the same scripts in the place of the real programs, for calls by their full path.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { SandboxConfig } from '../config/config.ts';
import type { Mount } from './mounts.ts';
import { realPath } from './real-path.ts';
import { type ShimRule, shimScript } from './shim-script.ts';

export interface Shims {
  readonly dir: string;
  readonly mounts: readonly Mount[];
}

/** Programs that are there under more than one name. */
const alsoCalled: Readonly<Record<string, RegExp>> = { pip: /^pip3(\.\d+)?$/, mkfs: /^mkfs\..+$/ };
/** In a sandbox these can do nothing under any path: no rights, no disks, no way to the service manager. */
const powerless = new Set([
  'sudo',
  'su',
  'mkfs',
  'fdisk',
  'shutdown',
  'reboot',
  'halt',
  'poweroff',
  'mount',
  'umount',
]);
const adminFolders = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];
const lookAgainMs = 30_000;

export class ShimFolders {
  readonly #base: string;
  readonly #now: () => number;
  readonly #known = new Map<string, { readonly shims: Shims; readonly until: number }>();

  /** Empties what an earlier daemon left in `stateDir`. */
  constructor(stateDir: string, now: () => number) {
    this.#base = join(stateDir, 'shims');
    this.#now = now;
    rmSync(this.#base, { recursive: true, force: true });
  }

  /**
   * @param path PATH of the command.
   * @returns undefined when the agent may run everything.
   */
  of(sandbox: SandboxConfig, path: string): Shims | undefined {
    if (sandbox.mode === 'off') return undefined;
    const rules: ShimRule[] = [
      ...sandbox.blocked.map((words) => ({ verdict: 'blocked', words }) as const),
      ...sandbox.confirm.map((words) => ({ verdict: 'confirm', words }) as const),
    ];
    if (rules.length === 0) return undefined;
    const key = JSON.stringify([rules, path]);
    const known = this.#known.get(key);
    // What is gone (somebody removed the state folder) is made again: an attempt must not fail for want of it.
    if (known !== undefined && this.#now() < known.until && existsSync(known.shims.dir)) return known.shims;
    const folders = [...path.split(':').filter((folder) => isAbsolute(folder)), ...adminFolders];
    const shims = this.#make(rules, [...new Set(folders.flatMap((folder) => realPath(folder)?.path ?? []))]);
    this.#known.set(key, { shims, until: this.#now() + lookAgainMs });
    return shims;
  }

  #make(rules: readonly ShimRule[], folders: readonly string[]): Shims {
    const programs = new Map<string, ShimRule[]>();
    const namesThere = [...new Set(folders.flatMap(namesIn))];
    for (const rule of rules) {
      const name = (rule.words[0] ?? '').split('/').at(-1) ?? '';
      if (name === '') continue;
      const others = alsoCalled[name];
      const names = others === undefined ? [] : namesThere.filter((one) => others.test(one));
      for (const one of [name, ...names]) programs.set(one, [...(programs.get(one) ?? []), rule]);
    }
    const dir = this.#write(programs);
    const mounts: Mount[] = [];
    for (const [name, own] of programs) {
      if (powerless.has(name) || !rules.some(({ words }) => words[0]?.endsWith(name))) continue;
      const real = folders.map((folder) => join(folder, name)).filter(isMovable);
      const first = folders.map((folder) => join(folder, name)).find(existsSync);
      for (const path of real) mounts.push({ kind: 'replaced', path, by: join(dir, name) });
      // Where every use is blocked the program itself is needed no more.
      const isNeeded = own.every(({ words, verdict }) => words.length > 1 || verdict === 'confirm');
      if (isNeeded && first !== undefined && real.includes(first))
        mounts.push({ kind: 'replaced', path: join(dir, 'real', name), by: first });
    }
    return { dir, mounts };
  }

  #write(programs: ReadonlyMap<string, readonly ShimRule[]>): string {
    const content = JSON.stringify([...programs]);
    const dir = join(this.#base, createHash('sha256').update(content).digest('hex').slice(0, 16));
    if (existsSync(dir)) return dir;
    const fresh = `${dir}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(join(fresh, 'real'), { recursive: true });
    for (const [name, rules] of programs) {
      writeFileSync(join(fresh, name), shimScript(name, dir, rules));
      chmodSync(join(fresh, name), 0o755);
      // A place to mount the real program on; empty and not executable where there is no sandbox.
      writeFileSync(join(fresh, 'real', name), '');
    }
    renameSync(fresh, dir);
    return dir;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Only compiled programs can be called under another path: a script looks for its parts beside itself. And only plain
 * files: what is mounted on a link lands on what it points to, which may be another program too.
 */
function isMovable(file: string): boolean {
  try {
    if (!lstatSync(file).isFile()) return false;
    const fd = openSync(file, 'r');
    const magic = Buffer.alloc(4);
    readSync(fd, magic, 0, 4, 0);
    closeSync(fd);
    return magic.toString('latin1') === '\u007fELF';
  } catch {
    return false;
  }
}
