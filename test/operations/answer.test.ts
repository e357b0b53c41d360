/** Whom a person answers: a job, or the one of a run that asks. */
import { expect, test } from 'vitest';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { answerJob } from '../../src/operations/answer.ts';
import type { JobId } from '../../src/types/job.ts';
import { run, stepJob } from '../ledger/run-specs.ts';
import { stateFolder } from '../ledger/state-folder.ts';

const runId = '20261120-164501-3fa2c1';

test('an answer to a run is for the step of it that asks; several, none, and other words are told apart', async () => {
  await using ledger = openSqliteLedger({ stateDir: stateFolder() }).ledger;
  const { jobs, runs } = ledger;
  const answer = async (id: JobId) => ((await jobs.unhold(id)) ? [id] : []);
  const answered = (named: string, text = 'Go on.') => answerJob({ ledger, answer }, named, text);
  const hold = { reason: 'clarify', message: 'Which one?', fix: 'Say.' } as const;
  const holds = (id: string, name: string) => jobs.enqueue(stepJob(id, runId, name, { hold }));
  await runs.create(run(runId));
  await expect(answered(runId)).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
  await holds('aaaaaaaaaaaaaaaa', 'one');
  expect(await answered(runId.slice(0, 12))).toEqual({ job_id: 'aaaaaaaaaaaaaaaa' });
  await holds('bbbbbbbbbbbbbbbb', 'two');
  await holds('cccccccccccccccc', 'three');
  await expect(answered(runId)).rejects.toMatchObject({
    code: 'USAGE',
    fix: expect.stringMatching(/bbbbbbbbbbbbbbbb \(two\)/),
  });
  expect(await answered('bbbb')).toEqual({ job_id: 'bbbbbbbbbbbbbbbb' });
  await expect(answered('bbbb')).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
  await expect(answered('cccc', ' \n')).rejects.toMatchObject({ code: 'USAGE' });
  await expect(answered('20261120-9')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
