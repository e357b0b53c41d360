import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { junitReport } from '../../src/aggregator/junit.ts';
import { formatReceipt, parseReceipt, toReceipt } from '../../src/aggregator/receipt.ts';
import { sarifReport } from '../../src/aggregator/sarif.ts';
import type { JobRecord } from '../../src/types/job.ts';

const at = Date.parse('2026-11-20T10:00:00Z');
const job: JobRecord = {
  id: 'j1',
  input: { root: 'inbox', path: 'a/b.py', sha256: 'ab', bytes: 7, stamp: '1-7-1' },
  rule: 'python',
  agent: 'lint',
  state: 'succeeded',
  proof: ['exit_code', 'outputs'],
  priority: 0,
  lane: 'lint',
  fallbacks: [],
  promoted: [],
  depth: 0,
  key: 'k',
  queuedAt: at,
  startedAt: at + 1000,
  endedAt: at + 3500,
  attempts: [
    {
      n: 1,
      agent: 'lint',
      startedAt: at + 1000,
      endedAt: at + 3500,
      outcome: 'exited',
      exitCode: 0,
      sandbox: { mode: 'auto' },
      limits: { timeout: '10m' },
      events: 2,
    },
  ],
  costUsd: null,
  outputs: [{ path: 'x', sha256: 'cd', bytes: 1 }],
};
const failed: JobRecord = {
  ...job,
  id: 'j2',
  state: 'failed',
  reason: 'exit_code',
  message: 'ended with 2',
  fix: 'look',
  proof: [],
};

test('a receipt says what happened, with times in UTC and lengths in milliseconds', () => {
  expect(toReceipt(job, { resultBytes: 12 })).toEqual({
    schema: 1,
    job_id: 'j1',
    input: { root: 'inbox', path: 'a/b.py', sha256: 'ab', bytes: 7 },
    rule: 'python',
    agent: 'lint',
    state: 'succeeded',
    proof: ['exit_code', 'outputs'],
    depth: 0,
    queued_at: '2026-11-20T10:00:00.000Z',
    started_at: '2026-11-20T10:00:01.000Z',
    ended_at: '2026-11-20T10:00:03.500Z',
    duration_ms: 2500,
    attempts: [
      {
        n: 1,
        agent: 'lint',
        started_at: '2026-11-20T10:00:01.000Z',
        ended_at: '2026-11-20T10:00:03.500Z',
        outcome: 'exited',
        exit_code: 0,
        sandbox: { mode: 'auto' },
        limits: { timeout: '10m' },
        events: 2,
      },
    ],
    cost_usd: null,
    result_bytes: 12,
    outputs: [{ path: 'x', sha256: 'cd', bytes: 1 }],
    key: 'k',
  });
  expect(toReceipt({ ...job, endedAt: at - 5000 }).duration_ms, 'a clock that was set back').toBe(0);
});

test('a receipt comes back as it was written; anything else is none', () => {
  const text = formatReceipt(toReceipt(failed));
  expect(parseReceipt(text)).toEqual(toReceipt(failed));
  for (const cut of [0, 1, 50, text.length - 3]) expect(parseReceipt(text.slice(0, cut))).toBeUndefined();
  for (const other of [
    'null',
    '[]',
    '{}',
    '{"schema":2}',
    text.replace('"j2"', '"../j2"'),
    text.replace('"j2"', '".."'),
  ]) {
    expect(parseReceipt(other), other.slice(0, 30)).toBeUndefined();
  }
});

const receipts = [
  toReceipt(job),
  toReceipt({
    ...failed,
    input: { ...failed.input, path: 'odd "<&>\'\n\u0001\u001b[31m\ud800.py' },
    message: 'two\nlines & <tags> ]]>\u0000',
  }),
  toReceipt({ ...job, id: 'j3', state: 'cached', cachedFrom: 'j1' }),
  toReceipt({ ...job, id: 'j4', state: 'superseded' }),
  toReceipt({
    ...job,
    id: 'j5',
    input: { ...job.input, root: 'other' },
    state: 'held',
    reason: 'interrupted',
    message: 'five times',
  }),
];

test('JUnit: suites per root, cases per file, counted', () => {
  const text = junitReport(receipts);
  expect(text).toContain(
    '<testsuites name="sluice" tests="5" failures="1" errors="1" skipped="1" time="12.500">',
  );
  expect(text).toContain(
    '<testsuite name="inbox" tests="4" failures="1" errors="0" skipped="1" time="10.000" timestamp="2026-11-20T10:00:00">',
  );
  expect(text).toContain('<testcase name="a/b.py" classname="inbox.python" file="a/b.py" time="2.500"/>');
  expect(text).toContain('<failure type="exit_code" message="two lines &amp; &lt;tags&gt; ]]&gt;\ufffd">');
  expect(junitReport([])).toContain('tests="0"');
});

const python = spawns('python3', ['-c', '']);
test.skipIf(!python)('JUnit: a strict parser reads it (skipped without python3)', () => {
  const script =
    'import sys,xml.etree.ElementTree as e; r=e.fromstring(sys.stdin.buffer.read()); print(len(r.findall(".//testcase")), r.find(".//failure").text)';
  const read = execFileSync('python3', ['-c', script], { input: junitReport(receipts), encoding: 'utf8' });
  expect(read).toBe('5 two\nlines & <tags> ]]>\ufffd\nfix: look\nagent: lint\njob: j2\n');
});

test('SARIF: failures and findings with their places', () => {
  const finding = (payload: Record<string, unknown>) => ({
    receipt: toReceipt(job),
    event: { type: 'finding', payload } as const,
  });
  const findings = [
    finding({
      text: 'unused variable',
      line: 3,
      column: 7,
      severity: 'Info',
      rule: 'no-unused',
      file: './a/b c.py',
    }),
    finding({ message: 'bad', line: -1, file: '/etc/passwd', level: 'critical' }),
    finding({ file: '../../x' }),
  ];
  const log = JSON.parse(sarifReport(receipts, { findings, rootUris: new Map([['inbox', 'inbox/']]) }));
  expect(log.version).toBe('2.1.0');
  const [run] = log.runs;
  expect(run.originalUriBaseIds).toMatchObject({ ROOT_INBOX: { uri: 'inbox/' }, ROOT_OTHER: {} });
  expect(run.invocations).toEqual([{ executionSuccessful: false }]);
  const brief = run.results.map(
    (result: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      locations: { physicalLocation: { artifactLocation: { uri: string }; region?: object } }[];
    }) => {
      const place = result.locations[0]?.physicalLocation;
      expect(run.tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId);
      return [result.ruleId, result.level, place?.artifactLocation.uri, place?.region];
    },
  );
  expect(brief).toEqual([
    ['sluice/exit_code', 'error', "odd%20%22%3C%26%3E'%0A%01%1B%5B31m%EF%BF%BD.py", undefined],
    ['sluice/interrupted', 'error', 'a/b.py', undefined],
    ['lint/no-unused', 'note', 'a/b%20c.py', { startLine: 3, startColumn: 7 }],
    ['lint/finding', 'error', 'a/b.py', undefined],
    ['lint/finding', 'warning', 'a/b.py', undefined],
  ]);
});

test('SARIF: the same failure has the same fingerprint in the next run', () => {
  const print = (id: string, message: string) =>
    JSON.parse(sarifReport([toReceipt({ ...failed, id, message })])).runs[0].results[0].partialFingerprints;
  expect(print('j2', 'after 3 s')).toEqual(print('j9', 'after 4 s'));
  expect(JSON.parse(sarifReport([toReceipt(job)])).runs[0]).toMatchObject({
    results: [],
    invocations: [{ executionSuccessful: true }],
  });
});

function spawns(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
