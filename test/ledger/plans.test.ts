/** Each question that is asked often is answered by an index, however much the ledger holds. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test, vi } from 'vitest';
import type { Lease, Ledger } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { attempt, claim, file, spec } from './specs.ts';
import { stateFolder } from './state-folder.ts';

afterEach(() => void vi.restoreAllMocks());

const id = 'one';
const lease = { job: { id, input: {} }, token: 1 } as Lease;

/** What is asked, and which scans are right because they read only what the answer is made of. */
const questions: Record<string, { ask: (ledger: Ledger) => Promise<unknown>; scans?: RegExp }> = {
  enqueue: { ask: ({ jobs }) => jobs.enqueue(spec({ id })) },
  record: { ask: ({ jobs }) => jobs.record(spec({ id: 'recorded', path: 'other' }), { state: 'cached' }) },
  claim: { ask: (ledger) => claim(ledger), scans: /job_running/ },
  nextDueAt: { ask: ({ jobs }) => jobs.nextDueAt(), scans: /COVERING INDEX job_backoff/ },
  attempted: { ask: ({ jobs }) => jobs.attempted(lease, attempt(1), true) },
  retry: { ask: ({ jobs }) => jobs.retry(lease, { reason: 'backoff', notBefore: 0 }) },
  'claim again': { ask: (ledger) => claim(ledger), scans: /job_running|COVERING INDEX job_backoff/ },
  release: {
    ask: ({ jobs }) => jobs.release({ ...lease, token: 2 }, { interrupted: true, maxInterruptions: 1 }),
  },
  unhold: { ask: ({ jobs }) => jobs.unhold(id) },
  reroute: { ask: ({ jobs }) => jobs.reroute(id, { rule: 'r', agent: 'a', key: 'k', priority: 1 }) },
  'wake a key': { ask: ({ jobs }) => jobs.wake({ reason: 'single_flight', key: 'k' }) },
  'wake a path': { ask: ({ jobs }) => jobs.wake({ reason: 'single_flight', root: 'r', path: 'p' }) },
  'wake all': { ask: ({ jobs }) => jobs.wake({ reason: 'single_flight' }) },
  'wake an agent': { ask: ({ jobs }) => jobs.wake({ reason: 'backoff', agent: 'a' }) },
  orphaned: { ask: ({ jobs }) => jobs.orphaned('w'), scans: /job_running/ },
  heartbeat: { ask: ({ jobs }) => jobs.heartbeat('w', 1), scans: /job_running/ },
  end: { ask: ({ jobs }) => jobs.end(lease, { state: 'succeeded' }) },
  get: { ask: ({ jobs }) => jobs.get(id) },
  find: { ask: ({ jobs }) => jobs.find('on') },
  openOf: { ask: ({ jobs }) => jobs.openOf('inbox', 'p') },
  counts: { ask: ({ jobs }) => jobs.counts(), scans: /COVERING INDEX|job_held/ },
  load: { ask: ({ jobs }) => jobs.load(), scans: /job_running/ },
  openAgents: { ask: ({ jobs }) => jobs.openAgents(), scans: /job_(queue|running|waiting|held)/ },
  published: { ask: ({ jobs }) => jobs.published(id) },
  unpublished: { ask: ({ jobs }) => jobs.unpublished(5), scans: /job_unpublished/ },
  'newest jobs': { ask: ({ jobs }) => jobs.list({ limit: 5 }), scans: /^SCAN job$/ },
  'failed jobs': { ask: ({ jobs }) => jobs.list({ states: ['failed'], limit: 5 }) },
  'open jobs': {
    ask: ({ jobs }) => jobs.list({ states: ['queued', 'running', 'held', 'waiting'], limit: 5 }),
    scans: /INDEX job_(queue|running|held|waiting)$/,
  },
  'jobs of a path': { ask: ({ jobs }) => jobs.list({ root: 'r', path: 'p', limit: 5 }) },
  'jobs ended since': { ask: ({ jobs }) => jobs.list({ endedSince: 1, limit: 5 }) },
  prune: { ask: ({ jobs }) => jobs.prune(1, 5) },
  'a file': { ask: ({ files }) => files.get('r', 'p') },
  'files.put': { ask: ({ files }) => files.put(file('d/p')) },
  setDisposition: { ask: ({ files }) => files.setDisposition('r', 'p', id, 'failed') },
  setGone: { ask: ({ files }) => files.setGone('r', 'p') },
  inFolder: { ask: ({ files }) => files.inFolder('r', 'd') },
  'failed files': { ask: ({ files }) => files.list({ disposition: 'failed', limit: 5 }) },
  'files under': { ask: ({ files }) => files.list({ root: 'r', under: 'd', limit: 5 }) },
  dispositions: { ask: ({ files }) => files.counts(), scans: /COVERING INDEX file_disposition/ },
  result: { ask: ({ results }) => results.get('k') },
};

test('every question has its index', async () => {
  const stateDir = stateFolder();
  const asked = vi.spyOn(DatabaseSync.prototype, 'prepare');
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  using db = new DatabaseSync(join(stateDir, 'ledger.db'), { readOnly: true });
  const scans: string[] = [];
  let statements = 0;
  for (const [name, { ask, scans: allowed }] of Object.entries(questions)) {
    asked.mockClear();
    await ask(ledger);
    for (const [sql] of asked.mock.calls.filter(([text]) => !text.startsWith('explain'))) {
      statements += 1;
      for (const { detail } of db.prepare(`explain query plan ${sql}`).all() as { detail: string }[])
        if (detail.startsWith('SCAN') && !allowed?.test(detail) && detail !== 'SCAN CONSTANT ROW')
          scans.push(`${name}: ${detail}: ${sql}`);
    }
  }
  expect(scans).toEqual([]);
  expect(statements).toBeGreaterThan(40);
});
