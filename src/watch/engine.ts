/**
 * Joins the parts inside the worker: sources give hints, the settle stage decides, keepers sweep. Everything that knows
 * about threads and messages stays outside (`worker.ts`).
 */
import type { RootConfig } from '../config/config.ts';
import type { Change } from '../types/change.ts';
import type { Condition } from '../types/condition.ts';
import type { ErrorCode } from '../types/error-codes.ts';
import { readFolder } from './folder-listing.ts';
import { FolderRows } from './folder-rows.ts';
import { realPath } from './ignore.ts';
import { IgnoreTree, ignoreFileName } from './ignore-tree.ts';
import { Memory } from './memory.ts';
import { chooseMode } from './mode.ts';
import { mountOf } from './mount.ts';
import { NewFolders } from './new-folders.ts';
import { Outbox } from './outbox.ts';
import { isMarker, releasedBy } from './ready-marker.ts';
import { RootKeeper } from './root-keeper.ts';
import { Settle } from './settle.ts';
import type { HintKind, Hints } from './source.ts';
import type { SourceFactory } from './source-factory.ts';
import { absolutePath, type WatchedRoot } from './watched-root.ts';
import type { RootStatus } from './watcher.ts';

export interface EngineOptions {
  readonly excluded: readonly string[];
  readonly stateDir: string;
  readonly ledgerId: string;
  readonly sources: SourceFactory;
  readonly ask: (root: string, folders: readonly string[]) => Promise<readonly ReadonlyMap<string, string>[]>;
  readonly post: (changes: readonly Change[]) => void;
  readonly raise: (condition: Omit<Condition, 'since'>) => void;
  readonly clear: (code: ErrorCode, subject: string) => void;
  /** The status may be another one. */
  readonly onChange: () => void;
}

export class Engine implements AsyncDisposable {
  readonly #o: EngineOptions;
  readonly #rows: FolderRows;
  readonly #memory: Memory;
  readonly #outbox: Outbox;
  readonly #settle: Settle;
  readonly #newFolders: NewFolders;
  readonly #hints: Hints;
  readonly #keepers = new Map<string, RootKeeper>();

  constructor(options: EngineOptions) {
    this.#o = options;
    this.#rows = new FolderRows(options.stateDir, options.ledgerId);
    this.#memory = new Memory(this.#rows);
    this.#outbox = new Outbox({ post: options.post, onRoom: () => this.#settle.tick() });
    const lost = (root: WatchedRoot) => this.#keepers.get(root.config.name)?.lost();
    this.#settle = new Settle({
      inspector: options.sources.inspector,
      memory: this.#memory,
      outbox: this.#outbox,
      lost,
      onChange: options.onChange,
    });
    this.#newFolders = new NewFolders({
      inspector: options.sources.inspector,
      settle: this.#settle,
      outbox: this.#outbox,
      lost,
    });
    this.#hints = {
      file: (root, folder, name, kind) => this.#fileHint(root, folder, name, kind),
      folderIn: (root, folder) => {
        const cut = folder.lastIndexOf('/');
        if (root.ignores.ignoresFolder(folder.slice(0, Math.max(0, cut)), folder.slice(cut + 1))) return;
        this.#newFolders.add(root, folder);
      },
      folderGone: (root, folder) => this.#keepers.get(root.config.name)?.folderGone(folder),
      lost: (source, root) => {
        for (const keeper of this.#keepers.values())
          if (keeper.root.source === source && (root === undefined || keeper.root === root)) keeper.lost();
      },
      rootGone: (root) => this.#keepers.get(root.config.name)?.check(),
      flush: () => {
        this.#settle.tick();
        options.onChange();
      },
    };
  }

  /** Every root is watched that can be. */
  async watching(): Promise<void> {
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.watching));
  }

  async swept(): Promise<void> {
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.swept));
  }

  /** Takes roots up and gives others back; those that stay as they are go on. Resolves when the new ones are watched. */
  async update(configs: readonly RootConfig[]): Promise<void> {
    const wanted = new Map(configs.map((config) => [config.name, config]));
    for (const [name, keeper] of this.#keepers) {
      const config = wanted.get(name);
      if (config !== undefined && sameFolder(config, keeper.root.config)) {
        keeper.root.config = config;
        continue;
      }
      await this.#drop(keeper);
      if (config === undefined) this.#rows.deleteRoot(name);
    }
    for (const config of configs) {
      if (!this.#keepers.has(config.name)) this.#keepers.set(config.name, this.#keep(config));
    }
    const dirs = configs.map((config) => config.dir).sort();
    for (const keeper of this.#keepers.values()) {
      const before = keeper.root.ignores.barred;
      const barred = this.#barred(keeper.root.config, dirs);
      keeper.root.ignores.barred = barred;
      if (barred.symmetricDifference(before).size > 0) keeper.lost();
    }
    this.#o.onChange();
    await this.watching();
  }

  async sweep(root?: string): Promise<void> {
    const keepers = [...this.#keepers.values()].filter(
      (keeper) => root === undefined || keeper.root.config.name === root,
    );
    await Promise.all(keepers.map((keeper) => keeper.sweep()));
  }

  /** The consumer has taken a batch. */
  acked(): void {
    this.#outbox.acked();
  }

  status(): RootStatus[] {
    return [...this.#keepers.values()].map(({ root }) => ({
      name: root.config.name,
      dir: root.config.dir,
      state: root.state,
      mode: root.mode,
      ...(root.reason === undefined ? {} : { reason: root.reason }),
      folders: root.folders,
      files: root.files,
      settling: this.#settle.settling(root),
      ...(root.lastSweepAt === undefined ? {} : { lastSweepAt: root.lastSweepAt }),
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#outbox.close();
    this.#settle.close();
    this.#newFolders.close();
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.close()));
    await this.#o.sources[Symbol.asyncDispose]();
    this.#rows.close();
  }

  #fileHint(root: WatchedRoot, folder: string, name: string, kind: HintKind): void {
    if (name === ignoreFileName && root.ignores.load(folder)) this.#keepers.get(root.config.name)?.lost();
    const { ready } = root.config;
    if (ready !== undefined && isMarker(ready, name)) {
      if (kind !== 'gone') this.#release(root, folder, name, ready);
      return;
    }
    if (root.ignores.ignoresFile(folder, name)) return;
    this.#settle.hint(root, folder, name, kind, performance.now());
  }

  /** A marker has come: the files that waited for it were let go of, and are looked for again. */
  #release(root: WatchedRoot, folder: string, marker: string, ready: string): void {
    let names: readonly string[] = [];
    try {
      names = readFolder(absolutePath(root, folder)).files;
    } catch {
      // The folder has gone: nothing to release.
    }
    for (const name of releasedBy(ready, marker, names))
      if (!root.ignores.ignoresFile(folder, name))
        this.#settle.found(root, folder, name, 'event', performance.now());
  }

  #keep(config: RootConfig): RootKeeper {
    const dir = realPath(config.dir);
    const { sources } = this.#o;
    const root: WatchedRoot = {
      config,
      dir,
      ignores: new IgnoreTree({ root: config, dir, barred: new Set() }),
      source: sources.poll,
      mode: 'poll',
      state: 'starting',
      remote: false,
      folderTimes: new Map(),
      folders: 0,
      files: 0,
      lastSweepMs: 0,
      unwatched: new Set(),
      closed: false,
    };
    return new RootKeeper({
      root,
      parts: {
        inspector: sources.inspector,
        rows: this.#rows,
        memory: this.#memory,
        settle: this.#settle,
        outbox: this.#outbox,
        ask: this.#o.ask,
      },
      raise: this.#o.raise,
      clear: this.#o.clear,
      takeUp: (_, found) => this.#takeUp(root, found),
      onNewFolder: (_, folder) => this.#newFolders.add(root, folder),
      onChange: this.#o.onChange,
    });
  }

  /** The root's folder is there, or another one stands in its place: everything that depends on the folder is made anew. */
  async #takeUp(root: WatchedRoot, dir: string): Promise<void> {
    const { sources } = this.#o;
    const { config } = root;
    await root.source.close(root);
    this.#settle.forget(root);
    const barred = root.ignores.barred;
    root.dir = dir;
    root.ignores = new IgnoreTree({ root: config, dir, barred });
    root.unwatched.clear();
    const mount = mountOf(dir);
    root.remote = mount?.remote ?? false;
    const asked = chooseMode(config.mode, mount, sources.nativeMissing);
    const chosen =
      asked.mode === 'portable' && sources.isExhausted ? { ...asked, mode: 'poll' as const } : asked;
    root.mode = chosen.mode;
    if (chosen.reason === undefined) delete root.reason;
    else root.reason = chosen.reason;
    if (chosen.isFallback) {
      this.#o.raise({
        code: 'WATCH_FALLBACK',
        subject: config.name,
        message: `Root "${config.name}" is watched in mode ${chosen.mode}, not ${config.mode}: ${chosen.reason ?? 'unknown'}`,
        fix: 'Write `mode: auto` for this root, or remove the reason (`sluice doctor` checks the machine).',
      });
    } else this.#o.clear('WATCH_FALLBACK', config.name);
    root.source = sources.get(chosen.mode, this.#hints);
    if (root.source === sources.poll && chosen.mode !== 'poll') {
      root.mode = 'poll';
      root.reason = 'no inotify instance is left (fs.inotify.max_user_instances)';
    }
    await root.source.open(root);
  }

  async #drop(keeper: RootKeeper): Promise<void> {
    const { root } = keeper;
    this.#keepers.delete(root.config.name);
    await keeper.close();
    await root.source.close(root);
    this.#settle.forget(root);
    for (const code of rootConditions) this.#o.clear(code, root.config.name);
  }

  #barred(config: RootConfig, dirs: readonly string[]): ReadonlySet<string> {
    const others = [...this.#o.excluded, ...dirs.filter((dir) => dir !== config.dir)];
    return new Set(others.flatMap((dir) => [dir, realPath(dir)]));
  }
}

const rootConditions: readonly ErrorCode[] = [
  'ROOT_MISSING',
  'ROOT_UNREADABLE',
  'WATCH_LIMIT',
  'WATCH_FALLBACK',
];

/** Do both watch the same files the same way? Then the change needs no new start. */
function sameFolder(a: RootConfig, b: RootConfig): boolean {
  const relevant = ({ dir, mode, ignore, defaultIgnore, ready }: RootConfig) =>
    JSON.stringify([dir, mode, ignore, defaultIgnore, ready]);
  return relevant(a) === relevant(b);
}
