/** The parts that decide without files: tables and properties. */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatStamp } from '../../src/types/change.ts';
import { DueQueue } from '../../src/watch/due-queue.ts';
import { explainIgnored } from '../../src/watch/ignore.ts';
import { chooseMode } from '../../src/watch/mode.ts';
import { mountOf } from '../../src/watch/mount.ts';
import { Outbox } from '../../src/watch/outbox.ts';
import { isMarker, markerOf, releasedBy } from '../../src/watch/ready-marker.ts';
import {
  sameStamp,
  stampOf,
  wordsPerStamp,
  writeFormattedStamp,
  writeStamp,
} from '../../src/watch/stamp-words.ts';
import { put, rootConfig, tempDir } from './watch-rig.ts';

test('stamps survive packing, and unequal ones stay unequal', () => {
  const stamp = fc.record({
    ino: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    size: fc.maxSafeNat(),
    mtimeNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  });
  fc.assert(
    fc.property(stamp, stamp, (a, b) => {
      const words = new Uint32Array(wordsPerStamp);
      const packed = new Uint32Array(2 * wordsPerStamp);
      writeStamp(a, words, 0);
      expect(stampOf(words)).toEqual(a);
      expect(writeFormattedStamp(formatStamp(b), packed, wordsPerStamp)).toBe(true);
      expect(sameStamp(words, packed, wordsPerStamp)).toBe(formatStamp(a) === formatStamp(b));
    }),
  );
  expect(writeFormattedStamp('1-2', new Uint32Array(7), 0)).toBe(false);
});

test('the due queue gives each entry once, at its last due time, earliest first', () => {
  const step = fc.record({ entry: fc.nat(9), at: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new DueQueue<{ id: number; dueAt: number; done: boolean }>();
      const entries = Array.from({ length: 10 }, (_, id) => ({ id, dueAt: Infinity, done: false }));
      for (const { entry: id, at } of steps) {
        const entry = entries[id];
        if (entry === undefined) continue;
        const earlier = at < entry.dueAt;
        entry.dueAt = at;
        if (earlier) queue.add(entry);
      }
      const given = new Map<number, number>();
      for (let now = 0; now <= 100; now++)
        for (let entry = queue.take(now); entry !== undefined; entry = queue.take(now)) {
          expect(entry.dueAt).toBe(now);
          expect(given.has(entry.id)).toBe(false);
          given.set(entry.id, now);
          entry.dueAt = Infinity;
        }
      expect(given.size).toBe(entries.filter(({ id }) => steps.some(({ entry }) => entry === id)).length);
    }),
  );
});

test('the outbox never has more than four batches under way, and keeps the order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('push', 'ack', 'flush'), { maxLength: 3000, minLength: 1000 }),
      (steps) => {
        let underWay = 0;
        const out: string[] = [];
        const outbox = new Outbox({
          post: (batch) => {
            underWay++;
            expect(underWay).toBeLessThanOrEqual(4);
            out.push(...batch.map(({ path }) => path));
          },
          onRoom: () => undefined,
        });
        let pushed = 0;
        for (const what of steps) {
          if (what === 'push') outbox.push({ type: 'removed', root: '', path: String(pushed++) });
          else if (what === 'flush') outbox.flush();
          else if (underWay > 0) {
            underWay--;
            outbox.acked();
          }
        }
        while (out.length < pushed) {
          outbox.flush();
          if (underWay > 0) {
            underWay--;
            outbox.acked();
          }
        }
        expect(out).toEqual(Array.from({ length: pushed }, (_, i) => String(i)));
      },
    ),
    { numRuns: 20 },
  );
});

test.each([
  ['{name}.done', 'a.csv', 'a.csv.done'],
  ['{stem}.ok', 'a.tar.gz', 'a.tar.ok'],
  ['.{name}.ready', 'x', '.x.ready'],
  ['GO', 'x', 'GO'],
  ['{stem}-{stem}.ok', 'a.b', 'a-a.ok'],
])('marker %s of %s is %s', (pattern, name, marker) => {
  expect(markerOf(pattern, name)).toBe(marker);
  expect(isMarker(pattern, marker)).toBe(true);
  expect(isMarker(pattern, name)).toBe(false);
  expect(releasedBy(pattern, marker, [name, 'other.txt.x', marker])).toContain(name);
});

test.each([
  ['/', 'ext4', false],
  ['/srv/share/in', 'nfs4', true],
  ['/srv/shared', 'ext4', false],
  ['/mnt/with space/x', 'fuse.sshfs', true],
  ['/mnt/disk', 'fuseblk', false],
  ['/tmp', 'tmpfs', false],
])('%s lies on %s', (dir, type, remote) => {
  const table = [
    '1 0 8:1 / / rw - ext4 /dev/sda rw',
    '2 1 0:2 / /srv/share rw shared:1 - nfs4 host:/x rw',
    '3 1 0:3 / /mnt/with\\040space rw - fuse.sshfs me@host rw',
    '4 1 0:4 / /mnt/disk rw - fuseblk /dev/sdb rw',
    '5 1 0:5 / /tmp rw - ext4 /dev/sdc rw',
    '6 1 0:6 / /tmp rw - tmpfs tmpfs rw',
  ].join('\n');
  expect(mountOf(dir, table)).toMatchObject({ type, remote });
});

describe('mode', () => {
  const local = { type: 'ext4', mountPoint: '/', remote: false };
  const nfs = { type: 'nfs4', mountPoint: '/', remote: true };
  test.each([
    ['auto', local, undefined, 'native', false],
    ['auto', nfs, undefined, 'poll', false],
    ['auto', local, 'no FFI', 'portable', false],
    ['auto', undefined, 'macOS', 'portable', false],
    ['native', local, 'no FFI', 'portable', true],
    ['native', nfs, undefined, 'native', false],
    ['poll', local, undefined, 'poll', false],
    ['portable', local, undefined, 'portable', false],
  ] as const)('%s on %o, native missing: %s → %s', (asked, mount, missing, mode, isFallback) => {
    const decision = chooseMode(asked, mount, missing);
    expect(decision).toMatchObject({ mode, isFallback });
    if (mode !== 'native') expect(decision.reason).toBeTruthy();
  });
});

test('why a path is ignored: the pattern and where it stands', async () => {
  using temp = tempDir();
  const dir = join(temp.path, 'in');
  put(dir, {
    '.sluiceignore': '# comment\n\n*.log\nbuild/\n',
    'sub/.sluiceignore': '!keep.log\n',
    'sub/keep.log': '',
    'out/x': '',
    file: '',
  });
  const root = rootConfig(dir, { ignore: ['drafts/**'], ready: '{name}.done' });
  const why = (path: string) => explainIgnored(root, path, [join(dir, 'out')], 2);
  expect(await why('a.txt')).toBeUndefined();
  // Below what is a file by now.
  expect(await why('file/x')).toBeUndefined();
  expect(await why('sub/keep.log')).toBeUndefined();
  expect(await why('a.log')).toEqual({ pattern: '*.log', source: `${join(dir, '.sluiceignore')}:3` });
  expect(await why('build/deep/x')).toEqual({ pattern: 'build/', source: `${join(dir, '.sluiceignore')}:4` });
  expect(await why('drafts/x')).toEqual({ pattern: 'drafts/**', source: 'watch[2].ignore' });
  expect(await why('d/x.part')).toEqual({ pattern: '*.part', source: 'default' });
  expect(await why('node_modules/a/b.js')).toEqual({ pattern: 'node_modules/', source: 'default' });
  expect(await why('out/x')).toEqual({ pattern: join(dir, 'out'), source: 'excluded' });
  expect(await why('a.txt.done')).toEqual({ pattern: '{name}.done', source: 'marker' });
});
