/** Reviews of a job's own work, as `jobs show` tells them. */
import { expect, test } from 'vitest';
import { reviewLines } from '../../src/cli/commands/jobs/review-lines.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { reviewsOfJob } from '../../src/operations/review-view.ts';
import type { ReviewRecord } from '../../src/types/review.ts';
import type { StepTask } from '../../src/types/step-task.ts';
import { stateFolder } from '../ledger/state-folder.ts';

const round = (id: string, more: Partial<ReviewRecord>): ReviewRecord => ({
  id,
  sessionId: 'j1',
  subject: { kind: 'job', jobId: 'j1', attempt: 1 },
  author: 'writer',
  trigger: 'result',
  round: 1,
  startedAt: 1_000,
  workSha256: 'ab',
  verdicts: [],
  ...more,
});
const verdict = { agent: 'second', weight: 1, summary: 'It forgets an empty list.', costUsd: 0.1 } as const;

test('rounds of a job, oldest first; those of a run belong to its steps', async () => {
  await using ledger = openSqliteLedger({ stateDir: stateFolder() }).ledger;
  const { reviews } = ledger;
  const finding = { severity: 'blocking', text: 'throws on []', place: 'a.ts:12' } as const;
  await reviews.put(
    round('one', {
      ...{ endedAt: 2_000, decision: 'warn', why: 'one concern', isRevised: true },
      verdicts: [{ ...verdict, verdict: 'concern', findings: [finding], jobId: 'r1' }],
    }),
  );
  await reviews.put(round('two', { round: 2 }));
  await reviews.put(round('other', { sessionId: 'j2', subject: { kind: 'job', jobId: 'j2', attempt: 1 } }));
  const ofStep = (step: string) =>
    ({ kind: 'step', runId: 'run', workflow: 'w', step, jobId: `j-${step}` }) as const;
  await reviews.put(round('of a', { sessionId: 'run', subject: ofStep('a') }));
  await reviews.put(round('of b', { sessionId: 'run', subject: ofStep('b') }));

  const found = await reviewsOfJob(reviews, { id: 'j1' });
  expect(found).toEqual([
    {
      ...{ id: 'one', author: 'writer', trigger: 'result', round: 1, decision: 'warn', why: 'one concern' },
      started_at: '1970-01-01T00:00:01.000Z',
      ended_at: '1970-01-01T00:00:02.000Z',
      is_revised: true,
      verdicts: [
        {
          ...{
            agent: 'second',
            weight: 1,
            verdict: 'concern',
            summary: verdict.summary,
            findings: [finding],
          },
          ...{ job_id: 'r1', cost_usd: 0.1 },
        },
      ],
    },
    expect.objectContaining({ id: 'two', round: 2, is_revised: false, verdicts: [] }),
  ]);
  expect(found[1]).not.toHaveProperty('ended_at');
  const step = { runId: 'run', step: 'a' } as StepTask;
  const own = { kind: 'job', jobId: 'j9', attempt: 1, step: 'a' } as const;
  await reviews.put(round('its own', { sessionId: 'run', subject: own, startedAt: 500 }));
  // Those of a hundred other steps are in nobody's way.
  for (let n = 0; n < 120; n += 1)
    await reviews.put(round(`of ${n}`, { sessionId: 'run', subject: ofStep(`s${n}`) }));
  const ofJob = await reviewsOfJob(reviews, { id: 'j9', step });
  expect(ofJob.map(({ id }) => id)).toEqual(['its own', 'of a']);
  expect(reviewLines(found)).toEqual([
    'review 1 (result)  warn: one concern; sent back to its author',
    '  second: concern, It forgets an empty list.',
    '    blocking a.ts:12: throws on []',
    'review 2 (result)  goes on',
  ]);
});
