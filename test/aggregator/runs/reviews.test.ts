/** What a report says of reviews: as data, page and Markdown; what agents wrote stays text, however much of it there is. */
import MarkdownIt from 'markdown-it';
import { expect, test } from 'vitest';
import { runMarkdown } from '../../../src/aggregator/runs/markdown.ts';
import { runReport } from '../../../src/aggregator/runs/model.ts';
import { runPage } from '../../../src/aggregator/runs/page.ts';
import type { ReviewRecord } from '../../../src/types/review.ts';
import type { StepRecord } from '../../../src/types/run.ts';
import { createRig } from '../rig.ts';
import { hostileNames } from './hostile.ts';
import { createRun, endRun, endStep } from './ledger-run.ts';
import { runFacts, sampleReview } from './samples.ts';

const reviewed = (reviews: readonly ReviewRecord[], record: Partial<StepRecord> = {}) =>
  runReport(
    runFacts([
      { name: 'lint', state: 'succeeded', at: [0, 1], job: {}, facts: { reviews } },
      { name: 'judge', type: 'review', state: 'succeeded', at: [1, 2], record },
    ]),
    '/out',
  );

test('each round is told, with who said what, and where it stands at length', () => {
  const { steps, ...report } = reviewed([
    sampleReview(1, 'It is 5.', { isRevised: true }),
    sampleReview(1, 'Half of it.', { trigger: 'milestone', decision: 'warn' }),
  ]);
  expect(steps[0]?.reviews).toEqual([
    {
      ...{ round: 1, trigger: 'result', decision: 'stop', why: 'It is 5.', is_revised: true },
      ...{ started_at: '2026-11-20T10:31:08.000Z', ended_at: '2026-11-20T10:31:08.700Z', job_id: 'job-lint' },
      href: 'steps/lint/reviews/round-1.md',
      verdicts: [
        {
          ...{ agent: 'codex-reviewer', weight: 1, verdict: 'approved', summary: 'It is 5.', cost_usd: 0.02 },
          ...{ findings: [], findings_total: 0 },
        },
        expect.objectContaining({
          ...{ job_id: 'job-r2', cost_usd: null, findings_total: 2 },
          findings: [
            { severity: 'blocking', text: 'It is 5.', place: 'It is 5.', evidence: 'It is 5.' },
            { severity: 'minor', text: 'It is 5.' },
          ],
        }),
      ],
    },
    expect.objectContaining({ trigger: 'milestone', href: 'steps/lint/reviews/milestone-1.md' }),
  ]);
  const page = runPage({ ...report, steps });
  for (const words of [
    'What reviewers say',
    'sent back to its author',
    'accepted, with a warning',
    '(milestone)',
  ])
    expect(page).toContain(words);
  expect(runMarkdown({ ...report, steps })).toContain(
    '[Round 1](<steps/lint/reviews/round-1.md>): sent back to its author (It is 5.)',
  );
  const none = reviewed([]);
  expect([runPage(none), runMarkdown(none)].join()).not.toContain('What reviewers say');
});

test.each([
  [{ state: 'waiting', message: 'one has a concern' }, { ask: expect.stringContaining('approve') }],
  [{ answer: { verdict: 'approved', by: 'anna' } }, { verdict: 'approved', by: 'anna' }],
  [{}, undefined],
] as const)('a review step that a person decides is an approval: %j', (record, approval) => {
  const step = reviewed([], record).steps[1];
  if (approval) expect(step?.approval).toMatchObject(approval);
  else expect(step).not.toHaveProperty('approval');
});

test('what agents write stays text, and is bounded', () => {
  const report = reviewed(hostileNames.map((text, i) => sampleReview(i + 1, text)));
  const page = runPage(report);
  expect(page).not.toMatch(/<(img|script|h1>owned)/);
  const markdown = new MarkdownIt({ html: true, linkify: false });
  const tokens = markdown.parse(runMarkdown(report), {});
  const inline = tokens.flatMap(({ children }) => children ?? []);
  expect(tokens.filter(({ type }) => type === 'html_block')).toEqual([]);
  expect(inline.filter(({ type }) => ['html_inline', 'image'].includes(type))).toEqual([]);
  for (const link of inline.filter(({ type }) => type === 'link_open'))
    expect(link.attrGet('href')).toMatch(/^(report\.(html|json)|steps\/)/);

  const much = 'x'.repeat(100_000);
  const findings = Array.from(
    { length: 50 },
    () => ({ severity: 'major', text: much, evidence: much }) as const,
  );
  const fat = reviewed(
    Array.from({ length: 40 }, (_, i) => {
      const { verdicts, ...rest } = sampleReview(i + 1, much);
      return { ...rest, verdicts: verdicts.map((one) => ({ ...one, agent: 'a', summary: much, findings })) };
    }),
  );
  expect(fat.steps[0]?.reviews?.[0]?.verdicts[0]).toMatchObject({ findings_total: 50 });
  expect(JSON.stringify(fat).length).toBeLessThan(8_000_000);
  expect(runPage(fat).length).toBeLessThan(1_000_000);
  expect(runPage(fat)).toContain('The last 10 of 40 rounds');
});

test('a run tells what its reviewers and revisions cost, with the step that asked for them', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const run = await createRun(rig, 'r1', [
    { name: 'write' },
    { name: 'judge', type: 'review' as never, of: 'write' },
    { name: 'other', type: 'review' as never, of: 'write' },
  ]);
  const { job } = await endStep(rig, run, 'write', { costUsd: 0.1 });
  const startedAt = rig.clock.now;
  const revision = await endStep(rig, run, 'write.round-2', { costUsd: 0.2 });
  const reviewer = await endStep(rig, run, 'judge-round-1-one', { costUsd: 0.3 });
  await rig.ledger.runs.forgetSteps('r1', ['write.round-2', 'judge-round-1-one']);
  for (const name of ['judge', 'other'])
    await rig.ledger.runs.putStep({
      ...{ runId: 'r1', id: name, name, state: 'succeeded', startedAt, endedAt: rig.clock.now },
    });
  const round = (n: number, jobId: string, facts: Partial<ReviewRecord> = {}): ReviewRecord => {
    const { verdicts } = sampleReview(n, 'x');
    return sampleReview(n, 'x', {
      ...{
        id: `${n}-${facts.name}`,
        sessionId: 'r1',
        trigger: 'step',
        name: 'judge',
        startedAt: startedAt + n,
      },
      subject: { kind: 'step', runId: 'r1', workflow: run.workflow, step: 'write', jobId },
      verdicts: verdicts.slice(0, 1).map((one) => ({ ...one, jobId: reviewer.job.id })),
      ...facts,
    });
  };
  await rig.ledger.reviews.put(round(1, job.id));
  await rig.ledger.reviews.put(round(2, revision.job.id));
  // Nothing was decided, so that there is no file of it.
  const { decision: _, ...letGo } = round(4, job.id);
  await rig.ledger.reviews.put(letGo);
  // Many others of the same run.
  for (let n = 0; n < 120; n += 1)
    await rig.ledger.reviews.put(
      round(n, 'item', { id: `item ${n}`, subject: { kind: 'job', jobId: `item ${n}`, attempt: 1 } }),
    );
  // Before the run was resumed.
  await rig.ledger.reviews.put(round(3, job.id, { startedAt: startedAt - 1 }));
  await endRun(rig, run);
  const report = await aggregator.reportOf('r1');
  const [, judge, other] = report?.steps ?? [];
  expect(judge?.reviews?.map(({ round: n, href }) => [n, href])).toEqual([
    [1, 'reviews/judge-round-1.md'],
    [2, 'reviews/judge-round-2.md'],
    [4, undefined],
  ]);
  expect(judge?.cost_usd).toBeCloseTo(0.5);
  expect(other).toMatchObject({ cost_usd: null });
  expect(other).not.toHaveProperty('reviews');
  expect(report?.cost_usd).toBeCloseTo(0.6);
});
