import { expect, test } from 'vitest';
import { runReport } from '../../../src/aggregator/runs/model.ts';
import { runPage } from '../../../src/aggregator/runs/page.ts';
import { belowRun, linkToRun, runPlace } from '../../../src/aggregator/runs/places.ts';
import { headline, stepNote, summary } from '../../../src/aggregator/runs/words.ts';
import { hostileNames } from './hostile.ts';
import { chain, fullRun, grid, runFacts, sampleJob, t0 } from './samples.ts';

test('a report says what the ledger says', () => {
  const report = runReport(fullRun(), '/out');
  expect(report).toMatchObject({
    schema: 1,
    run_id: '20261120-103107-3fa2c1',
    workflow: 'Code Quality Pipeline',
    state: 'failed',
    reason: 'step_failed',
    started_at: '2026-11-20T10:31:07.000Z',
    ended_at: '2026-11-20T11:12:50.000Z',
    duration_ms: 2_503_000,
    trigger: { kind: 'manual', who: 'anna' },
    inputs: { branch: 'main', deploy: false, reviewers: ['anna', 'boris'] },
    counts: { failed: 2, succeeded: 7, cached: 1, skipped: 1 },
    cost_usd: 2.47,
  });
  const step = (name: string) => report.steps.find((one) => one.name === name);
  expect(step('lint')).toMatchObject({
    needs: [],
    state: 'succeeded',
    href: 'steps/lint/',
    result: expect.stringContaining('2 warnings'),
    attempts: [
      { n: 1, exit_code: 2 },
      { n: 2, exit_code: 0 },
    ],
    outputs: {},
  });
  expect(step('types')).toMatchObject({
    state: 'cached',
    cached_from: 'job-older',
    saved: { duration_ms: 42_000, cost_usd: 0.03 },
  });
  expect(step('publish?')?.approval).toMatchObject({ verdict: 'approved', by: 'boris' });
  expect(step('review changed modules')?.agent).toBe('reviewer');
  expect(step('review changed modules')?.items?.shown[0]).toMatchObject({
    label: 'src/agents',
    href: 'steps/review%20changed%20modules/0/',
  });
  expect(step('analyze_code')?.files?.shown[0]).toMatchObject({
    state: 'failed',
    reason: 'schema_invalid',
    href: '../../../files/inbox/src/parser/file-0.ts/',
  });
  expect(headline(report)).toBe('Code Quality Pipeline failed');
  expect(summary(report)).toBe('analyze_code failed (files failed).');
});

test('steps that have not begun are to come, or were not reached; those for a failed run are not missed', () => {
  const steps = [
    { name: 'a', state: 'running', at: [0] },
    { name: 'b' },
    { name: 'tidy up', onFailure: true },
  ] as const;
  const running = runReport(runFacts(steps, { state: 'running' }), '/out');
  expect(running.counts).toEqual({ running: 1, pending: 1 });
  expect(stepNote(running.steps[1] as never, false)).toBe('to come');
  expect(runPage(running)).not.toContain('tidy up');
});

test('an approval that is waited for says how to answer', () => {
  const facts = runFacts(
    [
      {
        name: 'ship it?',
        type: 'approval',
        state: 'waiting',
        at: [1],
        record: { message: 'Ship `1.2`?', waitUntil: t0 + 86_400_000 },
      },
    ],
    { state: 'waiting' },
  );
  const page = runPage(runReport(facts, '/out'));
  expect(page).toContain('sluice workflow approve 20261120-103107-3fa2c1 &#39;ship it?&#39;');
  expect(page).toContain('until 2026-11-21 10:31 UTC');
});

test.each([
  ['lint', ['steps', 'lint']],
  ['lint[3]', ['steps', 'lint', '3']],
  ['..', ['steps', expect.stringMatching(/^~[0-9a-f]{32}$/)]],
  ['a/b', ['steps', expect.stringMatching(/^~[0-9a-f]{32}$/)]],
  ['~x', ['steps', expect.stringMatching(/^~[0-9a-f]{32}$/)]],
  ['日'.repeat(100), ['steps', expect.stringMatching(/^~[0-9a-f]{32}$/)]],
])('step %s stands in %j', (step, place) => expect(belowRun(step)).toEqual(place));

test('a link from a result leads to the run', () => {
  const run = { workflow: 'a b', id: 'r1' };
  expect(runPlace(run)).toEqual(['workflows', 'a b', 'r1']);
  expect(linkToRun(['files', 'inbox', 'x', 'y.txt'], run)).toBe('../../../../workflows/a%20b/r1/report.html');
});

test('ten thousand steps and huge texts give a report that opens', () => {
  const facts = chain(10_000);
  const fat = 'x'.repeat(65_536);
  const many = {
    ...facts,
    steps: facts.steps.map((step, i) => ({
      ...step,
      ...(step.record && {
        record: {
          ...step.record,
          result: fat,
          message: fat,
          ...(i % 100 === 0 && { state: 'failed' as const }),
        },
      }),
      job: sampleJob(`j${i}`),
    })),
  };
  const report = runReport(many, '/out');
  expect(report).toMatchObject({ steps_total: 10_000, counts: { failed: 100, succeeded: 9900 } });
  expect(report.steps[0]?.result?.length).toBeLessThan(600);
  const page = runPage(report);
  expect(page.length).toBeLessThan(2_000_000);
  expect(page).toContain('9,900 of 10,000 steps');
  expect(page).toContain('200 of 10,000 steps, those that failed first');
});

test('a grid of a thousand steps is drawn in layers', () => {
  const page = runPage(
    runReport(
      grid(32, 32, (n) => (n === 500 ? 'failed' : 'succeeded')),
      '/out',
    ),
  );
  expect(page).toContain('1,024 steps in 63 layers: 1 failed, 1,023 succeeded');
  expect(page.length).toBeLessThan(300_000);
});

test('an inputs object with odd keys is told as it is', () => {
  const inputs = JSON.parse('{"__proto__": 1, "constructor": 2, "big": null}') as Record<string, unknown>;
  inputs.big = 'y'.repeat(100_000);
  const report = runReport(runFacts([], { inputs }), '/out');
  expect(Object.keys(report.inputs)).toEqual(['__proto__', 'constructor', 'big']);
  expect(String(report.inputs.big).length).toBeLessThan(20_000);
});

test('no name becomes markup', () => {
  const facts = runFacts(
    hostileNames.map((name, i) => ({
      name,
      state: (['succeeded', 'failed', 'skipped', 'cached', 'waiting'] as const)[i % 5] ?? 'failed',
      at: [i, i + 1] as const,
      record: { message: name, fix: name, reason: name, result: name },
    })),
    { workflow: hostileNames[1], state: 'failed' },
  );
  const page = runPage(runReport(facts, '/out'));
  for (const tag of ['<script', '<img', '<h1>owned', 'onerror=document', '</style></title>'])
    expect(page.replaceAll('onerror=document.title=&quot;', '')).not.toContain(tag);
});
