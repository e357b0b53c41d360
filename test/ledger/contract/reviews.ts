/** Rounds of reviews: each a row that is replaced when it ends, listed newest first, and forgotten with its time. */
import { expect, test } from 'vitest';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { ReviewRecord } from '../../../src/types/review.ts';
import type { MakePlace } from '../contract.ts';

export function review(id: string, facts: Partial<ReviewRecord> = {}): ReviewRecord {
  return {
    id,
    sessionId: 's',
    subject: { kind: 'job', jobId: 'j' },
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
