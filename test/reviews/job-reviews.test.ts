/** What a job's reviews are when, over a real coordinator and ledger; agents are played by the test. */
import { expect, test } from 'vitest';
import type { AgentCall, AgentEvent } from '../../src/types/agent.ts';
import type { JobRecord } from '../../src/types/job.ts';
import type { ReviewRecord } from '../../src/types/review.ts';
import { House, type Started } from '../coordinator/reviewed-house.ts';
import { playedConfig } from './deaths.ts';
import { answer } from './rig.ts';

type Answer = (call: AgentCall) => string | Promise<string>;

/** @param o.author Its answer. @param o.reviewer Of each of the two; default: it approves. */
function play(o: { on?: string; author?: Answer; reviewer?: Answer }): House {
  const { on, author = () => 'It is 4.', reviewer = () => answer('approved') } = o;
  return new House(() => ({ kind: 'accept' }), {
    config: playedConfig(on),
    answer: (call) => (call.agent.name === 'author' ? author(call) : reviewer(call)),
  });
}

const says = (call: AgentCall, text: string, type: AgentEvent['type'] = 'review'): void =>
  call.onEvent?.({ type, payload: { text } });

const roundsOf = async ({ ledger }: Started): Promise<readonly string[]> =>
  (await ledger.reviews.list({ limit: 99 }))
    .toReversed()
    .map(({ trigger, round, decision = 'open' }) => `${trigger} ${round} ${decision}`);

/** Resolves when a job comes to this; also one that was there already. */
async function until(started: Started, which: (job: JobRecord) => boolean): Promise<JobRecord> {
  const { promise, resolve } = Promise.withResolvers<JobRecord>();
  const stop = started.coordinator.events.subscribe((event) => {
    if ('job' in event && which(event.job)) resolve(event.job);
  });
  const known = (await started.ledger.jobs.list({ limit: 99 })).find(which);
  if (known) resolve(known);
  return promise.finally(stop);
}

const isHeld = ({ state }: JobRecord): boolean => state === 'held';

test('what it asked for and nobody had begun is looked at when it has ended, though results are not', async () => {
  const house = play({
    on: 'request',
    author: (call) => {
      says(call, 'Is this right?');
      says(call, 'And this?');
      return 'It is 4.';
    },
  });
  const started = await house.start();
  await house.drop(started, 'a');
  await started.settled();
  expect(house.receipt('a')?.state).toBe('succeeded');
  expect(await roundsOf(started)).toEqual(['request 1 continue', 'result 1 continue']);
  await started.die();
});

test('by hand, one at a time; where the work is cancelled meanwhile nobody is asked any more', async () => {
  const go = Promise.withResolvers<void>();
  const house = play({
    on: 'quiet',
    reviewer: () => new Promise(() => {}),
    author: () => go.promise.then(() => 'Done.'),
  });
  const started = await house.start();
  await house.drop(started, 'a');
  const author = await until(started, ({ agent, state }) => agent === 'author' && state === 'running');
  expect(started.reviews?.request('no such job', 'me')).toBe('none');
  expect(started.reviews?.request(author.id, 'me')).toBe('begun');
  expect(started.reviews?.request(author.id, 'me')).toBe('under_way');
  await until(started, ({ agent, state }) => agent === 'one' && state === 'running');
  await started.coordinator.cancel(author.id, 'a person');
  await until(started, ({ agent, state }) => agent === 'one' && state === 'cancelled');
  await started.settled();
  expect(await roundsOf(started)).toEqual(['manual 1 open']);
  expect(await started.ledger.reviews.list({ open: true, limit: 9 })).toEqual([]);
  await started.die();
});

test('who asks a person asks again after a restart', async () => {
  const house = play({ reviewer: () => answer('concern') });
  const first = await house.start();
  await house.drop(first, 'a');
  const { id } = await until(first, isHeld);
  expect([...house.asking]).toEqual([id]);
  await first.die();
  house.asking.clear();
  const second = await house.start();
  expect([...house.asking]).toEqual([id]);
  await second.die();
});

test('a round that a killed process left open is let go when the work is done anew', async () => {
  const house = play({});
  const started = await house.start();
  started.coordinator.block('test');
  await house.drop(started, 'a');
  const { id } = await until(started, ({ agent }) => agent === 'author');
  const left: ReviewRecord = {
    ...{ id: 'left', sessionId: id, subject: { kind: 'job', jobId: id, attempt: 9 }, author: 'author' },
    ...{ trigger: 'result', round: 1, startedAt: 1, workSha256: '', verdicts: [] },
  };
  await started.ledger.reviews.put(left);
  started.coordinator.unblock('test');
  await started.settled();
  expect(await started.ledger.reviews.list({ open: true, limit: 9 })).toEqual([]);
  expect(house.receipt('a')?.reviews?.map(({ decision }) => decision)).toEqual([undefined, 'continue']);
  await started.die();
});

test('an agent that is paused is not asked', async () => {
  const house = play({});
  const started = await house.start();
  await started.coordinator.pauseAgent('one', 'me');
  await house.drop(started, 'a');
  await started.settled();
  expect(house.attempts).toEqual(['author a', 'two round-1-two']);
  expect(house.receipt('a')?.reviews?.[0]?.verdicts.map(({ agent }) => agent)).toEqual(['two']);
  await started.die();
});
