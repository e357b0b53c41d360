import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readLogLine, templateOf } from '../../src/agents/inspect/kinds/log-line.ts';
import { headline, report } from './report.ts';

test.each([
  [
    '2025-03-12T06:00:07.341Z ERROR [pay] order 10233 failed after 2.5s',
    'error',
    'ERROR [pay] order <n> failed after <n>',
  ],
  [
    'Mar  2 10:00:01 host app[312]: error: cannot open /var/lib/x/y.db',
    'error',
    'host app[<n>]: error: cannot open <path>',
  ],
  [
    '[2025-03-12 06:00:07,120] WARN request 3ef5404b-f7ba-4c11-9b1f-0a1b2c3d4e5f from 10.0.0.7:443',
    'warn',
    'WARN request <uuid> from <ip>',
  ],
  ['level=error msg="user a@example.org not found" id=0x1f', 'error', 'level=error msg="…" id=<hex>'],
  [
    '10.4.3.83 - - [12/Mar/2025:06:08:39 +0000] "GET /price/KIT-0612?x=1 HTTP/1.1" 500 592',
    'error',
    '500 GET /price/<n>',
  ],
  ['{"level":50,"time":1741759200000,"msg":"shelf A36 is empty"}', 'error', 'shelf <n> is empty'],
  ['{"level":"constructor","msg":"x"}', undefined, 'x'],
  ['commit deadbeef1 by https://example.org/u/1', undefined, 'commit <hex> by <url>'],
])('%s', (line, level, template) => {
  const entry = readLogLine(line);
  expect([entry.level, templateOf(entry)]).toEqual([level, template]);
});

const lines = Array.from({ length: 60 }, (_, n) => {
  const time = `2025-03-12T06:${String(n).padStart(2, '0')}:00Z`;
  if (n % 10 === 3) return `${time} ERROR order ${n * 977} failed: timeout after ${n}ms`;
  if (n === 25) return `${time} FATAL out of memory`;
  return n % 10 === 5 ? `${time} WARN slow` : `${time} INFO ok`;
});

test('errors are grouped by template with counts and first and last line', async () => {
  const text = await report('app.log', `${lines.join('\n')}\n`);
  expect(headline(text)).toBe('Log, 60 lines, 7 errors of 2 kinds');
  expect(text).toContain('| 6 | `ERROR order <n> failed: timeout after <n>` | 4 | 54 |');
  expect(text).toContain('| 1 | `FATAL out of memory` | 26 | 26 |');
  expect(text).toContain('| fatal | 1 |\n| error | 6 |\n| warn | 5 |\n| info | 48 |');
  expect(text).toContain('from `2025-03-12T06:00:00Z` to `2025-03-12T06:59:00Z` (59 minutes)');
});

test('a log without levels shows its most frequent lines', async () => {
  const text = await report('boot.log', 'started worker 1\nstarted worker 2\nready\n');
  expect(text).toContain('No line names a level.');
  expect(text).toContain('| 2 | `started worker <n>` | 1 | 2 |');
});

test('.log.gz is read like the log in it; cut off, it says so and gives what there is', async () => {
  const packed = gzipSync(`${lines.join('\n')}\n`);
  expect(headline(await report('app.log.gz', packed))).toBe('gzip of: Log, 60 lines, 7 errors of 2 kinds');
  const half = await report('app.log.gz', packed.subarray(0, packed.length - 60));
  expect(headline(half)).toMatch(/^gzip of: Log, at least \d+ lines, .*\*\*damaged\*\*: it ends early$/);
});
