/** What reviewers said stands beside the result, goes with it into the history and to every copy, through crashes. */
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PublishStep } from '../../src/aggregator/publish.ts';
import type { Receipt } from '../../src/types/receipt.ts';
import type { ReviewRecord } from '../../src/types/review.ts';
import { createRig, type Rig, treeOf } from './rig.ts';

type Ended = Awaited<ReturnType<Rig['endJob']>>;

const filesOf = (rig: Rig) => treeOf(join(rig.output, 'files'));
const historyOf = (rig: Rig) => treeOf(join(rig.stateDir, 'history'));
const receiptAt = (rig: Rig, place: string): Receipt =>
  JSON.parse(readFileSync(join(rig.output, 'files/inbox', place, 'receipt.json'), 'utf8'));
const reviewed = { hasReviews: () => true };

/** It was reviewed: two rounds in the ledger, and in its work folder what was said. */
async function review(rig: Rig, ended: Ended, said = 'fine'): Promise<Ended> {
  const { id } = ended.job;
  const round = (n: number, facts: Partial<ReviewRecord>): ReviewRecord => ({
    ...{ id: `${id}-${n}`, sessionId: id, subject: { kind: 'job', jobId: id, attempt: 1 }, author: 'sum' },
    ...{ trigger: 'result', round: n, startedAt: n, endedAt: n + 1, workSha256: '0', verdicts: [] },
    ...facts,
  });
  const verdict = { agent: 'one', weight: 1, summary: said, costUsd: null } as const;
  const finding = { severity: 'blocking', text: 'It is 5.' } as const;
  await rig.ledger.reviews.put(
    round(1, {
      ...{ decision: 'stop', why: 'a blocker', isRevised: true },
      verdicts: [
        { ...verdict, verdict: 'blocker', findings: [finding, finding, { severity: 'minor', text: 'x' }] },
      ],
    }),
  );
  await rig.ledger.reviews.put(
    round(2, { decision: 'continue', verdicts: [{ ...verdict, verdict: 'approved', findings: [] }] }),
  );
  // One that goes on is not told of yet.
  const { endedAt: _, ...open } = round(3, {});
  await rig.ledger.reviews.put(open);
  const dir = join(rig.stateDir, 'work', id, 'reviews');
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o700);
  writeFileSync(join(dir, 'round-1.md'), said);
  return ended;
}

test('the receipt says who said what, and `reviews/` stands beside it', async () => {
  await using rig = createRig();
  await using aggregator = rig.start(reviewed);
  const { job, workDir } = await review(rig, await rig.endJob('a', { result: 'r' }));
  const plain = await rig.endJob('b', { result: 'r' });
  await aggregator.publish(job, workDir);
  await aggregator.publish(plain.job, plain.workDir);
  expect(receiptAt(rig, 'a').reviews).toEqual([
    {
      ...{ round: 1, trigger: 'result', decision: 'stop', why: 'a blocker', is_revised: true },
      verdicts: [{ agent: 'one', verdict: 'blocker', summary: 'fine', findings: { blocking: 2, minor: 1 } }],
    },
    {
      ...{ round: 2, trigger: 'result', decision: 'continue' },
      verdicts: [{ agent: 'one', verdict: 'approved', summary: 'fine', findings: {} }],
    },
  ]);
  expect(receiptAt(rig, 'b')).not.toHaveProperty('reviews');
  const dir = join(rig.output, 'files/inbox/a/reviews');
  expect(await aggregator.locate(job)).toMatchObject({ reviewsDir: dir });
  expect(statSync(dir).mode & 0o777).toBe(0o755);
  // Somebody who does not want it there may remove it: the result is whole all the same.
  rmSync(dir, { recursive: true });
  expect(await aggregator.locate(job)).not.toHaveProperty('reviewsDir');
  expect(await aggregator.hasResult(job.id)).toBe(true);
});

test('what is planted where reviews are to stand is put out of the way, and not written through', async () => {
  await using rig = createRig();
  await using aggregator = rig.start(reviewed);
  const first = await rig.endJob('a', { result: 'r' });
  await aggregator.publish(first.job, first.workDir);
  const outside = join(rig.dir, 'outside');
  mkdirSync(outside);
  symlinkSync(outside, join(rig.output, 'files/inbox/a/reviews'));
  const { job, workDir } = await review(rig, await rig.endJob('a', { result: 'r2' }));
  await aggregator.publish(job, workDir);
  expect(filesOf(rig)).toMatchObject({ 'inbox/a/result.md': 'r2', 'inbox/a/reviews/round-1.md': 'fine' });
  expect(treeOf(outside)).toEqual({});
});

test('what reviewers answer is no result: it stands with the older ones, and is found there', async () => {
  await using rig = createRig();
  await using aggregator = rig.start(reviewed);
  const { job, workDir } = await rig.endJob('x', { result: '{"verdict":"approved"}' });
  const step = { runId: 'j1', workflow: 'reviews', step: 'round-1-one' };
  const asked = {
    ...job,
    input: { ...job.input, root: '', path: 'reviews/j1/steps/round-1-one' },
    step,
  } as typeof job;
  await aggregator.publish(asked, workDir);
  await aggregator.publish(asked);
  expect(treeOf(rig.output)).not.toHaveProperty('workflows');
  expect(await aggregator.locate(asked)).toEqual({
    resultFile: join(rig.stateDir, 'history', job.id, 'result.md'),
  });
});

const steps: readonly PublishStep[] = [
  ...(['folder', 'parcel', 'room', 'pending', 'result', 'outputs', 'reviews', 'receipt', 'discard'] as const),
];
const made = { result: 'new', outputs: { x: 'new x' } };
const cachedFrom = ({ job }: Ended) => ({
  state: 'cached' as const,
  end: { cachedFrom: job.id, outputs: job.outputs },
});

const scenes: Record<string, (rig: Rig) => Promise<{ first?: Ended[]; last: Ended }>> = {
  'a first result': async (rig) => ({ last: await review(rig, await rig.endJob('a', made)) }),
  'over another one that was reviewed': async (rig) => ({
    first: [await review(rig, await rig.endJob('a', { result: 'old' }), 'old')],
    last: await review(rig, await rig.endJob('a', made)),
  }),
  'one that nobody reviewed, over one that was': async (rig) => ({
    first: [await review(rig, await rig.endJob('a', { result: 'old' }), 'old')],
    last: await rig.endJob('a', made),
  }),
  'a failure': async (rig) => ({
    first: [await review(rig, await rig.endJob('a', { result: 'old' }), 'old')],
    last: await review(
      rig,
      await rig.endJob(
        'a',
        { stderr: 'no' },
        { state: 'failed', end: { reason: 'exit_code', message: 'm' } },
      ),
    ),
  }),
  'from the cache, at its path': async (rig) => {
    const first = await review(rig, await rig.endJob('a', made));
    return { first: [first], last: await rig.endJob('a', {}, cachedFrom(first)) };
  },
  'from the cache, at another path': async (rig) => {
    const first = await review(rig, await rig.endJob('a', made));
    const other = await review(rig, await rig.endJob('b', { result: 'other' }), 'other');
    return { first: [first, other], last: await rig.endJob('b', {}, cachedFrom(first)) };
  },
  'a file that was a folder': async (rig) => ({
    first: [await rig.endJob('a/reviews/b', made), await rig.endJob('a/reviews', made)],
    last: await review(rig, await rig.endJob('a', made)),
  }),
  'a folder that was a file': async (rig) => ({
    first: [await review(rig, await rig.endJob('a', made))],
    last: await rig.endJob('a/reviews/b', made),
  }),
};

/** Where what is in the end. */
const found: Readonly<Record<string, string>> = {
  'a failure':
    'inbox/a/receipt.json inbox/a/result.md inbox/a/reviews/round-1.md job-0001/receipt.json job-0001/result.md job-0001/reviews/round-1.md',
  'a file that was a folder':
    'inbox/a/outputs/x inbox/a/receipt.json inbox/a/result.md inbox/a/reviews/round-1.md job-0001/outputs/x job-0001/receipt.json job-0001/result.md job-0002/outputs/x job-0002/receipt.json job-0002/result.md',
  'a first result': 'inbox/a/outputs/x inbox/a/receipt.json inbox/a/result.md inbox/a/reviews/round-1.md',
  'a folder that was a file':
    'inbox/a/reviews/b/outputs/x inbox/a/reviews/b/receipt.json inbox/a/reviews/b/result.md job-0001/outputs/x job-0001/receipt.json job-0001/result.md job-0001/reviews/round-1.md',
  'from the cache, at another path':
    'inbox/a/outputs/x inbox/a/receipt.json inbox/a/result.md inbox/a/reviews/round-1.md inbox/b/outputs/x inbox/b/receipt.json inbox/b/result.md inbox/b/reviews/round-1.md job-0002/receipt.json job-0002/result.md job-0002/reviews/round-1.md',
  'from the cache, at its path':
    'inbox/a/outputs/x inbox/a/receipt.json inbox/a/result.md inbox/a/reviews/round-1.md',
  'one that nobody reviewed, over one that was':
    'inbox/a/outputs/x inbox/a/receipt.json inbox/a/result.md job-0001/receipt.json job-0001/result.md job-0001/reviews/round-1.md',
  'over another one that was reviewed':
    'inbox/a/outputs/x inbox/a/receipt.json inbox/a/result.md inbox/a/reviews/round-1.md job-0001/receipt.json job-0001/result.md job-0001/reviews/round-1.md',
};

for (const [name, scene] of Object.entries(scenes)) {
  test(`${name}: a crash after any step changes nothing in the end`, async () => {
    const ends: unknown[] = [];
    for (const crashAfter of [undefined, ...steps]) {
      await using rig = createRig();
      const { first = [], last } = await scene(rig);
      await using before = rig.start(reviewed);
      for (const { job, workDir } of first) await before.publish(job, workDir);
      await using crashing = rig.start({
        ...reviewed,
        afterStep: (step) => {
          if (step === crashAfter) throw new Error('the machine stopped here');
        },
      });
      await crashing.publish(last.job, last.workDir).catch(() => {});
      await using after = rig.start(reviewed);
      await after.publish(last.job);
      await after.publish(last.job);
      ends.push([filesOf(rig), historyOf(rig)]);
      expect(await after.locate(last.job), `after ${crashAfter}`).toBeDefined();
    }
    for (const [i, end] of ends.entries()) expect(end, `crash after ${steps[i - 1]}`).toEqual(ends[0]);
    const stands = Object.keys({ ...(ends[0] as object[])[0], ...(ends[0] as object[])[1] });
    expect(stands.toSorted().join(' ')).toBe(found[name]);
  });
}
