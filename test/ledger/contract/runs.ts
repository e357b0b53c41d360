/** Runs of workflows and the versions that they were started with: what is told comes back, changed and found. */
import { expect, test } from 'vitest';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { RunQuery } from '../../../src/ledger/run-ledger.ts';
import type { RunRecord } from '../../../src/types/run.ts';
import type { MakePlace } from '../contract.ts';
import { run } from '../run-specs.ts';
import { ids } from '../specs.ts';

const file = { root: 'inbox', rootDir: '/p/inbox', path: 'a b.csv', sha256: 'ff', bytes: 3 };

const whole: RunRecord = run('20261120-164501-3fa2c1', {
  state: 'failed',
  reason: 'step_failed',
  message: 'step "lint" failed',
  fix: 'look at it',
  inputs: { level: 3, list: [null, 'x'], text: "nul \0, quote ', line\n" },
  trigger: { kind: 'file', jobId: 'job', file },
  force: true,
  depth: 2,
  group: 'deploy/main',
  outputs: { report: { ok: false } },
  warnings: ['one', 'two'],
  startedAt: 1_001,
  endedAt: 1_002,
});

export function runContract(makePlace: MakePlace): void {
  test('a run comes back whole after a restart; creating it again changes nothing', async () => {
    const place = makePlace();
    {
      await using ledger = await place.open(() => 1_000);
      await ledger.runs.create(whole);
      await ledger.runs.create(run('bare'));
      await ledger.runs.create({ ...run('bare'), state: 'cancelled' });
    }
    await using ledger = await place.open(() => 1_000);
    expect(await ledger.runs.get(whole.id)).toEqual(whole);
    expect(await ledger.runs.get('bare')).toEqual(run('bare'));
    expect(await ledger.runs.get('other')).toBeUndefined();
  });

  test('a change changes what it names, and null takes away', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { runs } = ledger;
    await runs.create(whole);
    expect(await runs.update(whole.id, {})).toEqual(whole);
    const { reason, message, fix, endedAt, ...rest } = whole;
    const again = {
      ...rest,
      state: 'running',
      warnings: [],
      outputs: {},
      startedAt: 5,
      group: 'g',
      inputs: { a: 1 },
    };
    const { state, warnings, outputs, startedAt, group, inputs } = again as typeof whole;
    const change = { state, warnings, outputs, startedAt, inputs, ...(group !== undefined && { group }) };
    const cleared = { reason: null, message: null, fix: null, endedAt: null };
    expect(await runs.update(whole.id, { ...change, ...cleared } as never)).toEqual(again);
    expect(await runs.get(whole.id)).toEqual(again);
    expect(await runs.update('other', { state: 'failed' })).toBeUndefined();
    expect(await runs.get('other')).toBeUndefined();
  });

  test('runs are listed newest first, by workflow, state, caller and end; the open ones oldest first', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { runs } = ledger;
    const called = { kind: 'workflow', runId: 'r1', step: 'sub' } as const;
    await runs.create(run('r1'));
    await runs.create(run('r2', { trigger: called, workflow: 'sub', state: 'succeeded', endedAt: 1_500 }));
    await runs.create(run('r3', { state: 'failed', endedAt: 2_000 }));
    await runs.create(run('r4', { state: 'queued' }));
    await runs.create(run('r5', { trigger: called, workflow: 'sub', state: 'waiting' }));
    const list = async (query: Omit<RunQuery, 'limit'>, limit = 10): Promise<string[]> =>
      ids((await runs.list({ ...query, limit })) as RunRecord[]);
    expect(await list({})).toEqual(['r5', 'r4', 'r3', 'r2', 'r1']);
    expect(await list({}, 2)).toEqual(['r5', 'r4']);
    expect(await list({ workflow: 'sub' })).toEqual(['r5', 'r2']);
    expect(await list({ states: ['running', 'succeeded', 'queued', 'running'] }, 2)).toEqual(['r4', 'r2']);
    expect(await list({ states: [] })).toEqual([]);
    expect(await list({ parent: 'r1' })).toEqual(['r5', 'r2']);
    expect(await list({ parent: 'r1', states: ['waiting'], workflow: 'sub' })).toEqual(['r5']);
    expect(await list({ parent: null })).toEqual(['r4', 'r3', 'r1']);
    expect(await list({ parent: null, workflow: 'nightly', states: ['failed', 'queued'] })).toEqual([
      'r4',
      'r3',
    ]);
    expect(await list({ endedSince: 1_500 })).toEqual(['r3', 'r2']);
    expect(await list({ endedSince: 1_501, parent: 'r1' })).toEqual([]);
    expect(ids((await runs.open()) as RunRecord[])).toEqual(['r1', 'r4', 'r5']);
    await runs.update('r1', { state: 'succeeded', endedAt: 3_000 });
    await runs.update('r3', { state: 'running', endedAt: null });
    expect(ids((await runs.open()) as RunRecord[])).toEqual(['r3', 'r4', 'r5']);
  });

  test('a run is found by the beginning or the end of its id, and by the job of its file', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const { runs } = ledger;
    for (const id of ['20261120-164501-3fa2c1', '20261120-164502-3fa2c2', '20261121-000000-a_fac1'])
      await runs.create(run(id, { trigger: { kind: 'file', jobId: id.slice(0, 8), file } }));
    const find = async (part: string): Promise<string[]> => ids((await runs.find(part)) as RunRecord[]);
    expect(await find('20261121')).toEqual(['20261121-000000-a_fac1']);
    expect(await find('2c1')).toEqual(['20261120-164501-3fa2c1']);
    expect(await find('c1')).toEqual(['20261120-164501-3fa2c1', '20261121-000000-a_fac1']);
    expect(await find('20261120-164502-3fa2c2')).toEqual(['20261120-164502-3fa2c2']);
    for (const part of ['', '%', 'a%', '164501', 'x']) expect(await find(part), part).toEqual([]);
    expect(ids((await runs.ofJob('20261120')) as RunRecord[])).toEqual([
      '20261120-164502-3fa2c2',
      '20261120-164501-3fa2c1',
    ]);
    expect(await runs.ofJob('none')).toEqual([]);
  });

  test('a definition is kept once, under the checksum of what it says', async () => {
    const place = makePlace();
    const definition = { name: 'nightly', steps: [{ name: 'a', text: '${{ x }} \0' }] };
    let id: string;
    {
      await using ledger = await place.open(() => 1_000);
      id = await ledger.runs.define(definition);
      expect(await ledger.runs.define(structuredClone(definition))).toBe(id);
      expect(await ledger.runs.define({ ...definition, name: 'other' })).not.toBe(id);
    }
    await using ledger = await place.open(() => 1_000);
    expect(await ledger.runs.definition(id)).toEqual(definition);
    expect(await ledger.runs.definition('other')).toBeUndefined();
  });

  test('a definition that no run refers to goes, but not before its run can have been created', async () => {
    let now = 0;
    await using ledger = await makePlace().open(() => now);
    const { runs } = ledger;
    const used = await runs.define('used');
    const unused = await runs.define('unused');
    await runs.create(run('r1', { definition: used }));
    const kept = async (): Promise<unknown[]> => Promise.all([used, unused].map((id) => runs.definition(id)));
    now = 3_000_000;
    await runs.prune(0, 10);
    expect(await kept()).toEqual(['used', 'unused']);
    await runs.define('unused'); // wanted again
    now = 4_000_000;
    await runs.prune(0, 10);
    expect(await kept()).toEqual(['used', 'unused']);
    now = 9_000_000;
    await runs.prune(0, 10);
    expect(await kept()).toEqual(['used', undefined]);
  });
}

export const runIds = async (ledger: Ledger): Promise<string[]> =>
  ids((await ledger.runs.list({ limit: 1_000 })) as RunRecord[]).toSorted();
