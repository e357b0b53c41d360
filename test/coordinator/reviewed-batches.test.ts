/** Work on several files at once that is reviewed: each file by itself. */
import { expect, test } from 'vitest';
import type { JobRecord } from '../../src/types/job.ts';
import { House, survives } from './reviewed-house.ts';

test('each file waits for its own review, with its own work; what blocks one holds up nobody', async () => {
  const house = new House(
    (path, { attempt }) => {
      if (path === 'b' && attempt === 1) return { kind: 'revise', guidance: 'It is 5.' };
      if (path === 'c') return { kind: 'hold', reason: 'clarify', message: 'Which?', fix: 'Say which.' };
      return { kind: 'accept', ...(path === 'd' && { warning: 'accepted with a warning: hm' }) };
    },
    { results: '{"file":"a","state":"succeeded","result":"about a"}\n' },
  );
  const { coordinator, ledger, settled, die } = await house.start();
  await house.drop({ coordinator }, 'a', 'b', 'c', 'd');
  await settled();
  expect(house.attempts).toEqual(['a,b,c,d', 'b told It is 5.']);
  expect(house.wanted).toHaveLength(5);
  for (const { job, call } of house.wanted) {
    expect(call.inputs.map(({ path }) => path)).toEqual([job.input.path]);
    expect(call.workDir).toContain(job.id);
    expect([call.jobId, job.attempts.at(-1)?.n]).toEqual([job.id, call.attempt]);
  }
  const own = house.receipt('a');
  expect([own?.state, own?.proof, own?.attempts[0]?.batch?.files]).toEqual(['succeeded', ['exit_code'], 4]);
  expect([own?.cost_usd, own?.outputs.map(({ path }) => path)]).toEqual([0.075, ['a.out']]);
  expect([house.delivered('a', 'result.md'), house.delivered('d', 'result.md')]).toEqual(['about a', 'done']);
  const mended = house.receipt('b');
  expect(mended?.attempts.map(({ batch }) => batch?.files)).toEqual([4, undefined]);
  expect(mended?.cost_usd).toBeCloseTo(0.375);
  expect(house.delivered('b', 'outputs/b.out')).toBe('made of b told It is 5.');
  expect(house.receipt('d')?.message).toBe('accepted with a warning: hm');
  const [held] = await ledger.jobs.list({ states: ['held'], limit: 9 });
  expect([held?.input.path, held?.reason, held?.message]).toEqual(['c', 'clarify', 'Which?']);
  expect(house.leftWork).toEqual([held?.id]);
  // A person accepts it: what was made with the others is there.
  expect(await coordinator.unhold(held?.id ?? '')).toBe(true);
  await settled();
  expect([house.receipt('c')?.state, house.delivered('c', 'outputs/c.out')]).toEqual([
    'succeeded',
    'made of c',
  ]);
  expect([house.leftWork, house.attempts.length]).toEqual([[], 2]);
  await die();
});

test('files that are told something are told it by themselves; what the agent says that failed is not reviewed', async () => {
  const house = new House(
    (_path, { attempt }) => (attempt === 1 ? { kind: 'revise', guidance: 'Once more.' } : { kind: 'accept' }),
    { results: '{"file":"b","state":"failed","message":"no columns"}\n' },
  );
  const { coordinator, settled, die } = await house.start();
  await house.drop({ coordinator }, 'a', 'b', 'c', 'd');
  await settled();
  expect(house.attempts.toSorted()).toEqual([
    'a told Once more.',
    'a,b,c,d',
    'c told Once more.',
    'd told Once more.',
  ]);
  expect(house.receipt('b')).toMatchObject({ state: 'failed', message: 'no columns' });
  expect(house.wanted.map(({ job }) => job.input.path)).not.toContain('b');
  await die();
});

test('a review that ends the attempt holds every file; one answer lets all of it go on, and nobody else with it', async () => {
  const house = new House(() => ({ kind: 'accept' }), { files: 3, asks: true });
  const { coordinator, ledger, settled, die } = await house.start();
  const first = Promise.withResolvers<JobRecord>();
  coordinator.events.subscribe((event) => {
    if (event.type === 'started' && event.call) first.resolve(event.job);
  });
  await house.drop({ coordinator }, 'a', 'b', 'c');
  const { id } = await first.promise;
  expect(coordinator.interrupt(id, 'pause', 'its review says: which key?')).toBe(true);
  await settled();
  const held = await ledger.jobs.list({ states: ['held'], limit: 9 });
  expect(held.map(({ reason, message = '' }) => [reason, message.includes('which key?')])).toEqual(
    held.map(() => ['clarify', true]),
  );
  // It is for all that were stopped, and not for what comes now, or asks something else.
  const gone = held.find((job) => job.id !== id);
  await coordinator.cancel(gone?.id ?? '', 'a person');
  const other = held.find((job) => job.id !== id && job.id !== gone?.id);
  expect((await coordinator.answer(other?.id ?? '', 'It is 7.')).toSorted()).toEqual(
    [id, other?.id ?? ''].toSorted(),
  );
  expect(await coordinator.answer(id, 'Again.')).toEqual([]);
  await settled();
  const names = held.filter((job) => job !== gone).map(({ input }) => input.path);
  expect(house.attempts).toEqual(['a,b,c', `${names.toSorted()} told A person says: It is 7.`]);
  for (const name of names) expect(house.receipt(name)?.state).toBe('succeeded');
  await die();
});

test.each([16, 20])(
  'killed after write %i to the ledger it loses, doubles and repeats nothing',
  async (lastWrite) => {
    expect(await survives(lastWrite)).toBe(true);
  },
);
