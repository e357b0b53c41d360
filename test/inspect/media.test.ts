import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inspect, nameDependence } from '../../src/agents/inspect/inspect.ts';
import { headline, report } from './report.ts';

const drops = join(import.meta.dirname, '../../scripts/demo/files');
const drop = (rel: string) => readFile(join(drops, rel));

test('images: format, dimensions, depth, orientation', async () => {
  const png = await report('a.png', await drop('images/shelf.png'));
  expect(headline(png)).toBe('PNG image, 160 × 120 pixels');
  expect(png).toContain('8 bits per channel, RGB');
  expect(await report('a.jpg', await drop('images/shelf.jpg'))).toContain('EXIF orientation: 6');
  expect(headline(await report('a.gif', await drop('images/logo.gif')))).toBe('GIF image, 48 × 48 pixels');
});

test('a PNG that was cut off, and one with a changed byte', async () => {
  const whole = await drop('images/shelf.png');
  expect(headline(await report('a.png', whole.subarray(0, 300)))).toContain(
    '**damaged**: its IDAT chunk is cut off',
  );
  expect(headline(await report('a.png', whole.subarray(0, 40)))).toContain('before the end chunk');
  const changed = Buffer.from(whole);
  changed[100] = (changed[100] as number) ^ 1;
  expect(headline(await report('a.png', changed))).toContain('the checksum of its IDAT chunk is wrong');
});

test('cut-off JPEG, GIF, ZIP and PDF are said to be damaged', async () => {
  for (const rel of [
    'images/shelf.jpg',
    'images/logo.gif',
    'mixed/price-list.zip',
    'invoices/delivery-note.pdf',
  ]) {
    const whole = await drop(rel);
    expect(headline(await report(rel, whole)), rel).not.toContain('damaged');
    expect(headline(await report(rel, whole.subarray(0, Math.floor(whole.length / 2)))), rel).toContain(
      'damaged',
    );
  }
});

test('a ZIP lists what is in it', async () => {
  const text = await report('a.zip', await drop('mixed/price-list.zip'));
  expect(headline(text)).toMatch(/^ZIP file, 2 entries, 118 bytes unpacked$/);
  expect(text).toContain('| `prices/README.txt` | 22 |');
});

test('text: encodings, line ends, trailing space, unprintable characters', async () => {
  const utf16 = await report('a.txt', await drop('mixed/note-utf16.txt'));
  expect(utf16).toContain('`UTF-16LE` with a byte order mark');
  expect(utf16).toContain('Grüße aus Halle');
  expect(await report('a.txt', await drop('mixed/old-letter.txt'))).toContain('`ISO-8859-1` (a guess)');
  const mixed = await report('a.txt', 'one \r\ntwo\n\x07three');
  expect(mixed).toContain('mixed: LF × 1, CRLF × 1; none after the last line');
  expect(mixed).toContain('| Trailing space | 1 line, first line 1 |');
  expect(mixed).toContain('1 character, first `\\x07` in line 3');
  expect(mixed).toContain('longest line: 6 characters (line 3)');
});

test('an extension that promises something else is noted', async () => {
  const text = await report('photo.png', 'not a picture\n');
  expect(headline(text)).toBe('Text, 1 line');
  expect(text).toContain('The extension `.png` promises `image/png`');
  expect(headline(await report('note.txt', 'BM is how a bitmap begins\n'))).toBe('Text, 1 line');
});

test('an empty file', async () => {
  expect(headline(await report('a.csv', ''))).toBe('Empty file');
});

test('every demo file has a report', async () => {
  const entries = await readdir(drops, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  expect(files.length).toBeGreaterThanOrEqual(40);
  let bytes = 0;
  for (const path of files) {
    const { size } = await stat(path);
    bytes += size;
    const rel = path.slice(drops.length + 1);
    const text = await inspect({ path, rel, bytes: size }, new AbortController().signal);
    expect(text, rel).not.toContain('could not be analysed');
    expect(text.length, rel).toBeGreaterThan(100);
  }
  expect(bytes).toBeLessThan(500_000);
});

test.each([
  ['a/orders.csv', '.csv'],
  ['b/OTHER.CSV', '.csv'],
  ['app.log.gz', '.log.gz'],
  ['x/Makefile', 'makefile'],
  ['.bashrc', '.bashrc'],
  ['docs/a.md', 'docs/a.md'],
])('of the name %s, %s decides the report', (rel, decides) => {
  expect(nameDependence(rel)).toBe(decides);
});
