/** The daemon makes these places outside of every sandbox: what it makes, and what it leaves as it is. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HomePlace } from '../../../src/agents/cli/kind.ts';
import { homePlaces, makeLinks, makeProtected, makeWritable } from '../../../src/agents/cli/places.ts';
import { tempDir } from '../attempts.ts';

const own = (home: string, ...places: readonly HomePlace[]) => homePlaces(places, { HOME: home });

test('where a place is: in the home, or where its variable says, if that is a whole path', () => {
  const place: HomePlace = { path: '.own', variable: 'OWN_HOME', below: 'sessions' };
  const at = (env: Record<string, string>) => homePlaces([place], env).map(({ path }) => path);
  expect(at({ HOME: '/home/u' })).toEqual(['/home/u/.own/sessions']);
  expect(at({ HOME: '/home/u', OWN_HOME: '/elsewhere' })).toEqual(['/elsewhere/sessions']);
  expect(at({ HOME: '/home/u', OWN_HOME: 'relative' })).toEqual(['/home/u/.own/sessions']);
  expect(at({ OWN_HOME: '' })).toEqual([]);
});

test('folders are made for their owner alone; files are not, and what is only read is not written', () => {
  const home = tempDir();
  writeFileSync(join(home, 'there.json'), '{}');
  writeFileSync(join(home, 'occupied'), '');
  const places = own(
    home,
    ...[{ path: '.own/deep' }, { path: 'there.json', isFile: true }, { path: 'missing.json', isFile: true }],
    ...[{ path: 'there.json', isFile: true, isReadOnly: true }, { path: 'occupied/x' }],
  );
  expect(makeWritable(places)).toEqual([join(home, '.own/deep'), join(home, 'there.json')]);
  expect(statSync(join(home, '.own/deep')).mode & 0o777).toBe(0o700);
  expect(existsSync(join(home, 'missing.json'))).toBe(false);
});

test('what is to be protected is made where it is missing, and left as it is where it is not', () => {
  const home = tempDir();
  mkdirSync(join(home, '.own'));
  writeFileSync(join(home, '.own/settings.json'), '{"mine":1}');
  const files = [
    ...[
      { path: 'settings.json', content: '{}' },
      { path: 'hooks.json', content: '{}' },
    ],
    ...[{ path: 'skills' }, { path: '.' }],
  ];
  const names = ['.own/settings.json', '.own/hooks.json', '.own/skills', '.own'];
  const readOnly = [
    { path: '.own/hooks.json', isFile: true, isReadOnly: true },
    { path: 'missing', isFile: true, isReadOnly: true },
  ];
  const places = own(home, { path: '.own', protected: files }, ...readOnly);
  expect(makeProtected(places)).toEqual([...names, '.own/hooks.json'].map((name) => join(home, name)));
  expect(readFileSync(join(home, '.own/settings.json'), 'utf8')).toBe('{"mine":1}');
  expect(readFileSync(join(home, '.own/hooks.json'), 'utf8')).toBe('{}');
  expect(statSync(join(home, '.own/skills')).isDirectory()).toBe(true);
});

test('what cannot be made cannot be protected', () => {
  const home = tempDir();
  writeFileSync(join(home, '.own'), 'a file');
  const places = own(home, { path: '.own', protected: [{ path: 'settings.json', content: '{}' }] });
  expect(() => makeProtected(places)).toThrow(expect.objectContaining({ code: 'SANDBOX_UNAVAILABLE' }));
});

test('links lead to files that are there; what stood in their place is gone', () => {
  const dir = tempDir();
  writeFileSync(join(dir, 'auth.json'), '{}');
  mkdirSync(join(dir, 'work'));
  writeFileSync(join(dir, 'work/auth.json'), 'old');
  makeLinks([
    [join(dir, 'work/auth.json'), join(dir, 'auth.json')],
    [join(dir, 'work/home/auth.json'), join(dir, 'auth.json')],
    [join(dir, 'work/gone.json'), join(dir, 'gone.json')],
  ]);
  for (const name of ['work/auth.json', 'work/home/auth.json'])
    expect(readlinkSync(join(dir, name))).toBe(join(dir, 'auth.json'));
  expect(lstatSync(join(dir, 'work/gone.json'), { throwIfNoEntry: false })).toBeUndefined();
});
