/** Jobs that are steps of a run: the same queue, leases and totals; and which jobs a run has. */
import { expect, test } from 'vitest';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { JobRecord } from '../../../src/types/job.ts';
import type { MakePlace } from '../contract.ts';
import { run, runOne, step, stepJob, task } from '../run-specs.ts';
import { attempt, claim, type claimOne, file, ids, spec } from '../specs.ts';

const usage = { input_tokens: 1, cache_read_tokens: 2, cache_write_tokens: 3, output_tokens: 4 };

export function stepJobContract(makePlace: MakePlace): void {
  test('what a step wants done stays with its job, through the queue, leases, records and adoption', async () => {
    const place = makePlace();
    const agentTask = task('r', 'ask[3]', {
      work: { kind: 'agent', agents: ['a', 'b'], prompt: 'line\n"quoted" \0' },
      file: { path: '/p/a b', sha256: 'ff', bytes: 3, stamp: 's' },
      timeoutMs: 5,
      retry: { attempts: 2, initialMs: 1, maxMs: 2 },
    });
    {
      await using ledger = await place.open(() => 1_000);
      const { jobs } = ledger;
      await jobs.enqueue(stepJob('one', 'r', 'ask[3]', { step: agentTask }));
      await jobs.enqueue(spec({ id: 'file' }));
      expect((await jobs.record(stepJob('cached', 'r', 'b'), { state: 'cached' })).step).toEqual(
        task('r', 'b'),
      );
      const adopted = await jobs.adopt(stepJob('adopted', 'r', 'c'), { token: 4, worker: 'w', leaseMs: 1 });
      expect(adopted).toMatchObject({ token: 4, job: { step: task('r', 'c') } });
      const leases = await claim(ledger);
      expect(leases.map(({ job }) => [job.id, job.step])).toEqual([
        ['one', agentTask],
        ['file', undefined],
      ]);
      const to = { rule: 'nightly', agent: 'b', key: '', priority: 0 };
      await jobs.fallBack(leases[0] as never, to, { agent: 'a', reason: 'quota' });
      await jobs.end(leases[1] as never, { state: 'succeeded' });
    }
    await using ledger = await place.open(() => 1_000);
    const lease = (await claim(ledger, { agents: ['b'] }))[0] as never as Awaited<
      ReturnType<typeof claimOne>
    >;
    expect(lease.job.step).toEqual(agentTask);
    expect((await ledger.jobs.end(lease, { state: 'failed' }))?.step).toEqual(agentTask);
    expect((await ledger.jobs.get('one'))?.step).toEqual(agentTask);
    expect((await ledger.jobs.orphaned('other'))[0]?.job.step).toEqual(task('r', 'c'));
    expect(await ledger.jobs.get('file')).not.toHaveProperty('step');
  });

  test('a step that is started anew supersedes its job that waits, and waits for one that runs', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { jobs } = ledger;
    await jobs.enqueue(stepJob('old', 'r', 'a'));
    for (const [id, runId, name] of [
      ['other step', 'r', 'b'],
      ['other run', 's', 'a'],
      ['item', 'r', 'a[0]'],
    ] as const)
      expect(await jobs.enqueue(stepJob(id, runId, name))).toEqual([]);
    expect(await jobs.enqueue(stepJob('new', 'r', 'a'))).toEqual(['old']);
    expect(await jobs.get('old')).toMatchObject({
      state: 'superseded',
      message: expect.stringContaining('step'),
    });
    expect(ids(await claim(ledger)).toSorted()).toEqual(['item', 'new', 'other run', 'other step']);
    await jobs.enqueue(stepJob('next', 'r', 'a'));
    expect(await claim(ledger)).toEqual([]);
    expect(await jobs.get('next')).toMatchObject({ state: 'waiting', reason: 'single_flight' });
  });

  test('steps of one key run one after another; those without one do not wait', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    for (const id of ['a', 'b']) await ledger.jobs.enqueue(stepJob(id, 'r', id, { key: 'same' }));
    for (const id of ['c', 'd']) await ledger.jobs.enqueue(stepJob(id, 'r', id));
    expect(ids(await claim(ledger))).toEqual(['a', 'c', 'd']);
  });

  test('steps are counted by their agent, and touch nothing that is known of files', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { jobs, files } = ledger;
    await files.put(file('one.txt', { jobId: 'x', disposition: 'processed' }));
    await jobs.enqueue(stepJob('one', 'r', 'a'));
    await files.setDisposition('', 'r/a', 'one', 'held');
    await files.setGone('', 'r/a');
    await runOne(ledger, []);
    expect(await jobs.tally()).toMatchObject([{ root: '', agent: 'a', state: 'succeeded', jobs: 1 }]);
    expect(await files.counts()).toEqual({ processed: 1 });
    expect(await files.get('', 'r/a')).toBeUndefined();
    expect(await jobs.openByAgent()).toEqual(new Map());
  });

  test('the jobs of a run are listed, with those of its files on demand; other listings are as they were', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const { jobs, runs } = ledger;
    await runs.create(run('r'));
    await jobs.enqueue(spec({ id: 'file 1' }));
    await jobs.enqueue(stepJob('step 1', 'r', 'a'));
    await jobs.enqueue(stepJob('other', 's', 'a'));
    now = 2_000;
    await jobs.record(stepJob('step 2', 'r', 'b', { agent: 'b' }), { state: 'failed' });
    await jobs.record(spec({ id: 'file 2', agent: 'b' }), { state: 'cached' });
    await runs.addFiles('r', 'process', ['file 2', 'gone', 'file 1']);
    await runs.addFiles('r', 'again', ['file 2']);
    const list = async (query: Omit<Parameters<Ledger['jobs']['list']>[0], 'limit'>, limit = 10) =>
      ids(await jobs.list({ run: 'r', ...query, limit }));
    expect(await list({})).toEqual(['step 2', 'step 1']);
    expect(await list({ runFiles: true })).toEqual(['file 2', 'step 2', 'step 1', 'file 1']);
    expect(await list({ runFiles: true }, 2)).toEqual(['file 2', 'step 2']);
    expect(await list({ runFiles: true, states: ['queued', 'cached'] })).toEqual([
      'file 2',
      'step 1',
      'file 1',
    ]);
    expect(await list({ runFiles: true, states: [] })).toEqual([]);
    expect(await list({ runFiles: true, agent: 'b' })).toEqual(['file 2', 'step 2']);
    expect(await list({ runFiles: true, root: 'inbox' })).toEqual(['file 2', 'file 1']);
    expect(await list({ runFiles: true, endedSince: 2_000 })).toEqual(['file 2', 'step 2']);
    expect(await list({ run: 'none', runFiles: true })).toEqual([]);
    expect(ids(await jobs.list({ root: 'inbox', runFiles: true, limit: 9 }))).toEqual(['file 2', 'file 1']);
    expect(await jobs.list({ limit: 9 })).toHaveLength(5);
  });

  test('files of a step are told in pages, in the order in which they came, each once', async () => {
    const place = makePlace();
    const all = Array.from({ length: 5_000 }, (_, i) => `j${(i * 7) % 5_000}`);
    {
      await using ledger = await place.open(() => 1_000);
      await ledger.runs.addFiles('r', 'a', all.slice(0, 4_990));
      await ledger.runs.addFiles('r', 'b', ['j1']);
      await ledger.runs.addFiles('r', 'a', [...all.slice(0, 100).toReversed(), ...all.slice(4_990)]);
      await ledger.runs.addFiles('s', 'a', ['j1']);
    }
    await using ledger = await place.open(() => 1_000);
    const { runs } = ledger;
    const told: string[] = [];
    for (;;) {
      const after = told.at(-1);
      const page = await runs.files('r', 'a', { ...(after !== undefined && { after }), limit: 999 });
      if (page.length === 0) break;
      told.push(...page);
    }
    expect(told).toEqual(all);
    expect(await runs.files('r', 'b', { limit: 9 })).toEqual(['j1']);
    expect(await runs.files('r', 'a', { after: 'unknown', limit: 9 })).toEqual([]);
  });

  test('what a run used is the sum over its attempts, also of those files that it began and those it has forgotten', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    const { jobs, runs } = ledger;
    const pay = (n: number, costUsd: number, facts = {}) =>
      attempt(n, { startedAt: now, endedAt: now + 1, usage, costUsd, ...facts });
    await jobs.enqueue(spec({ id: 'before' }));
    await runOne(ledger, [pay(1, 100)]);
    now = 5_000;
    await runs.create(run('r', { createdAt: now }));
    expect(await runs.spent('r')).toEqual({ costUsd: null, jobs: 0, attempts: 0 });
    await jobs.enqueue(stepJob('free', 'r', 'a'));
    await runOne(ledger, [attempt(1, { startedAt: now })]);
    expect(await runs.spent('r')).toEqual({ costUsd: null, jobs: 1, attempts: 1 });
    await jobs.enqueue(stepJob('paid', 'r', 'b'));
    await runOne(ledger, [pay(1, 1), pay(2, 2)]);
    await jobs.enqueue(spec({ id: 'file' }));
    await runOne(ledger, [pay(1, 4, { batch: { id: 'x', files: 2 } })]);
    await jobs.enqueue(spec({ id: 'file 2' }));
    await runOne(ledger, [pay(1, 8, { batch: { id: 'x', files: 2 } })]);
    await jobs.enqueue(stepJob('other', 's', 'b'));
    await runOne(ledger, [pay(1, 1_000)]);
    await runs.addFiles('r', 'p', ['before', 'file', 'file 2', 'gone']);
    await runs.addFiles('r', 'q', ['file']);
    const times = (n: number) =>
      Object.fromEntries(Object.entries(usage).map(([name, value]) => [name, n * value]));
    const spent = { usage: times(4), costUsd: 15, jobs: 6, attempts: 4 };
    expect(await runs.spent('r')).toEqual(spent);
    await runs.putStep(step('r', 'p'));
    await runs.forgetSteps('r', ['p']);
    expect(await runs.files('r', 'p', { limit: 9 })).toEqual([]);
    expect(await runs.spent('r'), 'paid is paid').toEqual(spent);
    await runs.addFiles('r', 'p', ['file 2', 'file']);
    expect(await runs.files('r', 'p', { limit: 9 })).toEqual(['file 2', 'file']);
    expect(await runs.spent('r')).toEqual(spent);
    await runs.forgetSteps('r', ['p', 'q']);
    expect(await runs.spent('r')).toEqual(spent);
  });

  test('many jobs of a run are summed and listed without stopping everything else', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { jobs, runs } = ledger;
    await runs.create(run('r'));
    const files: string[] = [];
    for (let i = 0; i < 5_000; i++) {
      await jobs.record(stepJob(`s${i}`, 'r', `e[${i}]`), { state: 'succeeded', costUsd: 1 });
      await jobs.record(spec({ id: `f${i}` }), { state: 'cached' });
      files.push(`f${i}`);
    }
    await runs.addFiles('r', 'p', files);
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      timer = setImmediate(turn);
    };
    let timer = setImmediate(turn);
    expect(await runs.spent('r')).toEqual({ costUsd: 5_000, jobs: 10_000, attempts: 0 });
    const newest: JobRecord[] = await jobs.list({ run: 'r', runFiles: true, limit: 3 });
    clearImmediate(timer);
    expect(ids(newest)).toEqual(['f4999', 's4999', 'f4998']);
    expect(turns).toBeGreaterThan(4);
  });
}
