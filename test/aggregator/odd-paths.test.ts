import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { longPlace, resultPlace, rootFolder } from '../../src/aggregator/places.ts';
import { shownName } from '../../src/aggregator/shown-name.ts';
import { outputFile } from '../../src/aggregator/standing.ts';
import { createRig, sha256, treeOf } from './rig.ts';

const placed: [path: string, where: 'plain' | 'long'][] = [
  ['a.txt', 'plain'],
  ['-rf', 'plain'],
  ['a b/"c"/$(d)/`e`', 'plain'],
  ['line\nbreak', 'plain'],
  ['...', 'plain'],
  ['.hidden', 'plain'],
  ['\uef80bytes', 'plain'],
  ['n'.repeat(255), 'plain'],
  ['ä'.repeat(127), 'plain'],
  ['n'.repeat(256), 'long'],
  ['ä'.repeat(128), 'long'],
  ['..', 'long'],
  ['a/../../b', 'long'],
  ['a//b', 'long'],
  ['/etc/passwd', 'long'],
  ['.', 'long'],
  ['', 'long'],
  ['a\0b', 'long'],
  [Array(40).fill('d'.repeat(99)).join('/'), 'long'],
];

test.each(placed)('the place of %j is %s', (path, where) => {
  const place = resultPlace('/p/processed', 'inbox', path);
  expect(place).toEqual(
    where === 'plain' ? ['files', 'inbox', ...path.split('/')] : longPlace('inbox', path),
  );
  expect(place.every((name) => name !== '' && name !== '.' && name !== '..' && !name.includes('/'))).toBe(
    true,
  );
});

test('a root keeps its name unless it could lead elsewhere', () => {
  expect(rootFolder('in box')).toBe('in box');
  for (const name of ['..', '.', '', 'a/b', 'a\0', 'n'.repeat(256)])
    expect(rootFolder(name)).toMatch(/^~root-[0-9a-f]{32}$/);
});

test.each([
  ['plain.txt', 'plain.txt'],
  ['line\nbreak', 'line\\nbreak'],
  ['invoice\u202efdp.exe', 'invoice\\u{202e}fdp.exe'],
  ['\uef80\uefff', '\\x80\\xff'],
  ['zero\u200bwidth', 'zero\\u{200b}width'],
  ['\ud800', '\\u{d800}'],
  ['naïve 文件 👩', 'naïve 文件 👩'],
])('%j is shown as %s', (name, shown) => expect(shownName(name)).toBe(shown));

/** Few names, so that paths meet: a file here is a folder there, and both have the names that results use. */
const name = fc.oneof(
  fc.constantFrom('a', 'result.md', 'outputs', 'receipt.json', '.receipt.tmp', '~long'),
  fc.constantFrom(
    '$(touch x)',
    '-rf',
    'a\nb',
    '\uef80\uefff',
    'é',
    'e\u0301',
    '\u202egnp',
    'n'.repeat(255),
    'w'.repeat(300),
    '...',
    '..',
  ),
);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
const drop = fc.record({
  path,
  text: fc.boolean(),
  outputs: fc.uniqueArray(
    fc.constantFrom('x', 'result.md', 'receipt.json', 'outputs/receipt.json', 'd/y', '\uef80'),
  ),
});

test('whatever the paths: every result is whole, where it belongs or in the history', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(drop, { minLength: 1, maxLength: 8 }), async (drops) => {
      await using rig = createRig();
      await using aggregator = rig.start();
      const jobs = [];
      for (const [i, { path, text, outputs }] of drops.entries()) {
        const texts = Object.fromEntries(outputs.filter(fits(outputs)).map((name) => [name, `${i} ${name}`]));
        const { job, workDir } = await rig.endJob(path, {
          ...(text && { result: `result ${i}` }),
          outputs: texts,
        });
        await aggregator.publish(job, workDir);
        jobs.push({ job, text: text ? `result ${i}` : undefined });
      }
      for (const { job, text } of jobs) {
        const found = await aggregator.locate(job);
        expect(found, job.input.path).toBeDefined();
        expect(found?.resultFile && readFileSync(found.resultFile, 'utf8')).toBe(text);
        for (const output of job.outputs) {
          expect(sha256(readFileSync(outputFile(found?.outputsDir ?? '', output.path)))).toBe(output.sha256);
        }
      }
      // The newest of all stands in the output folder, not in the history.
      const newest = await aggregator.locate(jobs.at(-1)?.job as never);
      for (const file of Object.values(newest ?? {}))
        expect(file.startsWith(join(rig.output, 'files'))).toBe(true);
      expect(
        Object.keys(treeOf(rig.dir)).filter((file) => !/^(processed\/files|\.sluice)\//.test(file)),
      ).toEqual([]);
      expect(Object.keys(treeOf(rig.dir)).filter((file) => file.includes('~displaced'))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

/** An output cannot be a file and the folder of another one. */
function fits(all: readonly string[]): (name: string) => boolean {
  return (name) => !all.some((other) => other.startsWith(`${name}/`));
}
