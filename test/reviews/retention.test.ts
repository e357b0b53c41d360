/** What was asked of reviewers goes with the run, or with its time; the rows that are shown go with it. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { applyRetention } from '../../src/engine/retention.ts';
import { createRig, type Rig } from '../aggregator/rig.ts';
import { createRun, endRun } from '../aggregator/runs/ledger-run.ts';

/** A reviewer's job, as a run or a job of this id has asked for it; its answer stands in the history. */
async function reviewer({ ledger, clock, stateDir }: Rig, id: string, runId: string): Promise<string> {
  clock.now += 10;
  const step = {
    ...{ runId, workflow: 'reviews', step: `round-1-${id}`, work: { kind: 'agent', agents: ['one'] } },
    ...{ expect: { outputs: [] }, env: [], isShared: false },
  } as never;
  const input = { root: '', path: `reviews/${runId}/steps/round-1-${id}`, sha256: id, bytes: 0, stamp: '' };
  const spec = { id, input, rule: 'workflow:reviews/x', agent: 'one', key: '', priority: 0, depth: 1, step };
  await ledger.jobs.record(spec, { state: 'succeeded' });
  await ledger.jobs.published(id);
  await ledger.reviews.put({
    ...{ id: `r-${id}`, sessionId: runId, author: 'a', trigger: 'result', round: 1, workSha256: '' },
    ...{
      subject: { kind: 'job', jobId: runId, attempt: 1 },
      startedAt: clock.now,
      endedAt: clock.now,
      verdicts: [],
    },
  });
  const folder = join(stateDir, 'history', id);
  mkdirSync(folder, { recursive: true });
  return folder;
}

test('reviewers of a run go when it goes, those of a job when they are old enough', async () => {
  await using rig = createRig();
  const { ledger, clock, options } = rig;
  const old = await createRun(rig, 'r1', [{ name: 'write' }]);
  const ofRun = await reviewer(rig, 'of-run', 'r1');
  const ofJob = await reviewer(rig, 'of-job', '0123456789abcdef');
  await endRun(rig, old);
  const latest = await createRun(rig, 'r2', [{ name: 'write' }]);
  const ofLatest = await reviewer(rig, 'of-latest', 'r2');
  await endRun(rig, latest);
  const config = {
    output: { ...options.output, retentionMs: 86_400_000 },
    stateDir: rig.stateDir,
    cache: { ttlMs: 86_400_000, maxBytes: 1e12 },
    daemon: { maxLogBytes: 1e12 },
  } as unknown as Config;
  const soon = await applyRetention({ config, ledger, apply: true, now: clock.now });
  expect(soon).toEqual([]);
  clock.now += 2 * 86_400_000;
  await applyRetention({ config, ledger, apply: true, now: clock.now });
  expect([ofRun, ofJob, ofLatest].map((folder) => existsSync(folder))).toEqual([false, false, true]);
  // The latest run of a workflow stays, with all that it cost.
  expect((await ledger.runs.spent('r2')).jobs).toBe(1);
  for (const id of ['of-run', 'of-job']) expect(await ledger.jobs.get(id)).toBeUndefined();
  expect((await ledger.reviews.list({ limit: 9 })).map(({ sessionId }) => sessionId)).toEqual(['r2']);
});
