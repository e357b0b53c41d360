/** The parts that are pure, or nearly so. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { LogTail, readLog } from '../../src/cli/log-lines.ts';
import { shownConditions } from '../../src/cli/shown-conditions.ts';
import { displayWidth, layOut } from '../../src/cli/table.ts';
import { parseSince, shortTime } from '../../src/cli/times.ts';
import { RotatingFile } from '../../src/logging/rotating-file.ts';
import { formatBytes } from '../../src/types/bytes.ts';
import type { ErrorCode } from '../../src/types/error-codes.ts';
import { Project } from './sluice.ts';

test('columns are aligned by what a terminal shows, and cut only where told', () => {
  const rows = [
    { name: '日本語/ファイル.txt', size: '1 B' },
    { name: 'e\u0301.txt', size: '12.0 KiB' },
  ];
  const columns = [
    { title: 'file', cell: (row: (typeof rows)[0]) => row.name, cut: 'start' as const },
    { title: 'size', cell: (row: (typeof rows)[0]) => row.size, align: 'right' as const },
  ];
  const wide = layOut(rows, columns, undefined);
  expect(wide[1]).toBe('日本語/ファイル.txt       1 B');
  expect(new Set(wide.slice(1).map(displayWidth)).size).toBe(1);
  const narrow = layOut(rows, columns, 24);
  expect(narrow[1]).toMatch(/^….*\.txt +1 B$/);
  expect(Math.max(...narrow.map(displayWidth))).toBeLessThanOrEqual(24);
  const long = { name: 'd/'.repeat(2_000), size: '4 B' };
  const [, first, last] = layOut([...rows.slice(0, 1), long], columns, undefined);
  expect([first?.trimEnd().length, last]).toEqual([expect.toSatisfy((n) => n < 110), `${long.name}   4 B`]);
});

test('of conditions of one kind a few are shown, the others counted', () => {
  const one = (code: ErrorCode, subject: string) => ({
    ...{ code, subject, message: 'm', fix: 'f', since: '2026-11-20T10:00:00Z' },
  });
  const asking = Array.from({ length: 1_000 }, (_, n) => one('REVIEW_ASKS', `job-${n}`));
  const { shown, more } = shownConditions([one('DISK_LOW', ''), ...asking, one('RUNS_AS_ROOT', '')]);
  expect(shown.map(({ code, subject }) => `${code} ${subject}`.trim())).toEqual([
    'DISK_LOW',
    ...[0, 1, 2, 3, 4].map((n) => `REVIEW_ASKS job-${n}`),
    'RUNS_AS_ROOT',
  ]);
  expect([...more]).toEqual([['REVIEW_ASKS', 995]]);
});

test('a line never gets wider than the terminal while the column that may give way can', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 60, unit: 'grapheme' }), { minLength: 1 }),
      fc.integer({ min: 30, max: 90 }),
      (cells, width) => {
        const columns = [
          { title: 'a', cell: (text: string) => text, cut: 'end' as const },
          { title: 'b', cell: () => 'fixed' },
        ];
        for (const line of layOut(cells, columns, width))
          expect(displayWidth(line)).toBeLessThanOrEqual(width);
      },
    ),
  );
});

test.each([
  ['30m', 1_000_000_000_000 - 1_800_000],
  ['1d', 1_000_000_000_000 - 86_400_000],
  ['2026-11-20T10:00:00Z', Date.UTC(2026, 10, 20, 10)],
  ['2026-11-20', new Date(2026, 10, 20).getTime()],
  ['2026-11-20 09:30', new Date(2026, 10, 20, 9, 30).getTime()],
  ['yesterday', undefined],
  ['2026-13-45', undefined],
  ['1', undefined],
])('--since %s', (text, time) => {
  expect(parseSince(text, 1_000_000_000_000)).toBe(time);
});

test('times and sizes are short', () => {
  const noon = new Date(2026, 10, 20, 12, 0, 5).getTime();
  expect(shortTime(noon, noon + 1000)).toBe('12:00:05');
  expect(shortTime(noon, noon + 86_400_000)).toBe('2026-11-20 12:00');
  expect([0, 1023, 1024, 3_500_000].map(formatBytes)).toEqual(['0 B', '1023 B', '1.0 KiB', '3.3 MiB']);
});

test('the log is read over its rotations, and followed through them', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = new RotatingFile({ dir, name: 'sluice', maxTotalBytes: 21 * 600, keep: 20 });
  const write = (n: number, level = 'info'): void =>
    file.write(
      `${JSON.stringify({ level, time: new Date(n * 1000).toISOString(), job: `job${n % 3}`, msg: `line ${n}` })}\n`,
    );
  for (let n = 0; n < 30; n++) write(n, n % 10 === 0 ? 'error' : 'info');
  const numbers = (lines: readonly { msg: string }[]) => lines.map(({ msg }) => Number(msg.slice(5)));
  expect(numbers(readLog(dir, {}, 8))).toEqual([22, 23, 24, 25, 26, 27, 28, 29]);
  expect(numbers(readLog(dir, { level: 'warning' }, 100))).toEqual([0, 10, 20]);
  expect(numbers(readLog(dir, { since: 27_000 }, 100))).toEqual([27, 28, 29]);
  expect(numbers(readLog(dir, { job: 'job2' }, 3))).toEqual([23, 26, 29]);

  using tail = new LogTail(dir, {});
  expect(tail.next()).toEqual([]);
  const seen: number[] = [];
  for (let n = 30; n < 80; n++) {
    write(n);
    // Sometimes several rotations lie between two looks.
    if (n % 17 === 0) seen.push(...numbers(tail.next()));
  }
  seen.push(...numbers(tail.next()));
  expect(seen).toEqual(Array.from({ length: 50 }, (_, at) => at + 30));
  file.close();
});

const old = `# our drop folder
watch:
  - path: ./inbox
routing_rules:
  - pattern: "**/*.py"   # all of Python
    watcher: python-analyzer
    priority: 10
watcher_endpoints:
  # on the big machine
  python-analyzer: "http://localhost:8001" # until spring
concurrency_limits:
  max_processes: 5
`;

test('config migrate keeps comments, order and meaning', async () => {
  const project = new Project({ 'config/orchestrator.yaml': old, 'inbox/.keep': '' });
  const printed = await project.call('config', 'migrate');
  expect(printed.code, printed.stderr).toBe(0);
  expect(printed.stdout).toBe(`# our drop folder
watch:
  - path: ./inbox
routing_rules:
  - pattern: "**/*.py" # all of Python
    agent: python-analyzer
    priority: 10
agents:
  # on the big machine
  python-analyzer: { kind: http, url: "http://localhost:8001" } # until spring
concurrency_limits:
  max_processes: 5
`);
  const before = await project.json('config', 'show');
  expect((await project.call('config', 'migrate', '--write')).code).toBe(0);
  expect(readFileSync(join(project.dir, 'config/orchestrator.yaml.bak'), 'utf8')).toBe(old);
  expect(readFileSync(join(project.dir, 'config/orchestrator.yaml'), 'utf8')).toBe(printed.stdout);
  expect(await project.json('config', 'show')).toEqual(before);
  const again = await project.call('config', 'migrate', '--write');
  expect([again.code, again.stdout]).toEqual([0, '']);
  expect(again.stderr).toContain('nothing to migrate');
});

test('config migrate of JSON adds to the agents that are there', async () => {
  const project = new Project({
    'config/orchestrator.json': JSON.stringify({
      watch: [{ path: './inbox' }],
      routing_rules: [
        { pattern: '**/*.js', watcher: 'js', priority: 1 },
        { pattern: '**', agent: 'inspect' },
      ],
      agents: { inspect: { kind: 'builtin' } },
      watcher_endpoints: { js: 'http://localhost:8002' },
    }),
    'inbox/.keep': '',
  });
  expect(JSON.parse((await project.call('config', 'migrate')).stdout)).toEqual({
    watch: [{ path: './inbox' }],
    routing_rules: [
      { pattern: '**/*.js', agent: 'js', priority: 1 },
      { pattern: '**', agent: 'inspect' },
    ],
    agents: { inspect: { kind: 'builtin' }, js: { kind: 'http', url: 'http://localhost:8002' } },
  });
});
