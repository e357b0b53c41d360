/**
 * Decides what of one root is an input at all: built-in patterns, then the root's own, then each `.sluiceignore` from the
 * root down; the deepest that speaks about a path decides, as in git. Ignored folders are never entered, so nothing below
 * them can be taken back. Folders of other roots, our state and our results are barred whatever the patterns say.
 */
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RootConfig } from '../config/config.ts';
import { fsPath } from '../types/path-bytes.ts';
import { IgnoreRules, parseIgnoreFile, type Verdict } from './ignore-rules.ts';
import { isMarker } from './ready-marker.ts';

export const ignoreFileName = '.sluiceignore';
const maxIgnoreFileBytes = 1024 * 1024;

export class IgnoreTree {
  readonly #dir: string;
  readonly #ready: string | undefined;
  readonly #defaults: IgnoreRules;
  readonly #own: IgnoreRules;
  readonly #files = new Map<string, { readonly rules: IgnoreRules; readonly stamp: string }>();
  #barred: ReadonlySet<string>;

  /**
   * @param dir The root's folder, absolute, without symbolic links.
   * @param barred Absolute folders that are never entered.
   */
  constructor(o: { root: RootConfig; dir: string; barred: ReadonlySet<string>; label?: string }) {
    this.#dir = o.dir;
    this.#ready = o.root.ready;
    this.#barred = o.barred;
    this.#defaults = new IgnoreRules(o.root.defaultIgnore.map((pattern) => ({ pattern, source: 'default' })));
    const source = o.label ?? `watch.ignore of ${o.root.name}`;
    this.#own = new IgnoreRules(o.root.ignore.map((pattern) => ({ pattern, source })));
  }

  get barred(): ReadonlySet<string> {
    return this.#barred;
  }

  set barred(barred: ReadonlySet<string>) {
    this.#barred = barred;
  }

  /**
   * Reads a folder's `.sluiceignore` again if it changed.
   * @param files The folder's files, if they were just read: saves looking for one that is not there.
   * @returns true when other rules hold from now on.
   */
  load(folder: string, files?: readonly string[]): boolean {
    if (files !== undefined && !files.includes(ignoreFileName) && !this.#files.has(folder)) return false;
    const file = join(this.#dir, folder, ignoreFileName);
    const before = this.#files.get(folder);
    try {
      const stats = lstatSync(fsPath(file), { bigint: true });
      if (!stats.isFile() || stats.size > maxIgnoreFileBytes) return this.#files.delete(folder);
      const stamp = `${stats.ino}-${stats.size}-${stats.mtimeNs}`;
      if (before?.stamp === stamp) return false;
      const lines = parseIgnoreFile(readFileSync(fsPath(file), 'utf8'), file);
      const rules = new IgnoreRules(lines);
      this.#files.set(folder, { rules, stamp });
      return before?.rules.version !== rules.version;
    } catch {
      return this.#files.delete(folder);
    }
  }

  /** Text that changes when other rules hold for what stands directly in `folder`. */
  version(folder: string): string {
    let version = `${this.#defaults.version}${this.#own.version}${this.#ready ?? ''}`;
    if (this.#files.size > 0)
      for (const level of levels(folder)) version += this.#files.get(level)?.rules.version ?? '';
    return version;
  }

  ignoresFile(folder: string, name: string): boolean {
    if (this.#ready !== undefined && isMarker(this.#ready, name)) return true;
    return this.#judge(folder, name, '').ignored;
  }

  ignoresFolder(folder: string, name: string): boolean {
    return this.bars(folder === '' ? name : `${folder}/${name}`) || this.#judge(folder, name, '/').ignored;
  }

  /** Neither the folder nor one above it is ignored. */
  entersFolder(folder: string): boolean {
    return levels(folder).every((level) => {
      const cut = level.lastIndexOf('/');
      return level === '' || !this.ignoresFolder(level.slice(0, Math.max(0, cut)), level.slice(cut + 1));
    });
  }

  bars(folder: string): boolean {
    return this.#barred.has(folder === '' ? this.#dir : `${this.#dir}/${folder}`);
  }

  /** The pattern that speaks last about one path, without regard to the folders above it. */
  verdict(folder: string, name: string, isFolder: boolean): Verdict {
    return this.#judge(folder, name, isFolder ? '/' : '');
  }

  #judge(folder: string, name: string, slash: '' | '/'): Verdict {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (this.#files.size > 0) {
      for (const level of levels(folder).reverse()) {
        const verdict = this.#files
          .get(level)
          ?.rules.test((level === '' ? path : path.slice(level.length + 1)) + slash);
        if (verdict !== undefined) return verdict;
      }
    }
    return this.#own.test(path + slash) ?? this.#defaults.test(path + slash) ?? { ignored: false };
  }
}

/** `''`, `a`, `a/b` for `a/b`. */
export function levels(folder: string): string[] {
  const found = [''];
  for (let at = folder.indexOf('/'); at >= 0; at = folder.indexOf('/', at + 1))
    found.push(folder.slice(0, at));
  if (folder !== '') found.push(folder);
  return found;
}
