import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkPlaceholders,
  interpolate,
  interpolateWord,
  literal,
  parseWord,
  placeholderValues,
  renderPrompt,
  unliteral,
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

test.for([
  ["${{ file.ext == '.py' && 'a' || 'b' }}", 'a'],
  ['${{ file.bytes > 5 }} ${{ file.bytes }}', 'true 7'],
  ["${{ startsWith(file.rel, 'x/') && file.stem || 'no' }}.out", 'y.out'],
  ['${{ length(files) }} ${{ files[1].name }} ${{ files[2].name }}', '2 b '],
  ["$${{ file.name }} ${{ '}}' }}", '${{ file.name }} }}'],
  ["${{ prompt != '' && format('say {0}', prompt) }}", 'say p'],
] as const)('%s in a command', ([text, filled]) => {
  const inputs = [input('x/y.py'), input('b')];
  expect(checkPlaceholders(text)).toEqual([]);
  expect(interpolate(text, placeholderValues(input('x/y.py'), 'p', inputs))).toBe(filled);
});

test('`${{ files }}` alone is one argument per file, everything else one argument', () => {
  const values = placeholderValues(input('a'), '', [input('a b'), input('${{ files }}'), input("'\n")]);
  expect(interpolateWord(parseWord('${{ files }}'), values)).toEqual([
    '/r/inbox/a b',
    '/r/inbox/${{ files }}',
    "/r/inbox/'\n",
  ]);
  expect(interpolateWord(parseWord('${{ files }}'), placeholderValues(input('a')))).toEqual(['/r/inbox/a']);
  for (const word of ['', 'a b', 'x${{ file.path }}', '${{ toJSON(files) }}', '${{ prompt }}'])
    expect(interpolateWord(parseWord(word), values)).toHaveLength(1);
});

test.for([
  ["${{ file.bytes == '7' }}", '`==` compares number with text'],
  ['${{ file.name + 1 }}', '"+" has no meaning here'],
  ['${{ file.name', '`${{` is not closed'],
  ["${{ glob('**') }}", 'glob() has no meaning here'],
  ['${{ always() }}', 'always() has no meaning here'],
  ['x ${{ file.name }} ${{ file.pth && prompt }}', 'unknown value "file.pth"'],
] as const)('%s is told when it is loaded', ([text, message]) => {
  const at = text.lastIndexOf('${{');
  expect(checkPlaceholders(text)).toMatchObject([{ at, message, fix: expect.stringMatching(/\w/) }]);
});

test('a prompt does not hold a list of files', () => {
  expect(checkPlaceholders('See ${{ files }}', 'prompt')).toMatchObject([{ name: 'files', at: 4 }]);
  expect(checkPlaceholders('${{ length(files) }} files', 'prompt')).toEqual([]);
  expect(checkPlaceholders('${{ files }} ${{ file.nme }} ${{ a b }}', 'prompt').map(({ at }) => at)).toEqual([
    0, 13, 29,
  ]);
  expect(checkPlaceholders('${{ files }}')).toEqual([]);
  expect(renderPrompt('${{ length(files) }}', input('a'), [input('a'), input('b')])).toBe('2');
});

test('text of an expression that looks like bytes means itself', () => {
  const values = placeholderValues(input(pathFromBytes(Buffer.from([0x66, 0xff]))));
  const out = interpolate("${{ format('\uef80{0}', file.name) }}", values);
  expect(pathToBytes(out)).toEqual(Buffer.concat([Buffer.from('\uef80f'), Buffer.from([0xff])]));
  expect(interpolate("${{ file.name == 'f\uefff' }}", values)).toBe('false');
});

test('literal text means itself, there and back; names that are no text stay what they are', () => {
  const name = pathFromBytes(Buffer.from('caf\xe9', 'latin1'));
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '\uef80', '\uefbf', '\uefee', '\uefff', 'é', '😀') }),
      (text) => {
        expect(pathToBytes(literal(text)).toString('utf8')).toBe(text);
        expect(unliteral(literal(text))).toBe(text);
      },
    ),
  );
  expect(unliteral(`${literal('\uef81')} ${name}`)).toBe(`\uef81 ${name}`);
});
