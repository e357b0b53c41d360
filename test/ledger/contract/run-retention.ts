/** Which runs are forgotten and what goes with them; and that nothing which is open, or still of use, ever goes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { finalRunStates, type RunRecord, type RunState } from '../../../src/types/run.ts';
import type { MakePlace } from '../contract.ts';
import { run, step, stepJob } from '../run-specs.ts';
import { file, ids, spec } from '../specs.ts';
import { runIds } from './runs.ts';

const ended = (endedAt: number, facts: Partial<RunRecord> = {}): Partial<RunRecord> => ({
  state: 'succeeded',
  endedAt,
  ...facts,
});
const calledBy = (runId: string): Partial<RunRecord> => ({
  trigger: { kind: 'workflow', runId, step: 'sub' },
});

/** So that none of the others is the latest of its workflow. */
async function latest(ledger: Ledger): Promise<void> {
  await ledger.runs.create(run('latest'));
}

async function past(ledger: Ledger, ...job: Parameters<Ledger['jobs']['record']>): Promise<void> {
  await ledger.jobs.record(...job);
  await ledger.jobs.published(job[0].id);
}

export function runRetentionContract(makePlace: MakePlace): void {
  test('a run goes with its steps, files, session and the runs that it called, and then its jobs may go', async () => {
    const place = makePlace();
    let now = 1_000;
    {
      await using ledger = await place.open(() => now);
      const { runs, jobs, sessions } = ledger;
      await runs.create(run('old', ended(1_500)));
      await runs.create(run('sub', ended(1_400, { workflow: 'part', ...calledBy('old') })));
      await runs.create(run('sub sub', ended(1_300, calledBy('sub'))));
      await runs.create(run('kept', ended(2_000)));
      await latest(ledger);
      for (const id of ['old', 'sub sub', 'kept']) {
        await runs.putStep(step(id, 'a'));
        await runs.putSteps(Array.from({ length: 4_100 }, (_, i) => step(id, 'e', {}, i)));
        await runs.addFiles(id, 'p', ['j1', 'j2']);
        await past(ledger, stepJob(`job of ${id}`, id, 'a'), { state: 'succeeded' });
        await sessions.open({ id, kind: 'run', title: id });
        await sessions.commit(id, 'me', [{ op: 'set', owner: '', key: 'k', value: 1 }]);
      }
      expect(await jobs.prune(5_000, 100), 'jobs stay with their run').toEqual([]);
      now = 9_000;
      expect(await runs.prune(2_000, 100)).toEqual([
        { id: 'old', workflow: 'nightly' },
        { id: 'sub', workflow: 'part' },
        { id: 'sub sub', workflow: 'nightly' },
      ]);
      expect(await runs.prune(2_000, 100)).toEqual([]);
    }
    await using ledger = await place.open(() => now);
    const { runs, jobs, sessions } = ledger;
    expect(await runIds(ledger)).toEqual(['kept', 'latest']);
    for (const id of ['old', 'sub sub']) {
      expect([await runs.steps(id), await runs.itemCounts(id, 'e'), await sessions.get(id)]).toEqual([
        [],
        {},
        undefined,
      ]);
      expect(await runs.files(id, 'p', { limit: 9 })).toEqual([]);
    }
    expect(await runs.steps('kept')).toHaveLength(1);
    expect(await runs.itemCounts('kept', 'e')).toEqual({ running: 4_100 });
    expect(await sessions.read('kept', '', 'k')).toMatchObject({ value: 1 });
    expect(await jobs.prune(1_000, 100), 'not older than that').toEqual([]);
    expect((await jobs.prune(1_001, 100)).toSorted()).toEqual(['job of old', 'job of sub sub']);
    expect(ids(await jobs.list({ run: 'kept', limit: 9 }))).toEqual(['job of kept']);
  });

  test('what is open stays: a run, one that it called, and the job whose attempt it is', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { runs, jobs } = ledger;
    const begun = { kind: 'file', file: { root: '', rootDir: '', path: '', sha256: '', bytes: 0 } } as const;
    await jobs.enqueue(spec({ id: 'open job' }));
    await runs.create(run('waits', { state: 'waiting' }));
    await runs.create(run('has ended', ended(1_500)));
    await runs.create(run('still runs', calledBy('has ended')));
    await runs.create(run('of an open job', ended(1_500, { trigger: { ...begun, jobId: 'open job' } })));
    await runs.create(run('below an open one', ended(1_500, calledBy('waits'))));
    await latest(ledger);
    expect(await runs.prune(1e9, 100, 1)).toEqual([]);
    await runs.update('still runs', ended(1_600) as never);
    await runs.update('waits', ended(1_600) as never);
    await jobs.endIdle('open job', { state: 'cancelled' });
    expect(ids((await runs.prune(1e9, 100)) as RunRecord[]).toSorted()).toEqual(
      ['below an open one', 'has ended', 'of an open job', 'still runs', 'waits'].toSorted(),
    );
  });

  test('a run whose result the cache refers to stays, and so does the latest of each workflow', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { runs, results } = ledger;
    await runs.create(run('used', ended(1_500)));
    await runs.create(run('caller', ended(1_500)));
    await runs.create(run('called', ended(1_500, calledBy('caller'))));
    for (const id of ['used', 'called']) {
      await past(ledger, stepJob(`job of ${id}`, id, 'a', { key: id }), { state: 'succeeded' });
      await results.put(id, `job of ${id}`);
    }
    await runs.create(run('monthly', ended(1_500, { workflow: 'monthly' })));
    await runs.create(run('newest', ended(1_500)));
    expect(await runs.prune(1e9, 100, 1)).toEqual([]);
    await results.forget('used');
    await results.put('called', 'somebody else');
    expect(ids((await runs.prune(1e9, 100)) as RunRecord[])).toEqual(['used', 'caller', 'called']);
    expect(await runIds(ledger)).toEqual(['monthly', 'newest']);
  });

  test('a limited number at a time, oldest first; by number the newest stay', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { runs } = ledger;
    for (const at of [1_400, 1_200, 1_300, 1_500, 1_600]) await runs.create(run(`r${at}`, ended(at)));
    await latest(ledger);
    const prune = async (...args: Parameters<typeof runs.prune>): Promise<string[]> =>
      ids((await runs.prune(...args)) as RunRecord[]);
    expect(await prune(1_350, 1)).toEqual(['r1200']);
    expect(await prune(1_350, 9)).toEqual(['r1300']);
    expect(await prune(0, 9, 4)).toEqual([]);
    expect(await prune(0, 1, 1)).toEqual(['r1400']);
    expect(await prune(0, 9, 1)).toEqual(['r1500']);
    expect(await runIds(ledger)).toEqual(['latest', 'r1600']);
  });

  test('by number of jobs: the newest run stays however many it has', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const { runs } = ledger;
    for (const id of ['r1', 'r2', 'r3', 'r4']) {
      await runs.create(run(id, ended(now + 1)));
      for (let n = 0; n < 5; n++)
        await past(ledger, stepJob(`${id}-${n}`, id, `s${n}`), { state: 'succeeded' });
      now += 1_000;
    }
    await latest(ledger);
    expect(await runs.prune(0, 9, 20)).toEqual([]);
    expect(ids((await runs.prune(0, 9, 7)) as RunRecord[])).toEqual(['r1', 'r2']);
    expect(ids((await runs.prune(0, 9, 1)) as RunRecord[])).toEqual(['r3']);
    expect(await runIds(ledger)).toEqual(['latest', 'r4']);
    expect((await ledger.jobs.prune(0, 100, 1)).toSorted()).toHaveLength(15);
    expect(await ledger.jobs.list({ run: 'r4', limit: 9 })).toHaveLength(5);
  });

  test('the job of a file stays while a run that took it in is open', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { runs, jobs } = ledger;
    await runs.create(run('r'));
    for (const id of ['j1', 'j2']) {
      await ledger.files.put(file('p', { jobId: id }));
      await past(ledger, spec({ id, path: 'p' }), { state: 'failed' });
    }
    await ledger.files.setGone('inbox', 'p');
    await runs.addFiles('r', 'process', ['j1', 'j2']);
    expect(await jobs.prune(1e9, 100, 1)).toEqual([]);
    await runs.update('r', ended(1_500) as never);
    expect((await jobs.prune(1e9, 100)).toSorted()).toEqual(['j1', 'j2']);
    expect(await ledger.files.get('inbox', 'p')).toBeUndefined();
  });

  test('in whatever forest of runs: what is open stays with all above it, whole trees go', async () => {
    const state = fc.constantFrom<RunState>(
      'queued',
      'running',
      'waiting',
      'succeeded',
      'failed',
      'cancelled',
    );
    const node = fc.record({ state, parent: fc.nat(), at: fc.nat({ max: 10 }), isTop: fc.boolean() });
    const forest = fc.array(node, { minLength: 1, maxLength: 12 });
    await using ledger = await makePlace().open(() => 1_000);
    let turn = 0;
    await fc.assert(
      fc.asyncProperty(
        forest,
        fc.nat({ max: 12 }),
        fc.option(fc.nat({ max: 5 }), { nil: undefined }),
        async (nodes, before, keep) => {
          const workflow = `w${turn++}`;
          const name = (i: number): string => `${workflow}-${i}`;
          const up = nodes.map(({ parent, isTop }, i) => (isTop || i === 0 ? undefined : parent % i));
          for (const [i, one] of nodes.entries()) {
            const isEnded = finalRunStates.includes(one.state);
            const parent = up[i];
            await ledger.runs.create(
              run(name(i), {
                workflow,
                state: one.state,
                ...(isEnded && { endedAt: one.at }),
                ...(parent !== undefined && calledBy(name(parent))),
              }),
            );
          }
          await ledger.runs.create(run(`${workflow}-z`, { workflow }));
          const gone = new Set(ids((await ledger.runs.prune(before, 100, keep)) as RunRecord[]));
          for (const [i, one] of nodes.entries()) {
            const id = name(i);
            const parent = up[i];
            expect((await ledger.runs.get(id)) === undefined).toBe(gone.has(id));
            if (parent !== undefined) expect(gone.has(id), 'trees go whole').toBe(gone.has(name(parent)));
            if (!finalRunStates.includes(one.state)) expect(gone.has(id), 'open').toBe(false);
            if (parent === undefined && keep === undefined && one.at >= before)
              expect(gone.has(id)).toBe(false);
            const isWholeTreeOld = nodes.every(({ state: other }) => finalRunStates.includes(other));
            if (isWholeTreeOld && parent === undefined && one.at < before)
              expect(gone.has(id), 'old').toBe(true);
          }
          for (const { id } of await ledger.runs.open())
            await ledger.runs.update(id, { state: 'cancelled', endedAt: -1 });
          await ledger.runs.create(run(`${workflow}-last`, { workflow }));
        },
      ),
      { numRuns: 60 },
    );
  });
}
