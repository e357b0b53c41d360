/** The pure parts: the order of mounts, remedies, hints. */
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains } from '../../src/config/contains.ts';
import { bwrapPrefix } from '../../src/sandbox/bwrap.ts';
import { explainSandboxFailure } from '../../src/sandbox/hints.ts';
import { arrangeMounts, type Mount } from '../../src/sandbox/mounts.ts';
import { OwnerOnlyFinder } from '../../src/sandbox/owner-only.ts';
import { missingRemedy, refusedRemedy } from '../../src/sandbox/remedy.ts';
import { tree } from './rig.ts';

const word = fc.constantFrom('a', 'b', 'a-b', 'a.b', 'ä');
const path = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => `/${words.join('/')}`);
const mount: fc.Arbitrary<Mount> = fc.oneof(
  path.map((p) => ({ kind: 'empty', path: p, writable: true }) as const),
  path.map((p) => ({ kind: 'hidden', path: p, is: 'folder' }) as const),
  path.map((p) => ({ kind: 'hidden', path: p, is: 'file' }) as const),
  path.map((p) => ({ kind: 'visible', path: p }) as const),
  path.map((p) => ({ kind: 'writable', path: p }) as const),
  path.map((p) => ({ kind: 'protected', path: p }) as const),
);

/**
 * What holds at a path, by definition: the strongest word of the deepest place around it. To be visible takes nothing
 * away: inside of what can be written to, such a place can be, too.
 */
function meant(wanted: readonly Mount[], at: string): string {
  const order = ['link', 'empty', 'visible', 'writable', 'protected', 'hidden', 'replaced'];
  const around = wanted.filter((m) => contains(m.path, at));
  if (around.length === 0) return 'read-only';
  const depth = Math.max(...around.map((m) => m.path.length));
  const kinds = around.filter((m) => m.path.length === depth).map((m) => order.indexOf(m.kind));
  const kind = order[Math.max(...kinds)];
  if (kind !== 'visible') return effect(kind);
  const outside = meant(
    around.filter((m) => m.path.length < depth),
    at,
  );
  return outside === 'writable' ? 'writable' : 'read-only';
}

function effect(kind: string | undefined): string {
  if (kind === 'empty' || kind === 'hidden') return 'nothing';
  return kind === 'writable' ? 'writable' : 'read-only';
}

/** The folder between the first and the last is mounted for the sake of the second: not over the first. */
const besideWhatIsHeld: Mount[] = [
  { kind: 'empty', path: '/a/b/a', writable: true },
  { kind: 'hidden', path: '/a/b/b', is: 'folder' },
  { kind: 'writable', path: '/a' },
];

describe('the order of mounts', () => {
  test('what holds at each place does not depend on the order of asking, and nothing hidden is shown again', () => {
    fc.assert(
      fc.property(fc.array(mount, { maxLength: 12 }), path, (wanted, at) => {
        const arranged = arrangeMounts(wanted);
        const around = arranged.filter((m) => contains(m.path, at));
        // Mounts are made one after the other: the last one around a place is what is there.
        expect(effect(around.at(-1)?.kind)).toBe(meant(wanted, at));
      }),
      {
        examples: [
          [
            [
              { kind: 'visible', path: '/a/b' },
              { kind: 'writable', path: '/a' },
            ],
            '/a/b',
          ],
          [besideWhatIsHeld, '/a/b/a'],
        ],
      },
    );
  });

  test('a folder stands before everything in it', () => {
    fc.assert(
      fc.property(fc.array(mount, { maxLength: 12 }), (wanted) => {
        const paths = arrangeMounts(wanted).map((m) => m.path);
        paths.forEach((inner, at) => {
          for (const outer of paths.slice(at + 1)) expect(contains(outer, inner)).toBe(false);
        });
      }),
      { examples: [[besideWhatIsHeld]] },
    );
  });

  test('no folder between what may be written and what is protected in it can be renamed', () => {
    fc.assert(
      fc.property(fc.array(mount, { maxLength: 12 }), (wanted) => {
        const arranged = arrangeMounts(wanted);
        for (const [at, one] of arranged.entries()) {
          if (one.kind !== 'protected') continue;
          const outer = arranged.slice(0, at).findLast((m) => contains(m.path, one.path));
          if (outer?.kind === 'writable') expect(dirname(one.path)).toBe(outer.path);
        }
      }),
    );
  });

  test('nothing that is empty stays writable unless it was meant so', () => {
    const prefix = bwrapPrefix({
      ...{ bwrap: '/usr/bin/bwrap', cwd: '/p', network: 'none', scratchBytes: 1024 },
      mounts: [
        { kind: 'hidden', path: '/p/.sluice', is: 'folder' },
        { kind: 'empty', path: '/tmp', writable: true },
        { kind: 'empty', path: '/run', writable: false },
        { kind: 'writable', path: '/p/.sluice/work' },
        { kind: 'hidden', path: '/p/key', is: 'file' },
      ],
    });
    expect(prefix.join(' ')).toBe(
      '/usr/bin/bwrap --unshare-all --die-with-parent --new-session --cap-drop ALL --ro-bind / / --tmpfs /p/.sluice --bind /p/.sluice/work /p/.sluice/work --ro-bind /dev/null /p/key --size 1024 --tmpfs /run --size 1024 --tmpfs /tmp --remount-ro /p/.sluice --remount-ro /run --chdir /p --',
    );
    const allowed = bwrapPrefix({ bwrap: 'bwrap', cwd: '/', network: 'allow', mounts: [] });
    expect(allowed).toContain('--share-net');
    expect(allowed).not.toContain('--size');
  });
});

test('owner-only files: bounded, results last, a look is kept for a while', async () => {
  const dir = tree({
    'a/key': 'k',
    'a/open': 'o',
    'results/key': 'k',
    'a/.sluice/token': 't',
    'node_modules/x/key': 'k',
  });
  for (const path of ['a/key', 'results/key', 'node_modules/x/key']) chmodSync(join(dir, path), 0o600);
  let now = 0;
  const finder = new OwnerOnlyFinder(() => now);
  const find = () => finder.find([{ dir, depth: 9 }], [join(dir, 'results')]);
  const found = await find();
  expect(found).toEqual({
    folders: [
      { path: join(dir, 'a'), files: ['key'], others: expect.arrayContaining(['open', '.sluice']) },
      { path: join(dir, 'results'), files: ['key'], others: [] },
    ],
    states: [join(dir, 'a/.sluice')],
    isComplete: true,
  });
  chmodSync(join(dir, 'a/open'), 0o600);
  expect(await find()).toBe(found);
  now = 1_001;
  expect((await find()).folders[0]?.files).toHaveLength(2);
});

test.each([
  ['ID=ubuntu\nID_LIKE=debian', 'sudo apt install bubblewrap'],
  ['ID="fedora"', 'sudo dnf install bubblewrap'],
  ['ID=manjaro\nID_LIKE=arch', 'sudo pacman -S bubblewrap'],
  ['ID="opensuse-leap"\nID_LIKE="suse opensuse"', 'sudo zypper install bubblewrap'],
  ['ID=other', 'Install the package `bubblewrap`.'],
])('how to install it: %s', (release, expected) => {
  expect(missingRemedy(release).fix).toContain(expected);
});

test.each([
  [{ apparmorRestricts: true }, 'apparmor'],
  [{ userNamespaces: 'switched_off' }, 'kernel.unprivileged_userns_clone=1'],
  [{ userNamespaces: 'none' }, 'user.max_user_namespaces'],
  [{ isContainer: true }, '--security-opt'],
  [{}, '--unshare-all true'],
] as const)('what forbids it: %j', (facts, expected) => {
  const usual = { apparmorRestricts: false, userNamespaces: 'allowed', isContainer: false } as const;
  const said = 'bwrap: setting up uid map: Permission denied\n';
  const { message, fix } = refusedRemedy(said, { ...usual, ...facts });
  expect(message).toContain('uid map: Permission denied');
  expect(fix).toContain(expected);
});

const confined = { mode: 'auto', backend: 'bwrap', network: 'none' } as const;
test.each([
  ["touch: cannot touch 'x': Read-only file system", confined, 'write: [project]'],
  ['Error: EROFS: read-only file system, open', confined, 'write: [project]'],
  ['curl: (6) Could not resolve host: example.org', confined, 'network: allow'],
  ['getaddrinfo EAI_AGAIN api.example.org', confined, 'network: allow'],
  ['getaddrinfo ENOTFOUND x', { ...confined, network: ['a.example'] }, 'a.example'],
  ['Could not resolve host: x', { ...confined, network: 'allow' }, undefined],
  ["cat: '/home/x/.ssh/id': No such file or directory", confined, 'cannot be seen|can be seen'],
  [
    'sluice: refused: git push is blocked for this agent',
    { mode: 'auto', backend: 'none' },
    'sandbox.blocked',
  ],
  ['Read-only file system', { mode: 'off' }, undefined],
  ['assertion failed', confined, undefined],
] as const)('a failure that smells of the sandbox: %s', (stderr, sandbox, expected) => {
  const fix = explainSandboxFailure(stderr, sandbox);
  if (expected === undefined) expect(fix).toBeUndefined();
  else expect(fix).toMatch(new RegExp(expected.replaceAll(/[[\]]/g, '\\$&')));
});
