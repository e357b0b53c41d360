/** The kernel tells less than it should: 50 watches for 150 folders, and events that do not come. Sweeps find everything. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { stampOf } from '../../src/cache/fingerprint.ts';
import { type Change, formatStamp } from '../../src/types/change.ts';
import { Engine } from '../../src/watch/engine.ts';
import type { Hints } from '../../src/watch/source.ts';
import { createSources, type SourceFactory } from '../../src/watch/source-factory.ts';
import { allReceipts, ended } from '../badinput/rig.ts';
import { type Chance, chanceOf, seedOf } from '../daemon/chance.ts';
import { makeProject, until } from '../daemon/project.ts';
import { rootConfig, tempDir } from '../watch/watch-rig.ts';
import { marksOf } from './marks.ts';
import { say, scaled, tell } from './say.ts';

const FOLDERS = 150;

test('50 watches for 150 folders', async (t) => {
  const beganMs = performance.now();
  // A user namespace of its own has a limit of its own.
  const script = 'echo 50 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"';
  const wrapper = ['unshare', '-Ur', 'sh', '-c', script];
  if (spawnSync('unshare', ['-Ur', 'sh', '-c', script, 'true']).status !== 0)
    return t.skip('user namespaces cannot be made here');
  const project = makeProject(
    `
watch: [{ path: ./inbox, sweep: 2s }]
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents: { work: { kind: command, command: [cat, "\${{ file.path }}"], sandbox: { mode: off, reason: a namespace already } } }
daemon: { min_free_disk: 1MiB }
`,
    { wrapper },
  );
  const names: string[] = [];
  const drop = (path: string): void => {
    project.write(`inbox/${path}`, `content of ${path}`);
    names.push(path);
  };
  for (let n = 0; n < FOLDERS; n++) mkdirSync(join(project.inbox, `d${n}`));
  const daemon = await project.start();
  await until('the condition says so', async () =>
    (await project.status()).conditions.some(({ code }) => code === 'WATCH_LIMIT'),
  );
  for (let n = 0; n < FOLDERS; n++) {
    drop(`d${n}/file`);
    if (n % 10 === 0) drop(`d${n}/new/deep/file`);
  }
  const files = await ended(project, names.length).catch(() => undefined);
  const receipts = new Set(allReceipts(project).map(({ input }) => input.path));
  const lost = names.filter((name) => !receipts.has(name) || files?.get(name)?.disposition !== 'processed');
  daemon.kill('SIGTERM');
  const code = await daemon.exited;
  const orphans = marksOf(project).length;
  tell({
    scenario: '50 watches for 150 folders',
    runs: 1,
    files: names.length,
    lost: lost.length,
    doubled: 0,
    orphans,
    beganMs,
  });
  expect({ lost, orphans, code }).toEqual({ lost: [], orphans: 0, code: 0 });
});

test.each([0.3, 1])('events are lost: %f of them', async (share) => {
  const beganMs = performance.now();
  const chance = chanceOf(seedOf(process.env));
  const operations = scaled(1_500);
  using temp = tempDir();
  const dir = join(temp.path, 'in');
  const stateDir = join(temp.path, 'state');
  mkdirSync(dir);
  mkdirSync(stateDir);
  const known = new Map<string, string>();
  const told = new Map<string, number>();
  let dropped = 0;
  const sources = await createSources({ stateDir, raise: () => {} });
  const deaf: SourceFactory = {
    ...sources,
    get: (mode, hints) =>
      sources.get(
        mode,
        losing(hints, () => {
          const isLost = chance.next() < share;
          if (isLost) dropped++;
          return isLost;
        }),
      ),
  };
  await using engine = new Engine({
    excluded: [],
    stateDir,
    ledgerId: 'torture',
    sources: deaf,
    ask: async (_, folders) => folders.map((folder) => inFolder(known, folder)),
    post: (changes) => {
      for (const change of changes) note(change);
      setImmediate(() => engine.acked());
    },
    raise: () => {},
    clear: () => {},
    onChange: () => {},
  });
  const note = (change: Change): void => {
    if (change.type === 'removed') known.delete(change.path);
    else {
      const version = `${change.path} ${formatStamp(change.stamp)}`;
      if (known.get(change.path) !== formatStamp(change.stamp))
        told.set(version, (told.get(version) ?? 0) + 1);
      known.set(change.path, formatStamp(change.stamp));
    }
  };
  await engine.update([rootConfig(dir, { sweepMs: 500 })]);
  for (let n = 0; n < operations; n++) {
    change(dir, chance, n);
    if (n % 50 === 0) await sleep(chance.int(0, 20));
  }
  const differs = (): string[] => {
    const there = new Map(filesIn(dir).map((path) => [path, stampOf(join(dir, path))]));
    return [
      ...[...there]
        .filter(([path, stamp]) => !stamp || known.get(path) !== formatStamp(stamp))
        .map(([path]) => path),
      ...[...known.keys()].filter((path) => !there.has(path)),
    ];
  };
  await until('everything is known', () => differs().length === 0).catch(() => {});
  const lost = differs();
  const doubled = [...told].filter(([, times]) => times > 1).map(([version]) => version);
  tell({
    scenario: `${share * 100} % of the events are lost`,
    runs: 1,
    files: known.size,
    lost: lost.length,
    doubled: doubled.length,
    orphans: 0,
    beganMs,
  });
  say(`SEED=${chance.seed}: ${operations} operations, ${dropped} hints dropped`, beganMs);
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
  expect(dropped).toBeGreaterThan(0);
});

function losing(hints: Hints, isLost: () => boolean): Hints {
  return {
    ...hints,
    file: (...args) => (isLost() ? undefined : hints.file(...args)),
    folderIn: (...args) => (isLost() ? undefined : hints.folderIn(...args)),
    folderGone: (...args) => (isLost() ? undefined : hints.folderGone(...args)),
  };
}

function inFolder(known: ReadonlyMap<string, string>, folder: string): Map<string, string> {
  const prefix = folder === '' ? '' : `${folder}/`;
  const found = new Map<string, string>();
  for (const [path, stamp] of known)
    if (path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      found.set(path.slice(prefix.length), stamp);
  return found;
}

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
}

/** What people and programs do to a tree. */
function change(dir: string, chance: Chance, n: number): void {
  const folder = chance.pick(['', 'a', 'b', 'a/deep', `c${chance.int(0, 9)}`, `c${chance.int(0, 9)}/d/e`]);
  const file = join(dir, folder, `f${chance.int(0, 60)}`);
  const dice = chance.next();
  try {
    mkdirSync(dirname(file), { recursive: true });
    if (dice < 0.7) writeFileSync(file, `${n}`.repeat(chance.int(1, 9)));
    else if (dice < 0.8) renameSync(file, join(dir, folder, `r${n}`));
    else if (dice < 0.92) rmSync(file);
    else if (folder !== '')
      renameSync(join(dir, folder.split('/')[0] ?? ''), join(dir, `c${chance.int(0, 9)}`));
  } catch {
    // Not there, or not empty: nothing happened.
  }
}
