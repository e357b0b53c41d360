/** The input of work that waits for its review is written again. */
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { playedConfig } from '../reviews/deaths.ts';
import { answer } from '../reviews/rig.ts';
import { House, type Started } from './reviewed-house.ts';

async function seen({ coordinator, ledger }: Started, type: 'review_wanted' | 'held'): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const stop = coordinator.events.subscribe((event) => {
    if (event.type === type) resolve(event.job.id);
  });
  const [held] = await ledger.jobs.list({ states: ['held'], limit: 1 });
  if (type === 'held' && held) resolve(held.id);
  return promise.finally(stop);
}

test('with the same content: nobody works or is asked again, whether reviewers or a person decide', async () => {
  const go = Promise.withResolvers<string>();
  const house = new House(() => ({ kind: 'accept' }), {
    config: playedConfig(),
    answer: ({ agent }) => (agent.name === 'author' ? 'It is 4.' : go.promise),
  });
  const touch = (second: number) => utimesSync(join(house.dir, 'inbox/a'), second, second);
  const started = await house.start();
  const reviewed = seen(started, 'review_wanted');
  await house.drop(started, 'a');
  const id = await reviewed;
  touch(1_000);
  await house.drop(started, 'a');
  const held = seen(started, 'held');
  go.resolve(answer('concern'));
  expect(await held).toBe(id);
  touch(2_000);
  await house.drop(started, 'a');
  expect(await started.coordinator.unhold(id)).toBe(true);
  await started.settled();
  expect(house.receipt('a')).toMatchObject({ job_id: id, state: 'succeeded' });
  expect(house.attempts.toSorted()).toEqual(['author a', 'one round-1-one', 'two round-1-two']);
  await started.die();
});

test('with another content: it is worked on anew', async () => {
  const house = new House(() => ({ kind: 'hold', reason: 'escalated', message: 'Is it?', fix: 'Say so.' }), {
    config: playedConfig(),
  });
  const started = await house.start();
  await house.drop(started, 'a');
  const first = await seen(started, 'held');
  writeFileSync(join(house.dir, 'inbox/a'), 'something else');
  const again = seen(started, 'review_wanted');
  await house.drop(started, 'a');
  expect(await again).not.toBe(first);
  expect((await started.ledger.jobs.get(first))?.state).toBe('superseded');
  expect(house.attempts).toEqual(['a', 'a']);
  await started.die();
});
