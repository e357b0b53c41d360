/** A real watcher on a real folder, with a ledger that is a map: for every test of this folder. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RootConfig } from '../../src/config/config.ts';
import { defaultIgnore } from '../../src/config/default-ignore.ts';
import { type Change, formatStamp } from '../../src/types/change.ts';
import type { Condition } from '../../src/types/condition.ts';
import { fsPath } from '../../src/types/path-bytes.ts';
import { startWatcher } from '../../src/watch/start.ts';
import type { Watcher } from '../../src/watch/watcher.ts';

export interface Seen {
  readonly type: Change['type'];
  readonly root: string;
  readonly path: string;
  /** Of the file when the change arrived. */
  readonly content: string | undefined;
  readonly change: Change;
}

export interface Rig extends AsyncDisposable {
  readonly base: string;
  /** The first root's folder. */
  readonly dir: string;
  readonly stateDir: string;
  readonly seen: readonly Seen[];
  readonly conditions: ReadonlyMap<string, Condition>;
  readonly ledger: Map<string, Map<string, string>>;
  readonly questions: { count: number };
  watcher: Watcher;
  of(path: string): readonly Seen[];
  /** Waits for something, and says what did not come. */
  until(what: string, check: () => boolean, withinMs?: number): Promise<void>;
  /** Everything that is under way has been judged. */
  settled(root?: string): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export function rootConfig(dir: string, overrides: Partial<RootConfig> = {}): RootConfig {
  return {
    name: basename(dir),
    dir,
    ignore: [],
    defaultIgnore,
    mode: 'native',
    settle: { kind: 'auto' },
    sweepMs: 600_000,
    initial: 'process',
    onChange: 'queue',
    on: new Set(['added', 'changed']),
    ...overrides,
  };
}

export function tempDir(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'sluice-watch-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * @param o.records False: nothing that arrives is recorded, as by a daemon that dies at once.
 * @param o.before Makes what is there before the watcher starts.
 */
export async function openRig(
  o: {
    root?: Partial<RootConfig>;
    roots?: (base: string) => readonly RootConfig[];
    excluded?: (base: string) => readonly string[];
    records?: boolean;
    before?: (dir: string, base: string) => void;
  } = {},
): Promise<Rig> {
  const temp = tempDir();
  const base = temp.path;
  const stateDir = join(base, 'state');
  const dir = join(base, 'in');
  mkdirSync(stateDir);
  mkdirSync(dir);
  o.before?.(dir, base);
  const roots = o.roots?.(base) ?? [rootConfig(dir, o.root)];
  const seen: Seen[] = [];
  const conditions = new Map<string, Condition>();
  const ledger = new Map<string, Map<string, string>>();
  const questions = { count: 0 };
  let consuming: Promise<void> = Promise.resolve();
  let stopping = new AbortController();

  const record = (change: Change) => {
    const root = roots.find(({ name }) => name === change.root);
    const content = change.type === 'removed' ? undefined : contentOf(join(root?.dir ?? dir, change.path));
    seen.push({ type: change.type, root: change.root, path: change.path, content, change });
    if (o.records === false) return;
    const key = `${change.root}:${folderOf(change.path)}`;
    const folder = ledger.get(key) ?? new Map<string, string>();
    ledger.set(key, folder);
    if (change.type === 'removed') folder.delete(basename(change.path));
    else folder.set(basename(change.path), formatStamp(change.stamp));
  };
  const start = async () => {
    const watcher = startWatcher({
      roots,
      excluded: o.excluded?.(base) ?? [],
      stateDir,
      ledgerId: 'test',
      known: async (root, folders) => {
        questions.count += folders.length;
        return folders.map((folder) => new Map(ledger.get(`${root}:${folder}`)));
      },
      conditions: {
        raise: (condition) =>
          conditions.set(`${condition.code} ${condition.subject}`, { ...condition, since: 0 }),
        clear: (code, subject = '') => conditions.delete(`${code} ${subject}`),
      },
    });
    stopping = new AbortController();
    const { signal } = stopping;
    consuming = (async () => {
      for await (const batch of watcher.changes(signal)) for (const change of batch) record(change);
    })();
    return watcher;
  };
  const rig: Rig = {
    base,
    dir,
    stateDir,
    seen,
    conditions,
    ledger,
    questions,
    watcher: await start(),
    of: (path) => seen.filter((one) => one.path === path),
    async until(what, check, withinMs = 60_000) {
      const deadline = performance.now() + withinMs;
      while (!check()) {
        if (performance.now() > deadline)
          throw new Error(`waited ${withinMs} ms for ${what}; seen ${seen.length}, last: ${lastOf(seen)}`);
        await delay(5);
      }
    },
    async settled(root) {
      for (let round = 0; round < 2; round++) {
        await rig.watcher.sweep(root);
        const calm = () =>
          rig.watcher.status().every((one) => one.settling === 0 || (root ?? one.name) !== one.name);
        await rig.until('nothing to be settling', calm);
      }
    },
    async restart() {
      await rig.stop();
      rig.watcher = await start();
    },
    async stop() {
      await rig.watcher[Symbol.asyncDispose]();
      stopping.abort();
      await consuming;
    },
    async [Symbol.asyncDispose]() {
      await rig.stop();
      temp[Symbol.dispose]();
    },
  };
  await rig.watcher.swept;
  return rig;
}

export function put(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(fsPath(path), 'utf8');
  } catch {
    return undefined;
  }
}

function folderOf(path: string): string {
  const folder = dirname(path);
  return folder === '.' ? '' : folder;
}

function lastOf(seen: readonly Seen[]): string {
  return JSON.stringify(seen.slice(-30).map(({ type, path }) => `${type} ${path}`));
}
