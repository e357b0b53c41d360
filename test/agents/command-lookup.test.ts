import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CommandLookup } from '../../src/agents/command-lookup.ts';
import { tempDir } from './attempts.ts';

function folders(): { first: string; second: string; path: string } {
  const dir = tempDir();
  const [first, second] = ['first', 'second'].map((name) => join(dir, name)) as [string, string];
  for (const folder of [first, second]) mkdirSync(folder);
  return { first, second, path: `${first}:${second}` };
}

function program(folder: string, text = '#!/bin/sh\n'): string {
  const file = join(folder, 'tool');
  writeFileSync(`${file}.new`, text, { mode: 0o755 });
  renameSync(`${file}.new`, file);
  return file;
}

test('what stands in the place of a command that was found is seen at once', () => {
  const { second, path } = folders();
  const file = program(second);
  const lookup = new CommandLookup();
  const before = lookup.find('tool', path, '/');
  expect(before).toMatchObject({ file });
  program(second, '#!/bin/sh\nexit 1\n');
  const after = lookup.find('tool', path, '/');
  expect(after).toMatchObject({ file, stat: { size: 17 } });
  chmodSync(file, 0o644);
  expect(lookup.find('tool', path, '/')).toMatchObject({ code: 'EACCES', isFile: true });
  rmSync(file);
  expect(lookup.find('tool', path, '/')).toMatchObject({ code: 'ENOENT' });
});

test('a command that was in none of the folders, or is gone from its own, is looked for in all', () => {
  const { first, second, path } = folders();
  const lookup = new CommandLookup();
  expect(lookup.find('tool', path, '/')).toMatchObject({ code: 'ENOENT' });
  const file = program(second);
  expect(lookup.find('tool', path, '/')).toMatchObject({ file });
  rmSync(file);
  const other = program(first);
  expect(lookup.find('tool', path, '/')).toMatchObject({ file: other });
  expect(lookup.find('tool', second, '/')).toMatchObject({ code: 'ENOENT' });
});
