import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CliLine } from '../../../src/agents/cli/kind.ts';
import { LineSplitter } from '../../../src/agents/cli/lines.ts';

function split(chunks: readonly Buffer[]): CliLine[] {
  const lines: CliLine[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk);
    splitter.push(reused);
    reused.fill(0);
  }
  splitter.end();
  return lines;
}

test('lines are objects, texts, or left out', () => {
  const text = '{"a":1}\nplain\n\n[1]\n{"torn":\n"{"\n{"b":"ü"}';
  expect(split([Buffer.from(text)])).toEqual([
    { kind: 'json', value: { a: 1 } },
    { kind: 'text', text: 'plain' },
    { kind: 'text', text: '[1]' },
    { kind: 'text', text: '{"torn":' },
    { kind: 'text', text: '"{"' },
    { kind: 'json', value: { b: 'ü' } },
  ]);
});

test('a byte order mark, ends of lines of Windows, NUL and bytes that are no text break one line at most', () => {
  const bytes = Buffer.concat([
    Buffer.from('\ufeff{"a":1}\r\n\u0000{"b":2}\n\r\n{"c":"'),
    Buffer.from([0xff, 0xc3]),
    Buffer.from('"}\r\n{"d":4}'),
  ]);
  expect(split([bytes])).toEqual([
    { kind: 'json', value: { a: 1 } },
    { kind: 'text', text: '\u0000{"b":2}' },
    { kind: 'json', value: { c: '\ufffd\ufffd' } },
    { kind: 'json', value: { d: 4 } },
  ]);
});

test('ten megabytes in one line are read, more than sixteen are counted', () => {
  const line = (bytes: number) => Buffer.from(`${JSON.stringify({ x: 'a'.repeat(bytes) })}\n`);
  const chunks: Buffer[] = [];
  const whole = Buffer.concat([line(10 << 20), line(17 << 20), line(1)]);
  for (let at = 0; at < whole.length; at += 1 << 16) chunks.push(whole.subarray(at, at + (1 << 16)));
  const kinds = split(chunks);
  expect(kinds.map(({ kind }) => kind)).toEqual(['json', 'oversized', 'json']);
  expect(kinds[1]).toEqual({ kind: 'oversized', bytes: (17 << 20) + 8 });
  expect(split([whole]).map(({ kind }) => kind)).toEqual(['json', 'oversized', 'json']);
});

test('how it is cut into chunks changes nothing', () => {
  const part = fc.oneof(
    fc.json().map((text) => `${text}\n`),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constant('\n'),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), fc.array(fc.nat(50), { maxLength: 30 }), (parts, cuts) => {
      const whole = Buffer.from(parts.join(''));
      const chunks: Buffer[] = [];
      let at = 0;
      for (const cut of cuts) {
        chunks.push(whole.subarray(at, at + cut));
        at += cut;
      }
      chunks.push(whole.subarray(at));
      expect(split(chunks)).toEqual(split([whole]));
    }),
  );
});
