/**
 * The settle stage: hints in, settled changes out. Every path that may be under way has one entry and one due time; when
 * that comes the path is looked at again, so a hint is never believed. A writer is recognised by what the system says
 * (closed, moved in, no write lease conflict); only where it says nothing do size and mtime have to stand still. A
 * debounce that every event restarts was rejected: under continuous load it never ends.
 *
 * Longer than other files, because an entry's whole life stands in it: splitting it would hide how its fields play together.
 */
import type { Change, Found } from '../types/change.ts';
import { DueQueue } from './due-queue.ts';
import type { Inspector } from './inspector.ts';
import type { Memory } from './memory.ts';
import type { Outbox } from './outbox.ts';
import { markerOf } from './ready-marker.ts';
import type { HintKind } from './source.ts';
import { type StampWords, sameStamp, stampOf } from './stamp-words.ts';
import { looksTemporary } from './temporary-name.ts';
import { absolutePath, canBeRead, childOf, kindOfFolder, type WatchedRoot } from './watched-root.ts';

/** A path that changes again within this time of its last close belongs to a program that reopens and appends. */
const reopenMs = 2_000;
const minQuietMs = 200;
const maxQuietMs = 5_000;
/** A new name that looks temporary is looked at a moment after its close: by then it has been renamed. */
const renameGraceMs = 20;
/** A name that appeared without a close: its writer normally has it open. */
const createdMs = 100;
/** Editors save by rename and by delete and create, so a removal counts only if it is still gone after this time. */
const goneMs = 500;
/** Where nothing is known about writers: how long size and mtime must stand still. */
const standStillMs = 2_000;
/** The same for an age that another machine's clock may have written. */
const remoteAgeMs = 60_000;
const maxEntries = 100_000;
const sliceMs = 10;
/** Files of a folder that are judged within this time share one look at the folders above them. */
const reachedMs = 10;

interface Entry {
  readonly key: string;
  readonly root: WatchedRoot;
  readonly folder: string;
  readonly name: string;
  readonly found: Found;
  dueAt: number;
  /** `check`: look at it; `calm`: handed over, its writer may come back. */
  phase: 'check' | 'calm';
  /** Since when it was missing; 0 while it is there. */
  missingSince: number;
  /** The ledger said so: its removal counts even if this process never saw it. */
  known: boolean;
  /** The last hint was a close, or a move into place. */
  closed: boolean;
  /** It appeared with a bare create. */
  created: boolean;
  /** 0 when it never closed. */
  lastCloseAt: number;
  /** 0 while it is no re-opener. */
  quietMs: number;
  /** Back-off of looking at a file that somebody has open. */
  busyMs: number;
  /** Stamp at the last look, where it must stand still. */
  look?: StampWords;
  lookAt: number;
}

export interface SettleOptions {
  readonly inspector: Inspector;
  readonly memory: Memory;
  readonly outbox: Outbox;
  /** Hints had to be dropped: the root needs a sweep. */
  readonly lost: (root: WatchedRoot) => void;
  /** How many paths settle may have changed. */
  readonly onChange: () => void;
}

export class Settle {
  readonly #o: SettleOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queue = new DueQueue<Entry>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #reached:
    | { readonly root: WatchedRoot; readonly folder: string; readonly is: boolean; readonly at: number }
    | undefined;
  #closed = false;

  constructor(options: SettleOptions) {
    this.#o = options;
  }

  /** @param now Of `performance.now()`: a clock that is set back must not stop the stage. */
  hint(root: WatchedRoot, folder: string, name: string, kind: HintKind, now: number): void {
    const key = `${root.config.name}\0${childOf(folder, name)}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      // Times of a file at rest: its new stamp is taken up by the next sweep.
      if (kind === 'attributes') return;
      if (kind === 'gone' && this.#o.memory.last(root.config.name, folder, name, now) === undefined) return;
      entry = this.#open(key, root, folder, name, 'event');
      if (entry === undefined) return;
    }
    const reopened = entry.lastCloseAt > 0 && now - entry.lastCloseAt < Math.max(reopenMs, 2 * entry.quietMs);
    switch (kind) {
      case 'created':
        entry.created = true;
        entry.closed = false;
        return this.#due(entry, 'check', now + Math.max(createdMs, entry.quietMs));
      case 'gone':
        return this.#due(entry, 'check', now);
      case 'attributes':
        if (entry.phase === 'calm') this.#due(entry, 'check', now + Math.max(minQuietMs, entry.quietMs));
        return;
      default: {
        if (reopened) {
          const wasCalm = entry.phase === 'calm';
          entry.quietMs = Math.min(
            maxQuietMs,
            Math.max(minQuietMs, wasCalm ? entry.quietMs * 2 : entry.quietMs),
          );
        }
        entry.closed = kind === 'closed';
        entry.lastCloseAt = now;
        const graceMs = entry.created && looksTemporary(name) ? renameGraceMs : 0;
        return this.#due(entry, 'check', now + (reopened ? entry.quietMs : graceMs));
      }
    }
  }

  /** A file that was found by reading its folder. Looked at right now: most are settled. */
  found(root: WatchedRoot, folder: string, name: string, how: Found, now: number): void {
    const key = `${root.config.name}\0${childOf(folder, name)}`;
    const known = this.#entries.get(key);
    if (known !== undefined) {
      if (known.phase === 'calm') this.#due(known, 'check', now + minQuietMs);
      return;
    }
    const entry = this.#open(key, root, folder, name, how);
    if (entry === undefined) return;
    this.#judge(entry, now);
    if (this.#entries.has(key)) this.#queue.add(entry);
  }

  /** The ledger knows a file that was not there when its folder was read. */
  missing(root: WatchedRoot, folder: string, name: string, now: number): void {
    if (this.#o.memory.recent(root.config.name, folder, name, now) === 'removed') return;
    const key = `${root.config.name}\0${childOf(folder, name)}`;
    const before = this.#entries.get(key);
    const entry = before ?? this.#open(key, root, folder, name, 'sweep');
    if (entry === undefined) return;
    entry.known = true;
    // One that is being looked at anyway goes on; one that was handed over a moment ago has to be looked at again.
    if (before?.phase !== 'check') this.#due(entry, 'check', now);
  }

  /** Looks at what is due, as far as the outbox has room. */
  tick(): void {
    if (this.#closed) return;
    const start = performance.now();
    const { outbox, memory } = this.#o;
    let now = start;
    while (outbox.hasRoom && now - start <= sliceMs) {
      const entry = this.#queue.take(now);
      if (entry === undefined) break;
      if (this.#entries.get(entry.key) !== entry) continue;
      this.#judge(entry, now);
      if (this.#entries.get(entry.key) === entry) this.#queue.add(entry);
      now = performance.now();
    }
    memory.flush();
    outbox.flush();
    this.#arm(now);
  }

  /** Paths of a root that somebody is still writing. */
  settling(root: WatchedRoot): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.root === root && entry.phase === 'check') count++;
    return count;
  }

  forget(root: WatchedRoot): void {
    for (const entry of this.#entries.values()) if (entry.root === root) this.#drop(entry);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#entries.clear();
  }

  #judge(entry: Entry, now: number): void {
    if (entry.phase === 'calm' || entry.root.closed) return this.#drop(entry);
    const { root, folder, name } = entry;
    const { inspector, memory } = this.#o;
    const path = absolutePath(root, folder, name);
    if (!this.#isReached(root, folder, now) || inspector.stat(path) !== 'file')
      return this.#missing(entry, now);
    entry.missingSince = 0;
    const waitMs = this.#unsettledFor(entry, path, now);
    if (waitMs > 0) {
      entry.dueAt = now + waitMs;
      return;
    }
    // A writer may have come and gone between the look and the lease: what counts is the stamp after it.
    if (inspector.stat(path) !== 'file') return this.#missing(entry, now);
    const { ready } = root.config;
    const words = inspector.words;
    const last = memory.last(root.config.name, folder, name, now);
    if (last === undefined || !sameStamp(words, last)) {
      if (ready !== undefined) {
        const stamp = words.slice();
        // The marker's event, or the sweep, brings the file back.
        if (inspector.stat(absolutePath(root, folder, markerOf(ready, name))) !== 'file')
          return this.#drop(entry);
        words.set(stamp);
      }
      memory.note(root.config.name, folder, name, words, now);
      if (last === undefined && entry.found === 'event') root.files++;
      this.#emit(root, {
        type: last === undefined ? 'added' : 'changed',
        root: root.config.name,
        path: childOf(folder, name),
        stamp: stampOf(words),
        found: entry.found,
      });
    }
    if (entry.lastCloseAt === 0) return this.#drop(entry);
    entry.phase = 'calm';
    entry.busyMs = 0;
    delete entry.look;
    entry.dueAt = Math.max(now, entry.lastCloseAt) + Math.max(reopenMs, 2 * entry.quietMs);
  }

  /** Without a link on the way. Asked once for the files of a folder that are judged together. */
  #isReached(root: WatchedRoot, folder: string, now: number): boolean {
    const last = this.#reached;
    if (last?.root === root && last.folder === folder && now - last.at < reachedMs) return last.is;
    const is = canBeRead(kindOfFolder(root, folder, this.#o.inspector));
    this.#reached = { root, folder, is, at: now };
    return is;
  }

  /** 0 when nobody writes the file any more; else when to look again, in milliseconds. */
  #unsettledFor(entry: Entry, path: string, now: number): number {
    const { root } = entry;
    const { settle } = root.config;
    const { inspector } = this.#o;
    if (settle.kind === 'quiet') return this.#standsStill(entry, settle.quietMs, settle.quietMs, now);
    const writers = root.mode === 'poll' && root.remote ? 'unknown' : inspector.writers(path);
    if (writers === 'some') {
      entry.busyMs = Math.min(
        root.mode === 'native' ? maxQuietMs : 1_000,
        entry.busyMs === 0 ? minQuietMs : entry.busyMs * 2,
      );
      return entry.busyMs;
    }
    if (writers === 'none' || entry.closed) return 0;
    return this.#standsStill(entry, standStillMs, root.remote ? remoteAgeMs : standStillMs, now);
  }

  #standsStill(entry: Entry, quietMs: number, trustedAgeMs: number, now: number): number {
    const { words, youngestMs } = this.#o.inspector;
    if (entry.look === undefined) {
      if (Date.now() - youngestMs >= trustedAgeMs) return 0;
    } else if (sameStamp(words, entry.look)) {
      // A hint may bring the next look early; what counts is the time.
      return Math.max(0, entry.lookAt + quietMs - now);
    }
    entry.look = words.slice();
    entry.lookAt = now;
    return quietMs;
  }

  #missing(entry: Entry, now: number): void {
    const { root, folder, name } = entry;
    const { memory } = this.#o;
    // When the whole root is away nothing was removed: a disk was unplugged. Its sweep decides when it is back.
    if (root.state !== 'watching' && root.state !== 'starting') return this.#drop(entry);
    if (!entry.known && memory.last(root.config.name, folder, name, now) === undefined)
      return this.#drop(entry);
    if (entry.missingSince === 0) entry.missingSince = now;
    if (now - entry.missingSince < goneMs) {
      entry.dueAt = entry.missingSince + goneMs;
      return;
    }
    memory.note(root.config.name, folder, name, undefined, now);
    root.files = Math.max(0, root.files - 1);
    this.#drop(entry);
    this.#emit(root, { type: 'removed', root: root.config.name, path: childOf(folder, name) });
  }

  #emit(root: WatchedRoot, change: Change): void {
    if (!root.closed) this.#o.outbox.push(change);
  }

  #open(
    key: string,
    root: WatchedRoot,
    folder: string,
    name: string,
    found: Entry['found'],
  ): Entry | undefined {
    if (this.#entries.size >= maxEntries) {
      this.#o.lost(root);
      return undefined;
    }
    const entry: Entry = {
      key,
      root,
      folder,
      name,
      found,
      dueAt: Infinity,
      phase: 'check',
      missingSince: 0,
      known: false,
      closed: false,
      created: false,
      lastCloseAt: 0,
      quietMs: 0,
      busyMs: 0,
      lookAt: 0,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #due(entry: Entry, phase: Entry['phase'], at: number): void {
    const earlier = at < entry.dueAt;
    entry.phase = phase;
    entry.dueAt = at;
    if (!earlier) return;
    this.#queue.add(entry);
    this.#arm(performance.now());
  }

  #drop(entry: Entry): void {
    entry.dueAt = Infinity;
    this.#entries.delete(entry.key);
  }

  /** One timer for all: for the earliest due time. Without room it is the outbox that calls. */
  #arm(now: number): void {
    const at = this.#queue.nextAt();
    if (this.#closed || at === undefined || !this.#o.outbox.hasRoom) return;
    if (this.#timer !== undefined && this.#timerAt <= at) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#timerAt = Infinity;
        this.tick();
        this.#o.onChange();
      },
      Math.max(0, at - now),
    );
  }
}
