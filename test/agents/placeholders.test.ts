import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkPlaceholders,
  interpolate,
  placeholderValues,
  renderPrompt,
} from '../../src/agents/placeholders.ts';
import { pathFromBytes, pathToBytes } from '../../src/types/path-bytes.ts';

const input = (path: string) => ({
  rootDir: '/r/inbox',
  path,
  file: `/r/inbox/${path}`,
  sha256: 'ab',
  bytes: 7,
});

test.for([
  ['a/b.tar.gz', { name: 'b.tar.gz', stem: 'b.tar', ext: '.gz', dir: '/r/inbox/a' }],
  ['plain', { name: 'plain', stem: 'plain', ext: '', dir: '/r/inbox' }],
  ['.hidden', { name: '.hidden', stem: '.hidden', ext: '' }],
  ['...', { name: '...', stem: '..', ext: '.' }],
  ['a b/-x .txt', { name: '-x .txt', stem: '-x ', ext: '.txt', dir: '/r/inbox/a b' }],
] as const)('the parts of %s', ([path, parts]) => {
  const values = placeholderValues(input(path));
  for (const [part, value] of Object.entries(parts))
    expect(values[`file.${part}` as 'file.name']).toBe(value);
  expect(values['file.path']).toBe(`/r/inbox/${path}`);
  expect(values['file.rel']).toBe(path);
});

test('values are filled in once, whatever they hold', () => {
  const values = placeholderValues(input('${{ prompt }} $(id) "\n'), 'say ${{ file.sha256 }}');
  expect(interpolate('<${{ file.rel }}|${{file.bytes}}|${{  prompt }}>', values)).toBe(
    '<${{ prompt }} $(id) "\n|7|say ${{ file.sha256 }}>',
  );
  expect(renderPrompt('Review ${{ file.name }}', input('x/a.ts'))).toBe('Review a.ts');
});

test.for([
  ['${{ file.path }} ${{ prompt }}', []],
  ['no placeholder, ${env:X}, ${ file }', []],
  ['${{ file.pth }}', [{ name: 'file.pth', at: 0, suggestion: 'file.path' }]],
  ['a ${{ path }}', [{ name: 'path', at: 2, suggestion: 'file.path' }]],
  ['${{ steps.a.result }}', [{ name: 'steps.a.result', at: 0 }]],
  ['${{}}', [{ name: '', at: 0 }]],
  [
    '${{ Prompt }}${{ file.sha }}',
    [
      { name: 'Prompt', at: 0, suggestion: 'prompt' },
      { name: 'file.sha', at: 13 },
    ],
  ],
] as const)('%s is checked', ([text, bad]) => {
  expect(checkPlaceholders(text)).toMatchObject(bad);
  expect(checkPlaceholders(text)).toHaveLength(bad.length);
});

test('a prompt does not hold itself', () => {
  expect(checkPlaceholders('${{ prompt }}', 'prompt')).toMatchObject([{ name: 'prompt', at: 0 }]);
});

test('any bytes of a name, and any text around them, come out as they are', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      fc.string({ unit: 'binary' }),
      (name, text) => {
        fc.pre(!name.includes(0x2f) && !name.includes(0) && !text.includes('${{') && text.isWellFormed());
        const values = placeholderValues(input(pathFromBytes(name)));
        const out = pathToBytes(interpolate(`${text}\${{ file.rel }}${text}\uef80`, values));
        const around = Buffer.from(text);
        expect(out).toEqual(Buffer.concat([around, name, around, Buffer.from('\uef80')]));
      },
    ),
  );
});
