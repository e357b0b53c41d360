/** Work on copies that is reviewed: what was accepted is put in place, later or not at all, and never forgotten. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentCall } from '../../src/types/agent.ts';
import { AppError } from '../../src/types/errors.ts';
import type { JobRecord } from '../../src/types/job.ts';
import type { Workspace } from '../../src/workspace/workspaces.ts';
import { playedConfig } from '../reviews/deaths.ts';
import { answer } from '../reviews/rig.ts';
import { House, type Started } from './reviewed-house.ts';

const onCopies = playedConfig().replace(
  'author: { kind: command,',
  'author: { workspace: copy, retry: { attempts: 2, initial: 100ms }, kind: command,',
);
const added = { path: 'a.note', change: 'added', sha256: 'f'.repeat(64), bytes: 1 } as const;

/** @param refusals Thrown by the first promotions, in order; `killed`: it does not come to its end. */
function play(o: {
  refusals?: (AppError | 'killed')[];
  reviewer?: (call: AgentCall) => string | Promise<string>;
}) {
  const { refusals = [], reviewer = () => answer('approved') } = o;
  const promoted: string[] = [];
  const told: (string | undefined)[] = [];
  const placing = Promise.withResolvers<unknown>();
  const house = new House(() => ({ kind: 'accept' }), {
    config: onCopies,
    answer: (call) => {
      if (call.agent.name !== 'author') return reviewer(call);
      told.push(call.guidance);
      return `It is ${told.length}.`;
    },
    workspaces: {
      prepare: async ({ into }) => {
        mkdirSync(into, { recursive: true });
        return {} as Workspace;
      },
      promote: async ({ from }) => {
        const refusal = refusals.shift();
        if (refusal === 'killed') await new Promise(placing.resolve);
        else if (refusal) throw refusal;
        promoted.push(from);
        return [added];
      },
      discard: async (from) => rmSync(from, { recursive: true }),
    },
  });
  const configure = (change: (text: string) => string): void => {
    const file = join(house.dir, 'config/orchestrator.yaml');
    writeFileSync(file, change(readFileSync(file, 'utf8')));
  };
  return { house, promoted, told, configure, placing: placing.promise };
}

async function until(
  { coordinator, ledger }: Started,
  which: (job: JobRecord) => boolean,
): Promise<JobRecord> {
  const { promise, resolve } = Promise.withResolvers<JobRecord>();
  const stop = coordinator.events.subscribe((event) => {
    if ('job' in event && which(event.job)) resolve(event.job);
  });
  const known = (await ledger.jobs.list({ limit: 99 })).find(which);
  if (known) resolve(known);
  return promise.finally(stop);
}
const isHeld = ({ state }: JobRecord): boolean => state === 'held';
const fullDisk = (): AppError => new AppError('DISK_FULL', 'The disk is full', { fix: 'Make space.' });

test('its agent works in place by now: what it did on a copy is put in place all the same', async () => {
  const go = Promise.withResolvers<string>();
  const { house, promoted, configure } = play({ reviewer: () => go.promise });
  const first = await house.start();
  await house.drop(first, 'a');
  await until(first, ({ agent, state }) => agent === 'one' && state === 'running');
  await first.die();
  configure((text) => text.replace('workspace: copy, ', ''));
  const second = await house.start();
  go.resolve(answer('approved'));
  await second.settled();
  expect([house.receipt('a')?.state, house.receipt('a')?.promoted, promoted.length]).toEqual([
    'succeeded',
    [added],
    1,
  ]);
  await second.die();
});

test('where the disk is full it waits, and counts without reviewers or a person being asked again', async () => {
  const { house, promoted } = play({
    refusals: [fullDisk(), fullDisk()],
    reviewer: ({ prompt }) => answer(prompt?.includes('inbox/b') ? 'concern' : 'approved'),
  });
  const started = await house.start();
  await house.drop(started, 'a', 'b');
  const { id } = await until(started, isHeld);
  expect(await started.coordinator.unhold(id)).toBe(true);
  await started.settled();
  expect([house.receipt('a')?.state, house.receipt('b')?.state, promoted.length]).toEqual([
    'succeeded',
    'succeeded',
    2,
  ]);
  expect(house.receipt('b')?.message).toMatch(/^accepted as it is by a person/);
  expect(house.attempts).toHaveLength(2 + 4);
  await started.die();
});

test('what can never be put in place fails, and says why', async () => {
  const lost = new AppError('WORKSPACE_LOST', 'The copy is gone', { fix: 'Retry.' });
  const { house } = play({ refusals: [lost] });
  const started = await house.start();
  await house.drop(started, 'a');
  await started.settled();
  expect(house.receipt('a')).toMatchObject({ state: 'failed', message: 'The copy is gone', fix: 'Retry.' });
  await started.die();
});

test('where the tree always changes meanwhile it is done as often as its agent may try, and what was found is not forgotten', async () => {
  const wrong = { severity: 'blocking', text: 'It is 5.', place: null, evidence: null };
  const conflict = (): AppError => new AppError('PROMOTION_CONFLICT', 'a has changed', { fix: 'Retry.' });
  const { house, told } = play({
    refusals: Array.from({ length: 20 }, conflict),
    reviewer: ({ step }) =>
      step?.step.endsWith('round-1-one') ? answer('blocker', wrong) : answer('approved'),
  });
  const started = await house.start();
  await house.drop(started, 'a');
  await started.settled();
  expect(house.receipt('a')).toMatchObject({ state: 'failed', message: 'a has changed', fix: 'Retry.' });
  expect(told).toEqual([undefined, expect.stringContaining('It is 5.'), expect.stringContaining('It is 5.')]);
  await started.die();
});

test('a process that was killed while it put work in place: the next one starts, whatever becomes of that', async () => {
  const lost = new AppError('WORKSPACE_LOST', 'The copy is gone', { fix: 'Retry.' });
  const { house, configure, placing } = play({ refusals: ['killed', lost] });
  configure((text) => text.replace('review: true', 'review: false'));
  const first = await house.start();
  await house.drop(first, 'a');
  await placing;
  await first.die();
  const second = await house.start();
  await second.settled();
  expect(house.receipt('a')).toMatchObject({ state: 'failed', message: 'The copy is gone' });
  expect(house.attempts).toEqual(['author a']);
  await second.die();
});

test('released when its rule has another agent by now: that one does it', async () => {
  const { house, configure } = play({ reviewer: () => answer('concern') });
  const first = await house.start();
  await house.drop(first, 'a');
  const { id } = await until(first, isHeld);
  await first.die();
  configure((text) => text.replace('agent: author, review: true', 'agent: two, review: false'));
  const second = await house.start();
  expect(await second.coordinator.unhold(id)).toBe(true);
  await second.settled();
  expect(house.receipt('a')).toMatchObject({ state: 'succeeded', agent: 'two' });
  await second.die();
});
