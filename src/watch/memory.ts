/**
 * What was last handed over for a path: first what this process remembers (recent changes that the ledger has not
 * confirmed yet), then the folder's row. It keeps a closed but unchanged file, a second hint and the sweep from giving the
 * same version twice. The memory is bounded; what drops out of it is offered again at worst, and the ledger sees that it
 * knows the version.
 */
import { type FolderRow, type FolderRows, rowIndex } from './folder-rows.ts';
import { type StampWords, wordsPerStamp } from './stamp-words.ts';

const maxRecent = 50_000;
const maxFolders = 32;
/** A change that the ledger has not confirmed after this time is offered again. */
const offerAgainMs = 10 * 60_000;

type Recent = { readonly words: StampWords | undefined; readonly at: number };

export class Memory {
  readonly #rows: FolderRows;
  /** By folder, then by name. */
  readonly #recent = new Map<string, Map<string, Recent>>();
  #recentCount = 0;
  readonly #folders = new Map<
    string,
    { readonly row: FolderRow; readonly index: Map<string, number> } | undefined
  >();
  /** Folders with changes since their row was written. */
  readonly #touched = new Map<string, readonly [string, string]>();
  readonly #unmarked = new Map<string, readonly [string, string]>();

  constructor(rows: FolderRows) {
    this.#rows = rows;
  }

  /** @returns undefined when nothing was handed over for this path, or its removal was. */
  last(root: string, folder: string, name: string, now: number): StampWords | undefined {
    const recent = this.recent(root, folder, name, now);
    if (recent !== undefined) return recent === 'removed' ? undefined : recent;
    const known = this.#folder(root, folder);
    const at = known?.index.get(name);
    return known === undefined || at === undefined
      ? undefined
      : known.row.words.subarray(at, at + wordsPerStamp);
  }

  /** What this process handed over and the ledger has not confirmed yet. */
  recent(root: string, folder: string, name: string, now: number): StampWords | 'removed' | undefined {
    const recent = this.#recent.get(keyOf(root, folder))?.get(name);
    if (recent === undefined || now - recent.at > offerAgainMs) return undefined;
    return recent.words ?? 'removed';
  }

  /** A change was handed over; `words` undefined: the removal. */
  note(root: string, folder: string, name: string, words: StampWords | undefined, now: number): void {
    const folderKey = keyOf(root, folder);
    this.#forget(folderKey, name);
    const recent = this.#recent.get(folderKey) ?? new Map<string, Recent>();
    recent.set(name, { words: words?.slice(), at: now });
    this.#recent.set(folderKey, recent);
    if (++this.#recentCount > maxRecent) this.#forgetOldest();
    if (this.#touched.has(folderKey)) return;
    this.#touched.set(folderKey, [root, folder]);
    this.#unmarked.set(folderKey, [root, folder]);
  }

  /** Writes down which folders have changes under way, so that a restart asks about them. */
  flush(): void {
    if (this.#unmarked.size === 0) return;
    this.#rows.markStale(this.#unmarked.values());
    this.#unmarked.clear();
  }

  isTouched(root: string, folder: string): boolean {
    return this.#touched.has(keyOf(root, folder));
  }

  /** Names of files that this process handed over as present, and that the ledger has not confirmed yet. */
  unconfirmedIn(root: string, folder: string, now: number): string[] {
    const found: string[] = [];
    for (const [name, { words, at }] of this.#recent.get(keyOf(root, folder)) ?? [])
      if (words !== undefined && now - at <= offerAgainMs) found.push(name);
    return found;
  }

  /** Folders of a root whose changes the ledger has not been asked about yet. */
  touchedIn(root: string): string[] {
    return [...this.#touched.values()].filter(([name]) => name === root).map(([, folder]) => folder);
  }

  /** Call before the ledger is asked about a folder: changes noted from now on are not in its answer. */
  asking(root: string, folder: string): void {
    this.flush();
    this.#touched.delete(keyOf(root, folder));
  }

  /** The ledger knows this version. */
  confirm(root: string, folder: string, name: string): void {
    if (this.#recentCount > 0) this.#forget(keyOf(root, folder), name);
  }

  /** A row was written. */
  forgetFolder(root: string, folder: string): void {
    this.#folders.delete(keyOf(root, folder));
  }

  #forget(folderKey: string, name: string): void {
    const recent = this.#recent.get(folderKey);
    if (recent?.delete(name) !== true) return;
    this.#recentCount--;
    if (recent.size === 0) this.#recent.delete(folderKey);
  }

  #forgetOldest(): void {
    const [folderKey, recent] = this.#recent.entries().next().value as [string, Map<string, Recent>];
    this.#forget(folderKey, recent.keys().next().value as string);
  }

  #folder(
    root: string,
    folder: string,
  ): { readonly row: FolderRow; readonly index: Map<string, number> } | undefined {
    const key = keyOf(root, folder);
    let found = this.#folders.get(key);
    if (found === undefined && !this.#folders.has(key)) {
      const row = this.#rows.get(root, folder);
      found = row === undefined ? undefined : { row, index: rowIndex(row) };
      this.#folders.set(key, found);
      if (this.#folders.size > maxFolders) this.#folders.delete(this.#folders.keys().next().value as string);
    }
    return found;
  }
}

function keyOf(root: string, folder: string): string {
  return `${root}\0${folder}`;
}
