import { expect, test } from 'vitest';
import { type JobRecord, waitsUntil } from '../../src/types/job.ts';

const then = 1_800_000_000_000;
test.each<[string, Partial<Pick<JobRecord, 'state' | 'reason' | 'notBefore'>>, number | undefined]>([
  ['a quota that names its time', { reason: 'quota', notBefore: then }, then],
  ['a pause between attempts', { reason: 'backoff', notBefore: then }, then],
  ['a person', { reason: 'approval', notBefore: then }, undefined],
  ['no time is known', { reason: 'quota' }, undefined],
  ['no date', { reason: 'quota', notBefore: Number.POSITIVE_INFINITY }, undefined],
  ['put back', { reason: 'quota', notBefore: 0 }, undefined],
  ['it runs', { state: 'running', reason: 'quota', notBefore: then }, undefined],
])('%s', (_, job, until) => {
  expect(waitsUntil({ state: 'waiting', ...job })).toBe(until);
});
