/** Rounds of reviews: each a row that is replaced when it ends, listed newest first, and forgotten with its time. */
import { expect, test } from 'vitest';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { ReviewRecord } from '../../../src/types/review.ts';
import { aboutJob, aboutOf, aboutStep } from '../../../src/types/review.ts';
import type { MakePlace } from '../contract.ts';
import { claim, file, spec } from '../specs.ts';

export function review(id: string, facts: Partial<ReviewRecord> = {}): ReviewRecord {
  return {
    id,
    sessionId: 's',
    subject: { kind: 'job', jobId: 'j', attempt: 1 },
    author: 'a',
    trigger: 'result',
    round: 1,
    startedAt: 1_000,
    workSha256: 'w',
    verdicts: [],
    ...facts,
  };
}

const listed = async (ledger: Ledger, query: Partial<Parameters<Ledger['reviews']['list']>[0]> = {}) =>
  (await ledger.reviews.list({ limit: 100, ...query })).map(({ id }) => id);

export function reviewContract(makePlace: MakePlace): void {
  test('a review comes back whole, open and when it has ended, also after a restart', async () => {
    const place = makePlace();
    const open = review('r', {
      name: 'security',
      subject: { kind: 'step', runId: 'x', workflow: 'w', step: 's', jobId: 'j' },
    });
    const ended: ReviewRecord = {
      ...open,
      endedAt: 2_000,
      decision: 'stop',
      why: 'b hat "einen Einwand"\n\u0007',
      isRevised: true,
      verdicts: [
        {
          agent: 'b',
          weight: 0.5,
          verdict: 'blocker',
          summary: 'Ä',
          findings: [{ severity: 'blocking', text: 't', place: 'p:1', evidence: 'e' }],
          jobId: 'j2',
          costUsd: null,
        },
      ],
    };
    {
      await using ledger = await place.open(() => 1_000);
      expect(await ledger.reviews.get('r')).toBeUndefined();
      await ledger.reviews.put(open);
      expect(await ledger.reviews.get('r')).toEqual(open);
      await ledger.durable();
    }
    await using ledger = await place.open(() => 1_000);
    expect(await ledger.reviews.get('r')).toEqual(open);
    await ledger.reviews.put(ended);
    expect(await ledger.reviews.get('r')).toEqual(ended);
    expect(await listed(ledger)).toEqual(['r']);
  });

  test('newest first, by session, the open ones alone, so many and no more', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (const [n, id] of ['a', 'b', 'c', 'd'].entries())
      await ledger.reviews.put(review(id, { sessionId: id === 'b' ? 'other' : 's', startedAt: 5_000 - n }));
    await ledger.reviews.put(review('c', { endedAt: 6_000 }));
    expect(await listed(ledger)).toEqual(['d', 'c', 'b', 'a']);
    expect(await listed(ledger, { sessionId: 's' })).toEqual(['d', 'c', 'a']);
    expect(await listed(ledger, { open: true })).toEqual(['d', 'b', 'a']);
    expect(await listed(ledger, { sessionId: 's', open: true })).toEqual(['d', 'a']);
    // A bound counts what is given, not what was looked at.
    expect(await listed(ledger, { sessionId: 's', open: true, limit: 2 })).toEqual(['d', 'a']);
    expect(await listed(ledger, { limit: 2 })).toEqual(['d', 'c']);
    expect(await listed(ledger, { sessionId: 'nobody' })).toEqual([]);
  });

  test('those about one job, or one step of a run, are found among all of a session', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const judged = (step: string, jobId: string) =>
      ({ kind: 'step', runId: 'r', workflow: 'w', step, jobId }) as const;
    const subjects = {
      own: { kind: 'job', jobId: 'write', attempt: 1, step: 'write' },
      first: judged('write', 'write'),
      second: judged('write', 'write.round-2'),
      other: judged('write 2', 'x'),
    } as const;
    for (const [id, subject] of Object.entries(subjects))
      await ledger.reviews.put(review(id, { sessionId: 'r', subject }));
    expect(await listed(ledger, { about: aboutJob('write') })).toEqual(['own']);
    expect(await listed(ledger, { about: aboutStep('r', 'write') })).toEqual(['second', 'first']);
    expect(await listed(ledger, { about: aboutOf(subjects.other), sessionId: 'r' })).toEqual(['other']);
    expect(await listed(ledger, { about: aboutOf(subjects.other), sessionId: 's' })).toEqual([]);
  });

  test('those of a job stay as long as it does, however old', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await ledger.jobs.enqueue(spec({ id: 'j' }));
    await ledger.reviews.put(review('ended', { sessionId: 'j', endedAt: 2 }));
    await ledger.reviews.put(review('open', { sessionId: 'j' }));
    expect(await ledger.reviews.prune(9_000)).toBe(0);
    const [lease] = await claim(ledger);
    if (lease) await ledger.jobs.end(lease, { state: 'cancelled', reason: 'input_gone' });
    await ledger.jobs.published('j');
    await ledger.files.put(file('j.txt', { gone: true }));
    expect(await ledger.jobs.prune(9_000, 9)).toEqual(['j']);
    expect(await ledger.reviews.prune(9_000)).toBe(2);
  });

  test('those that ended before go, and open ones that nobody has taken up since', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await ledger.reviews.put(review('old', { endedAt: 1_999 }));
    await ledger.reviews.put(review('kept', { endedAt: 2_000 }));
    await ledger.reviews.put(review('left open', { startedAt: 1_999 }));
    await ledger.reviews.put(review('open', { startedAt: 2_000 }));
    expect(await ledger.reviews.prune(2_000)).toBe(2);
    expect(await listed(ledger)).toEqual(['open', 'kept']);
    expect(await ledger.reviews.prune(2_000)).toBe(0);
    // It was still under way: at its end it is there again.
    await ledger.reviews.put(review('left open', { startedAt: 1_999, endedAt: 3_000 }));
    expect(await listed(ledger)).toEqual(['left open', 'open', 'kept']);
  });
}
