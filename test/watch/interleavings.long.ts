/**
 * What people and programs do to a tree, in random order and with random pauses, in every mode. Once it is calm the last
 * report of each path has to tell the truth, without a regular sweep (`poll` has nothing else), also of what happens later
 * in folders that came about oddly; and what does not change is not told again. `SEED=n` repeats a run.
 */
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { stampOf } from '../../src/cache/fingerprint.ts';
import { formatStamp } from '../../src/types/change.ts';
import { explainIgnored } from '../../src/watch/ignore.ts';
import { ignoreFileName } from '../../src/watch/ignore-tree.ts';
import { type Chance, chanceOf, seedOf } from '../daemon/chance.ts';
import { scaled } from '../torture/say.ts';
import { openRig, type Rig, rootConfig } from './watch-rig.ts';

const modes = ['native', 'portable', 'poll'] as const;
const names = [
  'x',
  'y',
  'a',
  'a/x',
  'a/y',
  'a/b',
  'a/b/x',
  'a/b/c',
  'a/b/c/x',
  'b',
  'b/x',
  'b/a',
  'b/a/x',
  'A',
  'A/x',
];
const sameLooking = ['\u00e9', '\u00e9/x', 'e\u0301', 'e\u0301/x'];
const calmWithinMs = 90_000;

interface Place {
  readonly name: string;
  readonly mode: (typeof modes)[number];
  readonly dir: string;
  readonly outside: string;
  readonly chance: Chance;
  readonly done: string[];
}

test('after calm the last report of each path is true', async () => {
  const seed = seedOf(process.env);
  const places: Place[] = [];
  await using rig = await openRig({
    roots: (base) => {
      for (let n = 0; n < scaled(24); n++) {
        const name = `r${n}`;
        const [dir, outside] = [join(base, name, 'in'), join(base, name, 'outside')];
        const mode = modes[n % modes.length] as Place['mode'];
        places.push({ name, mode, dir, outside, chance: chanceOf(seed + n), done: [] });
        mkdirSync(dir, { recursive: true });
        mkdirSync(join(outside, 'folder'), { recursive: true });
        writeFileSync(join(outside, 'folder/x'), 'out');
      }
      return places.map(configOf);
    },
  });
  await Promise.all(places.map((place) => live(place)));
  await calm(rig, places, seed);
  for (const place of places) later(place);
  await calm(rig, places, seed);
  for (const { dir } of places)
    for (const [n, file] of filesIn(dir).entries())
      if (n % 2 === 0 || basename(file) === ignoreFileName) rmSync(join(dir, file));
  await calm(rig, places, seed);
  await rig.settled();
  const count = rig.seen.length;
  await rig.settled();
  expect(rig.seen.slice(count).map(({ type, root, path }) => `${type} ${root} ${path}`)).toEqual([]);
});

function configOf({ name, dir, mode }: Place) {
  return rootConfig(dir, { name, mode, sweepMs: mode === 'poll' ? 1_000 : 600_000 });
}

async function calm(rig: Rig, places: readonly Place[], seed: number): Promise<void> {
  const deadline = performance.now() + calmWithinMs;
  for (const place of places) {
    let wrong = await untrue(rig, place);
    while (wrong.length > 0) {
      const { name, mode, done } = place;
      if (performance.now() > deadline)
        throw new Error(`SEED=${seed}, ${name}, ${mode}: ${wrong.join(', ')}\n${done.join('\n')}`);
      await delay(100);
      wrong = await untrue(rig, place);
    }
  }
}

/** Paths whose last report is not what is there. */
async function untrue(rig: Rig, place: Place): Promise<string[]> {
  const config = configOf(place);
  const wrong: string[] = [];
  const there = new Set(filesIn(place.dir));
  const isIgnored = async (path: string) =>
    basename(path) === ignoreFileName || (await explainIgnored(config, path, [])) !== undefined;
  for (const path of there) {
    const stamp = stampOf(join(place.dir, path));
    const known = rig.ledger.get(`${place.name}:${folderOf(path)}`)?.get(basename(path));
    if (stamp !== undefined && known !== formatStamp(stamp) && !(await isIgnored(path)))
      wrong.push(`${known === undefined ? 'never told' : 'told as it was'}: ${path}`);
  }
  for (const [key, files] of rig.ledger) {
    if (!key.startsWith(`${place.name}:`)) continue;
    for (const name of files.keys()) {
      const path = join(key.slice(place.name.length + 1), name);
      if (!there.has(path) && !(await isIgnored(path))) wrong.push(`not told as gone: ${path}`);
    }
  }
  return wrong;
}

async function live(place: Place): Promise<void> {
  const { chance, dir, outside } = place;
  const pool = chance.pick([names.slice(0, 6), names, [...names.slice(0, 6), ...sameLooking]]);
  for (let n = chance.int(5, 45); n > 0; n--) {
    const [a, b] = [chance.pick(pool), chance.pick(pool)];
    const [at, to, kept] = [join(dir, a), join(dir, b), join(outside, chance.pick(['k', 'l']))];
    const [what, act] = chance.pick<readonly [string, () => unknown]>([
      [`write ${a}`, () => write(at, n)],
      [`write ${a}`, () => write(at, n)],
      [`write ${a} in pieces`, () => writeSlowly(at, chance.int(0, 50))],
      [`append to ${a}`, () => appendFileSync(at, `${n}`)],
      [`rename ${a} ${b}`, () => renameSync(at, to)],
      [`rename ${a} ${b}`, () => renameSync(at, to)],
      [`move ${a} out`, () => renameSync(at, kept)],
      [`move into ${a}`, () => renameSync(kept, at)],
      [`remove ${a}`, () => remove(at)],
      [`make ${a}`, () => mkdirSync(at, { recursive: true })],
      [`folder for ${a}, filled later`, () => intoFolder(at, chance.int(0, 50), n)],
      [`folder for ${a}, filled later`, () => intoFolder(at, chance.int(0, 50), n)],
      [`file for ${a}`, () => (remove(at), write(at, n))],
      // Within a root, what is written under one name is told for that name only.
      [`link from outside to ${a}`, () => linkFrom(join(outside, `linked-${n}`), at)],
      [`symbolic link ${a} out`, () => (remove(at), symlinkSync(join(outside, 'folder'), at))],
      [`symbolic link ${a} ${b}`, () => (remove(at), symlinkSync(to, at))],
      [`truncate ${a}`, () => truncate(at)],
      [`save ${a}`, () => (writeFileSync(`${at}.new`, `saved ${n}`), renameSync(`${at}.new`, at))],
      [`rules in ${a}`, () => writeFileSync(join(at, ignoreFileName), chance.pick(['x', 'a/', '*', 'b']))],
      ['rules', () => writeFileSync(join(dir, ignoreFileName), chance.pick(['x', 'a/', '*', 'b']))],
      ['no rules', () => rmSync(join(dir, ignoreFileName))],
      ['root away and back', () => awayAndBack(dir, chance.int(0, 300))],
      ['root anew', () => (remove(dir), mkdirSync(dir))],
    ]);
    try {
      await act();
      place.done.push(what);
    } catch (error) {
      place.done.push(`${what}: ${(error as NodeJS.ErrnoException).code}`);
    }
    if (chance.next() < 0.5) await delay(chance.int(0, chance.pick([5, 50, 400])));
  }
}

/** In every folder, however it came about. */
function later({ dir }: Place): void {
  for (const file of filesIn(dir))
    if (basename(file) !== ignoreFileName) appendFileSync(join(dir, file), 'more');
  for (const folder of foldersIn(dir)) {
    if (lstatSync(join(dir, folder, 'n'), { throwIfNoEntry: false }) !== undefined) continue;
    writeFileSync(join(dir, folder, 'later'), 'later');
    mkdirSync(join(dir, folder, 'n'));
    writeFileSync(join(dir, folder, 'n/deep'), 'deep');
  }
}

function write(path: string, n: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'z'.repeat(n));
}

async function writeSlowly(path: string, pauseMs: number): Promise<void> {
  const fd = openSync(path, 'w');
  try {
    writeSync(fd, 'one');
    await delay(pauseMs);
    writeSync(fd, 'two');
  } finally {
    closeSync(fd);
  }
}

function linkFrom(from: string, path: string): void {
  writeFileSync(from, 'linked');
  linkSync(from, path);
}

function truncate(path: string): void {
  const fd = openSync(path, 'r+');
  ftruncateSync(fd, 1);
  closeSync(fd);
}

async function intoFolder(path: string, pauseMs: number, n: number): Promise<void> {
  remove(path);
  mkdirSync(path);
  await delay(pauseMs);
  write(join(path, 'x'), n);
}

async function awayAndBack(dir: string, pauseMs: number): Promise<void> {
  renameSync(dir, `${dir}-away`);
  await delay(pauseMs);
  renameSync(`${dir}-away`, dir);
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function filesIn(dir: string): string[] {
  return entriesIn(dir, 'isFile');
}

function foldersIn(dir: string): string[] {
  return ['', ...entriesIn(dir, 'isDirectory')];
}

/** `readdir` with `recursive` follows links. */
function entriesIn(dir: string, kind: 'isFile' | 'isDirectory', folder = ''): string[] {
  return readdirSync(join(dir, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    const below = entry.isDirectory() ? entriesIn(dir, kind, path) : [];
    return entry[kind]() ? [path, ...below] : below;
  });
}

function folderOf(path: string): string {
  const folder = dirname(path);
  return folder === '.' ? '' : folder;
}
