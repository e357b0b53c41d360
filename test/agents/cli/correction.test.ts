import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  atLeast,
  type Beyond,
  beyondCeiling,
  boundCorrection,
  type Ceiling,
  correctionFor,
  isEmpty,
  merge,
  wantedCorrection,
} from '../../../src/agents/cli/correction.ts';
import type { Access, Correction, Cure, Denial } from '../../../src/types/agent-cli.ts';

const accesses: readonly Access[] = ['read', 'edit', 'all'];

function ceiling(access: Access, directories: readonly string[] = []): Ceiling {
  return { permissions: { mode: 'read', ceiling: access, directories }, places: ['/project', '/data/inbox'] };
}

function denied(...cures: readonly (Cure | undefined)[]) {
  const denials = cures.map((cure): Denial => ({ message: 'no', ...(cure && { cure }) }));
  return { denials, faults: [], terminal: 'success' } as const;
}

describe('what the configuration would have to allow', () => {
  const edit: Cure = { kind: 'access', access: 'edit' };
  const bash: Cure = { kind: 'tool', tool: 'Bash(ls)', access: 'all' };
  const into = (path: string, write = false): Cure => ({ kind: 'directory', path, write });
  const cases: readonly [string, readonly (Cure | undefined)[], Ceiling, Beyond | undefined][] = [
    ['nothing', [edit, undefined], ceiling('edit'), undefined],
    ['a higher ceiling', [edit, undefined], ceiling('read'), { ceiling: 'edit', directories: [] }],
    ['the highest of several', [bash, edit], ceiling('read'), { ceiling: 'all', directories: [] }],
    // No folder of the project can be named.
    [
      'a file of the project is written',
      [into('/project', true)],
      ceiling('read'),
      { ceiling: 'edit', directories: [] },
    ],
    ['a folder elsewhere is read', [into('/etc')], ceiling('read'), { directories: ['/etc'] }],
    [
      'a folder elsewhere is written',
      [into('/etc', true), into('/etc', true)],
      ceiling('read'),
      { ceiling: 'edit', directories: ['/etc'] },
    ],
    [
      'a folder elsewhere, and everything',
      [into('/etc', true), bash],
      ceiling('edit'),
      { ceiling: 'all', directories: [] },
    ],
    [
      'a folder that is named is written',
      [into('/etc/x', true)],
      ceiling('read', ['/etc']),
      { ceiling: 'edit', directories: [] },
    ],
  ];
  test.each(cases)('%s', (_, cures, bounds, expected) => {
    expect(beyondCeiling(denied(...cures), bounds)).toEqual(expected);
  });

  test('with that it is given, without it is not', () => {
    const paths = ['/project/a', '/data/inbox', '/etc', '/srv/x'];
    const cures = fc.oneof(
      fc.record({ kind: fc.constant('access' as const), access: fc.constantFrom(...accesses) }),
      fc.record({
        kind: fc.constant('directory' as const),
        path: fc.constantFrom(...paths),
        write: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(fc.array(cures, { minLength: 1 }), fc.constantFrom(...accesses), (list, access) => {
        const now = ceiling(access);
        const beyond = beyondCeiling(denied(...list), now);
        // What it has already is nothing to correct.
        const lacks = list.some((one) => one.kind === 'directory' || one.access !== 'read');
        if (!beyond) return lacks ? correctionFor(denied(...list), now) !== undefined : true;
        const raised = ceiling(beyond.ceiling ?? access, beyond.directories);
        return (
          correctionFor(denied(...list), now) === undefined &&
          correctionFor(denied(...list), raised) !== undefined
        );
      }),
    );
  });
});

describe('what the next launch gets', () => {
  const edit: Cure = { kind: 'access', access: 'edit' };
  const tool: Cure = { kind: 'tool', tool: 'Bash(ls)', access: 'all' };
  const into = (path: string, write = false): Cure => ({ kind: 'directory', path, write });
  const cases: readonly [string, readonly (Cure | undefined)[], Ceiling, Correction | undefined][] = [
    ['nothing was denied', [], ceiling('all'), undefined],
    ['a mode within the ceiling', [edit], ceiling('edit'), { access: 'edit' }],
    ['a mode above it', [edit], ceiling('read'), undefined],
    ['a tool within', [tool], ceiling('all'), { tools: ['Bash(ls)'], toolAccess: 'all' }],
    ['a tool above', [tool], ceiling('edit'), undefined],
    ['a folder of the project', [into('/project/src')], ceiling('read'), { directories: ['/project/src'] }],
    ['a folder of a root', [into('/data/inbox')], ceiling('read'), { directories: ['/data/inbox'] }],
    ['a folder that only begins like one', [into('/projects')], ceiling('edit'), undefined],
    ['a folder by a way around', [into('/project/../etc')], ceiling('edit'), undefined],
    ['a folder elsewhere', [into('/etc')], ceiling('edit'), undefined],
    [
      'a folder elsewhere, under the highest ceiling',
      [into('/etc')],
      ceiling('all'),
      { directories: ['/etc'] },
    ],
    ['a folder that is named', [into('/etc/x')], ceiling('read', ['/etc']), { directories: ['/etc/x'] }],
    [
      'to write into a folder, where it may only look',
      [into('/project/a', true)],
      ceiling('read'),
      undefined,
    ],
    ['what cannot be cured', [undefined], ceiling('all'), undefined],
    ['one of two that cannot be cured', [edit, into('/etc')], ceiling('edit'), undefined],
    [
      'all of them at once',
      [edit, into('/project/a')],
      ceiling('edit'),
      { access: 'edit', directories: ['/project/a'] },
    ],
    ['a check of git', [{ kind: 'skip_git_check' }], ceiling('read'), { skipGitCheck: true }],
    ['an unknown flag', [{ kind: 'without_flag', flag: '--x' }], ceiling('read'), { withoutFlags: ['--x'] }],
  ];
  test.each(cases)('%s', (_, cures, limit, expected) => {
    expect(correctionFor(denied(...cures), limit)).toEqual(expected);
  });

  test('what was given already and is denied again is not given twice', () => {
    expect(correctionFor(denied(edit), ceiling('all'), { access: 'edit' })).toBeUndefined();
    expect(correctionFor(denied(edit), ceiling('all'), { access: 'all' })).toBeUndefined();
  });

  test('a fault is cured too, unless the agent got over it', () => {
    const faults = [{ class: 'setup', message: 'no git', cure: { kind: 'skip_git_check' } }] as const;
    expect(correctionFor({ denials: [], faults, terminal: 'none' }, ceiling('read'))).toEqual({
      skipGitCheck: true,
    });
    expect(correctionFor({ denials: [], faults, terminal: 'success' }, ceiling('read'))).toBeUndefined();
  });
});

test('a folder is where it really is: a link that an agent made leads nowhere beyond its ceiling', (t) => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-correction-')));
  t.onTestFinished(() => rmSync(dir, { recursive: true }));
  const at = (path: string): string => join(dir, path);
  mkdirSync(at('shared/lib'), { recursive: true });
  mkdirSync(at('home/.ssh'), { recursive: true });
  symlinkSync(at('home/.ssh'), at('shared/out'));
  symlinkSync(at('home/later'), at('shared/dangling'));
  symlinkSync('lib', at('shared/inside'));
  symlinkSync(at('shared'), at('alias'));
  const given = (place: string, path: string): boolean => {
    const limit = ceiling('edit', [at(place)]);
    const directories = [at(path)];
    const cure = { kind: 'directory', path: at(path), write: true } as const;
    const learned = boundCorrection({ directories }, limit).directories !== undefined;
    expect(correctionFor(denied(cure), limit) !== undefined).toBe(learned);
    return learned;
  };
  expect(given('shared', 'shared/lib/new/deep')).toBe(true);
  expect(given('shared', 'shared/inside/new')).toBe(true);
  expect(given('alias', 'shared/lib')).toBe(true);
  expect(given('shared', 'alias/lib')).toBe(true);
  expect(given('shared', 'shared/out')).toBe(false);
  // Whoever is asked to allow it is told what that is.
  const out = { kind: 'directory', path: at('shared/out/new'), write: false } as const;
  expect(beyondCeiling(denied(out), ceiling('edit', [at('shared')]))?.directories).toEqual([
    at('home/.ssh/new'),
  ]);
  expect(given('shared', 'shared/out/new')).toBe(false);
  expect(given('shared', 'shared/dangling/new')).toBe(false);
});

const cures = fc.oneof(
  fc.record({ kind: fc.constant('access' as const), access: fc.constantFrom(...accesses) }),
  fc.record({
    kind: fc.constant('tool' as const),
    tool: fc.constantFrom('Write', 'Bash'),
    access: fc.constantFrom(...accesses),
  }),
  fc.record({
    kind: fc.constant('directory' as const),
    path: fc.constantFrom('/project', '/project/a', '/etc', '/data/inbox/b', '/project/../root'),
    write: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('skip_git_check' as const) }),
);

test('never above the ceiling, whatever is denied and whatever was remembered', () => {
  const order: Record<Access, number> = { read: 0, edit: 1, all: 2 };
  fc.assert(
    fc.property(
      fc.array(cures, { maxLength: 6 }),
      fc.constantFrom(...accesses),
      fc.constantFrom(...accesses),
      (list, first, then) => {
        const learned = correctionFor(denied(...list), ceiling(first)) ?? {};
        const given = boundCorrection(learned, ceiling(then));
        expect(order[given.access ?? 'read']).toBeLessThanOrEqual(order[then]);
        if (then !== 'all')
          for (const dir of given.directories ?? [])
            expect(dir).toMatch(/^\/(project|data\/inbox)(\/(?!\.\.)|$)/);
        if (given.tools) expect(order[given.toolAccess ?? 'all']).toBeLessThanOrEqual(order[then]);
      },
    ),
  );
});

test('corrections add up, and an empty one changes nothing', () => {
  const a: Correction = { access: 'edit', tools: ['Write'] };
  const b: Correction = { access: 'read', tools: ['Write', 'Edit'], skipGitCheck: true };
  expect(merge(a, b)).toEqual({ access: 'edit', tools: ['Write', 'Edit'], skipGitCheck: true });
  expect(merge(a, {})).toEqual(a);
  expect(isEmpty(merge({}, {}))).toBe(true);
  expect(atLeast('read', undefined)).toBe('read');
  expect(atLeast('edit', 'read')).toBe('edit');
  const many = Array.from({ length: 40 }, (_, n) => `/project/${n}`);
  expect(merge({ directories: many }, {}).directories).toHaveLength(16);
});

test('what would lift a denial without a ceiling is known, and given when the ceiling is raised', () => {
  const report = denied({ kind: 'directory', path: '/etc', write: true });
  expect(correctionFor(report, ceiling('edit'))).toBeUndefined();
  const wanted = wantedCorrection(report, ceiling('edit')) ?? {};
  expect(wanted).toEqual({ access: 'edit', directories: ['/etc'] });
  expect(boundCorrection(wanted, ceiling('read'))).toEqual({});
  expect(boundCorrection(wanted, ceiling('edit', ['/etc']))).toEqual(wanted);
  expect(wantedCorrection(denied(undefined), ceiling('read'))).toBeUndefined();
});

test('flags that a version does not know are left out for that version alone', () => {
  const learned: Correction = { withoutFlags: ['--a'], version: '1.0.0', skipGitCheck: true };
  expect(boundCorrection(learned, ceiling('read'), '1.0.0')).toEqual(learned);
  expect(boundCorrection(learned, ceiling('read'), '1.1.0')).toEqual({ skipGitCheck: true });
  expect(merge(learned, { withoutFlags: ['--b'], version: '1.0.0' }).withoutFlags).toEqual(['--a', '--b']);
  expect(merge(learned, { withoutFlags: ['--b'], version: '1.1.0' })).toEqual({
    withoutFlags: ['--b'],
    version: '1.1.0',
    skipGitCheck: true,
  });
});
