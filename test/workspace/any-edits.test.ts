/** Whatever an agent does to its copy: promoted, the tree is the agent's; undone, it is the first one. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fsPath } from '../../src/types/path-bytes.ts';
import { createRig, plant, type Tree, treeOf } from './rig.ts';

// Hundreds of promotions, each with its syncs.
const inMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const name = fc.constantFrom('a', 'b', 'c', '-rf', 'new\nline', 'caf\uefe9', '\u202etxt', 'x'.repeat(255));
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const text = fc.constantFrom('', '1', '2', 'longer text');

const tree = fc
  .array(fc.tuple(path, fc.oneof(text, fc.constantFrom('-> a', '-> ../out', '/'))), { maxLength: 12 })
  .map((items) => {
    const found: Tree = {};
    const isTaken = (at: string): boolean =>
      Object.keys(found).some((other) => `${other.replace(/\/$/, '')}/`.startsWith(`${at}/`)) ||
      at.split('/').some((_, end, all) => found[all.slice(0, end).join('/')] !== undefined);
    for (const [at, content] of items)
      if (!isTaken(at)) found[content === '/' ? `${at}/` : at] = content === '/' ? '' : content;
    return found;
  });

const edit = fc.oneof(
  fc.record({ do: fc.constant('write' as const), path, text }),
  fc.record({ do: fc.constant('remove' as const), path }),
  fc.record({ do: fc.constant('mkdir' as const), path }),
  fc.record({ do: fc.constant('chmod' as const), path }),
  fc.record({ do: fc.constant('touch' as const), path }),
  fc.record({ do: fc.constant('move' as const), path, to: path }),
);

/** As an agent would: what cannot be done is not done. Never through a link, which may lead out. */
function apply(dir: string, one: typeof edit extends fc.Arbitrary<infer T> ? T : never): void {
  const at = (p: string): Buffer | string => fsPath(`${dir}/${p}`);
  const isReal = (p: string): boolean =>
    p.split('/').every((_, end, all) => {
      const look = lstatSync(at(all.slice(0, end).join('/')), { throwIfNoEntry: false });
      return look === undefined || look.isDirectory();
    });
  if (!isReal(one.path) || ('to' in one && !isReal(one.to))) return;
  try {
    if (one.do === 'remove') rmSync(at(one.path), { recursive: true, force: true });
    else if (one.do === 'mkdir') mkdirSync(at(one.path), { recursive: true, mode: 0o755 });
    else if (one.do === 'move') renameSync(at(one.path), at(one.to));
    else if (one.do === 'write') {
      mkdirSync(at(dirname(one.path)), { recursive: true });
      if (lstatSync(at(one.path), { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(at(one.path));
      writeFileSync(at(one.path), one.text);
    } else if (lstatSync(at(one.path)).isFile()) {
      if (one.do === 'chmod') chmodSync(at(one.path), 0o755);
      else utimesSync(at(one.path), 1, 1);
    }
  } catch {
    // A folder stands there, or nothing does.
  }
}

test('promote gives the tree of the agent, undo the first one', async () => {
  await fc.assert(
    fc.asyncProperty(tree, fc.array(edit, { maxLength: 10 }), async (before, edits) => {
      const dir = mkdtempSync(join(inMemory, 'sluice-edits-'));
      try {
        // A file that nobody touches, so that the tree is never emptied.
        const rig = createRig({ ...before, keep: 'keep' }, { dir });
        plant(dir, { out: 'outside' });
        const first = treeOf(rig.root);
        await rig.prepare();
        expect(treeOf(rig.copy)).toEqual(first);
        for (const one of edits) apply(rig.copy, one);
        const wanted = treeOf(rig.copy);
        const { refused } = await rig.spaces.changesOf(rig.copy);
        const told: string[] = [];
        const files = await rig.spaces.promote({
          jobId: 'job',
          from: rig.copy,
          onPlaced: (placed) => void told.push(placed.path),
        });
        if (refused.length === 0) expect(treeOf(rig.root)).toEqual(wanted);
        expect(told.sort()).toEqual(
          files
            .filter(({ change }) => change !== 'removed')
            .map((f) => f.path)
            .sort(),
        );
        if (rig.spaces.list().length === 0) expect(treeOf(rig.root)).toEqual(first);
        else expect((await rig.spaces.undo('job')).kept).toEqual([]);
        expect(treeOf(rig.root)).toEqual(first);
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    }),
    {
      numRuns: 150,
      examples: [
        // A link in a circle becomes a folder.
        [
          { b: '-> a', a: '-> a' },
          [
            { do: 'remove', path: 'b' },
            { do: 'write', path: 'b/a', text: '' },
          ],
        ],
      ],
    },
  );
});
