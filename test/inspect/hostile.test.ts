/** Content that is made to hurt: every case must give a report of a sane size in bounded time. */
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inspect } from '../../src/agents/inspect/inspect.ts';
import { code, fence, table } from '../../src/agents/inspect/markup.ts';
import { headline, report, tempFolder } from './report.ts';

const MiB = 2 ** 20;
const maxReport = 64 * 1024;

const aliases = [...'bcdefghi'].map(
  (name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`).join()}]`,
);

const cases: readonly [string, string | Buffer, RegExp][] = [
  ['line.txt', 'a'.repeat(10 * MiB), /^Text, 1 line$/],
  ['line.json', `["${'a'.repeat(10 * MiB)}"`, /^JSON, not valid: line 1, column 10485764/],
  ['columns.csv', `${'a,'.repeat(99_999)}b\n`.repeat(3), /^CSV, \d rows × 100,000 columns/],
  ['quotes.csv', 'x,"y\n'.repeat(200_000), /^CSV, 200,000 rows|^CSV, /],
  ['deep.json', '['.repeat(100_000), /^JSON, not valid: line 1, column 100001/],
  ['deep-valid.json', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, /^JSON, valid/],
  ['deep.yaml', '['.repeat(100_000), /^YAML, not valid/],
  ['deep.toml', `a = ${'['.repeat(100_000)}`, /^TOML, not valid/],
  [
    'bomb.yaml',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${aliases.join('\n')}\n`,
    /^YAML, valid, object with 9 keys, 72 aliases$/,
  ],
  ['keys.yaml', Array.from({ length: 30_000 }, (_, n) => `k${n}: 1`).join('\n'), /^YAML, valid/],
  ['bomb.gz', gzipSync(Buffer.alloc(64 * MiB)), /^gzip of: Binary data/],
  ['bomb.log.gz', gzipSync(Buffer.alloc(64 * MiB, 'ERROR x\n')), /^gzip of: Log, at least/],
  ['brackets.md', '[a]('.repeat(60_000), /^Markdown/],
  ['emphasis.md', '*a_'.repeat(60_000), /^Markdown/],
  ['quotes.md', `${'> - '.repeat(30)}a\n`.repeat(500), /^Markdown/],
  ['dots.log', `ERROR ${'1.'.repeat(250)}\n`.repeat(4_000), /^Log, 4,000 lines, 4,000 errors of 1 kind$/],
  ['mail.log', `ERROR ${'a.'.repeat(250)}@\n`.repeat(4_000), /^Log, 4,000 lines/],
  ['deep.js', '('.repeat(200_000), /^JavaScript/],
  ['deep.py', Array.from({ length: 500 }, (_, n) => `${' '.repeat(n)}if x:`).join('\n'), /^Python/],
  ['tags.svg', '<svg '.repeat(200_000), /image|^Text|XML/],
];

test.each(cases)('%s', async (name, content, first) => {
  const start = performance.now();
  const text = await report(name, content);
  expect(headline(text)).toMatch(first);
  expect(text).not.toContain('could not be analysed');
  expect(text.length).toBeLessThan(maxReport);
  // Far above what was measured (1.5 s at most): the machine may be busy. A quadratic step would take minutes.
  expect(performance.now() - start).toBeLessThan(60_000);
});

test('a text on which the parser of source code loses itself is given up, and the next file is parsed again', async () => {
  const text = await report('a.rs', 'r#"'.repeat(80_000));
  expect(text).toContain('The parser gave up on this file');
  expect(await report('b.rs', 'fn f() {}\n')).toContain('`f`');
});

test('a sparse file of 5 GiB costs what its first bytes cost', async () => {
  const path = join(await tempFolder(), 'big');
  await writeFile(path, '');
  await truncate(path, 5 * 2 ** 30);
  for (const rel of ['big.bin', 'big.csv', 'big.png', 'big.gz', 'big']) {
    const start = performance.now();
    const before = process.memoryUsage().arrayBuffers;
    const text = await inspect({ path, rel, bytes: 5 * 2 ** 30 }, new AbortController().signal);
    expect(headline(text)).toContain('5 GiB');
    expect(performance.now() - start).toBeLessThan(60_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * MiB);
  }
});

test('a long text is analysed at its start and counted further on', async () => {
  const text = await report('a.txt', Buffer.alloc(20 * MiB, 'word\n'));
  expect(headline(text)).toMatch(/^Text, at least 3,355,44\d lines$/);
  expect(text).toMatch(/Not analysed \| 4 MiB \([\d,]+ bytes\) at the end; 838,86\d more line ends/);
});

test('an abort ends it at once', async () => {
  const path = join(await tempFolder(), 'a.txt');
  await writeFile(path, Buffer.alloc(64 * MiB, 'a\n'));
  const reason = new Error('stopped');
  const file = { path, rel: 'a.txt', bytes: 64 * MiB };
  await expect(inspect(file, AbortSignal.abort(reason))).rejects.toBe(reason);
  const controller = new AbortController();
  const running = inspect(file, controller.signal);
  setImmediate(() => controller.abort(reason));
  await expect(running).rejects.toBe(reason);
});

test('an abort ends the parser of source code too', async () => {
  const path = join(await tempFolder(), 'a.rs');
  await writeFile(path, 'r#"'.repeat(80_000));
  const running = inspect({ path, rel: 'a.rs', bytes: 240_000 }, AbortSignal.timeout(300));
  await expect(running).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('a missing file is the system’s error', async () => {
  const path = join(await tempFolder(), 'gone');
  await expect(inspect({ path, rel: 'gone', bytes: 1 }, new AbortController().signal)).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

const nasty = [
  '`````\n# injected\n`````',
  '</td></tr><script>alert(1)</script>',
  '| a | b |\n|---|---|',
  '\\| \\` ``x`',
  '\u202egnp.exe\u0000\u001b[31m',
  '![x](http://evil.example/)',
].join('\n');

test.each(['a.txt', 'a.md', 'a.json', 'a.yaml', 'a.toml', 'a.csv', 'a.log', 'a.js', 'a.`|<b>', 'a'])(
  'content that tries to break out of the report stays quoted: %s',
  async (name) => {
    const rows =
      name === 'a.csv'
        ? `"${nasty.replaceAll('"', '""')}",b\n1,2\n`
        : name === 'a.log'
          ? `ERROR ${nasty.replaceAll('\n', '\nERROR ')}`
          : nasty;
    for (const content of [rows, JSON.stringify({ [nasty]: nasty }), `# ${nasty}`]) {
      const text = await report(name, content);
      expect(unquoted(text)).not.toMatch(/<script|injected|evil/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    }
  },
);

test('a code span shows the text and nothing else, in a table too', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('`', '|', '\\', ' ', 'a', '\n', '<', '\u202e'), maxLength: 12 }),
      (text) => {
        expect(unquoted(`x ${code(text)} y`)).toBe(text === '' ? 'x (empty) y' : 'x  y');
        const row = table(['h'], [[code(text)]]).split('\n')[2] as string;
        // Pipes that no backslash hides: the two at the ends of the row.
        expect(row.replace(/\\[\\|]/g, '').match(/\|/g)).toHaveLength(2);
        expect(unquoted(fence([text]))).toBe('');
      },
    ),
  );
});

test('any bytes under any extension give a report, in bounded time and size', async () => {
  const folder = await tempFolder();
  const extension = fc.constantFrom(
    '',
    'csv',
    'tsv',
    'json',
    'jsonl',
    'yaml',
    'toml',
    'md',
    'log',
    'png',
    'jpg',
    'gif',
    'webp',
    'bmp',
    'svg',
    'gz',
    'zip',
    'pdf',
    'ts',
    'py',
    'sql',
    'html',
    'txt',
    'a`b',
  );
  const start = fc.constantFrom(
    '',
    '\x89PNG\r\n\x1a\n',
    '\x89PNG\r\n\x1a\n\0\0\0\rIHDR',
    '\xff\xd8\xff',
    'GIF89a',
    'PK\x03\x04',
    'PK\x05\x06',
    '\x1f\x8b\x08\0',
    '%PDF-1.4',
    'RIFF\0\0\0\0WEBPVP8 ',
    'BM',
    '\xff\xfe',
    '\xfe\xff',
    '\xef\xbb\xbf',
    '---\n',
    '{"a":',
    '#!',
    '<svg ',
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
    fc
      .string({ unit: fc.constantFrom(...'`#[](){}<>|,;:"\'\\-*_ \n\t=&!1a'), maxLength: 200 })
      .map((text) => Buffer.from(text)),
  );
  await fc.assert(
    fc.asyncProperty(extension, start, bytes, async (ending, head, rest) => {
      const rel = ending === '' ? 'file' : `file.${ending}`;
      const content = Buffer.concat([Buffer.from(head, 'latin1'), rest]);
      await writeFile(join(folder, rel), content);
      const begin = performance.now();
      const text = await inspect(
        { path: join(folder, rel), rel, bytes: content.length },
        new AbortController().signal,
      );
      expect(text).not.toContain('could not be analysed');
      expect(text.length).toBeLessThan(16 * 1024);
      expect(performance.now() - begin).toBeLessThan(60_000);
    }),
    { numRuns: 400 },
  );
});

/** The Markdown without its code spans and fenced blocks, as CommonMark delimits them. */
function unquoted(markdown: string): string {
  const withoutFences = markdown.replace(/^(`{3,})[^`\n]*\n(?:[\s\S]*?\n)?\1`*$/gm, '');
  return withoutFences.replace(/(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, '');
}
