import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellType } from '../../src/agents/inspect/kinds/csv-column.ts';
import { csvRecords } from '../../src/agents/inspect/kinds/csv-reader.ts';
import { headline, report } from './report.ts';

const orders = `id,day,amount,paid,note
1,2025-03-01,4.90,true,first
2,2025-03-02,12.50,false,"a, b"
3,2025-03-03,7
4,2025-03-04,39.00,true,"two
lines"
5,2025-03-05,1.00,true,"never closed
6,2025-03-06,2.00,true,x,surplus
7,2025-03-07,three,true,"x"y
1,2025-03-01,4.90,true,first

8,2025-03-08,-3.25,true,
`;

test('bad rows are named by line and reason, and spoil no other row', async () => {
  const text = await report('orders.csv', orders);
  expect(headline(text)).toBe('CSV, 9 rows × 5 columns, 4 bad rows');
  expect(text).toContain('line 4: 3 fields instead of 5');
  expect(text).toContain('line 7: quote is not closed');
  expect(text).toContain('line 8: 6 fields instead of 5');
  expect(text).toContain('line 9: text after a closing quote');
  expect(text).toContain('blank lines: 1');
  expect(text).toContain('(line 10 = line 2)');
});

test('columns have types, ranges and empties', async () => {
  const text = await report('orders.csv', orders);
  expect(text).toContain('| 1 | `id` | integer | 0 | 1 | 8 |');
  expect(text).toContain('| 2 | `day` | date | 0 | `2025-03-01` | `2025-03-08` |');
  expect(text).toContain('| 3 | `amount` | number | 0 | -3.25 | 39 |');
  expect(text).toContain('| 4 | `paid` | boolean | 0 |  |  |');
  expect(text).toContain('| 5 | `note` | text | 1 |  |  |');
});

test('the odd values of a column are named with their first line', async () => {
  const rows = Array.from({ length: 20 }, (_, n) => (n === 11 ? 'none,x' : `${n},x`));
  const text = await report('a.csv', `count,word\n${rows.join('\n')}\n`);
  expect(text).toContain('| integer: 1 text, first `none` in line 13 | 0 | 0 | 19 |');
});

test('a byte that is not valid UTF-8 makes its row bad', async () => {
  const lines = Buffer.from('name,town\nJörg,Köln\nJ\0rg,Ulm\nÄnne,Bonn\n');
  lines[lines.indexOf(0)] = 0xf6;
  const text = await report('a.csv', lines);
  expect(headline(text)).toBe('CSV, 3 rows × 2 columns, 1 bad row');
  expect(text).toContain('line 3: bytes that are not valid in the encoding');
});

test.each([
  ['semicolon', 'a;b;c\n1,5;2;x\n2,5;3;y\n', '3 columns'],
  ['pipe', 'a|b\n1|2\n3|4\n', '2 columns'],
  ['tab', 'a\tb\n1\t2\n', '2 columns'],
  ['comma', 'a,b\n1,2\n', '2 columns'],
])('the delimiter is found: %s', async (name, content, columns) => {
  const text = await report('a.csv', content);
  expect(text).toContain(`Delimiter: ${name}.`);
  expect(headline(text)).toContain(columns);
});

test('a decimal comma makes a number where the comma does not separate', async () => {
  expect(await report('a.csv', 'a;b\n1,5;x\n1.249,00;y\n')).toContain(
    '| 1 | `a` | number | 0 | 1.5 | 1,249 |',
  );
});

test('a file without a header counts its first row', async () => {
  expect(headline(await report('a.csv', '1,2\n3,4\n'))).toBe('CSV, 2 rows × 2 columns, no bad rows');
});

test.each([
  ['12', 'integer'],
  ['-3', 'integer'],
  ['007', 'text'],
  ['1.5e3', 'number'],
  ['.5', 'number'],
  ['1.', 'number'],
  ['2025-03-01', 'date'],
  ['2025-03-01T10:00:00Z', 'date'],
  ['1.3.2025', 'date'],
  ['3/1/2025', 'date'],
  ['TRUE', 'boolean'],
  ['no', 'boolean'],
  ['1,5', 'text'],
  ['-', 'text'],
  ['+49 30 1234', 'text'],
])('%s is %s', (value, type) => {
  expect(cellType(value, false)).toBe(type);
});

test('rows of well-formed files are those that csv-parse reads', () => {
  const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é', ';'), maxLength: 6 });
  const quote = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  fc.assert(
    fc.property(
      fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
      (rows) => {
        const text = rows.map((row) => row.map(quote).join(',')).join('\n');
        const ours = [...csvRecords(text, ',')].map(({ fields }) => fields);
        const theirs = parse(text, { relax_column_count: true, record_delimiter: '\n' });
        expect(ours).toEqual(theirs);
        expect(ours).toEqual(rows);
      },
    ),
  );
});

test('a record begins in the line that is said, whatever the quotes', () => {
  const line = fc.string({ unit: fc.constantFrom('a', ',', '"', ' '), maxLength: 8 });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), (lines) => {
      let before = 0;
      for (const { line: at } of csvRecords(lines.join('\n'), ',')) {
        expect(at).toBeGreaterThan(before);
        expect(at).toBeLessThanOrEqual(lines.length);
        before = at;
      }
    }),
  );
});
