/** Each question that is asked often is answered by an index, however much the ledger holds. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test, vi } from 'vitest';
import type { Lease, Ledger } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { review } from './contract/reviews.ts';
import { run, step, stepJob } from './run-specs.ts';
import { attempt, claim, file, spec } from './specs.ts';
import { stateFolder } from './state-folder.ts';

afterEach(() => void vi.restoreAllMocks());

const id = 'one';
const lease = {
  job: { id, rule: 'all', agent: 'a', key: '', input: { root: 'inbox', path: 'one.txt' } },
  token: 1,
} as Lease;

const rate = { count: 2, perMs: 1_000 };

/** What is asked, and which scans are right because they read only what the answer is made of. */
const questions: Record<string, { ask: (ledger: Ledger) => Promise<unknown>; scans?: RegExp }> = {
  enqueue: { ask: ({ jobs }) => jobs.enqueue(spec({ id })) },
  record: { ask: ({ jobs }) => jobs.record(spec({ id: 'recorded', path: 'other' }), { state: 'cached' }) },
  claim: { ask: (ledger) => claim(ledger), scans: /job_running|COVERING INDEX (job_due|gathering_due)/ },
  nextDueAt: { ask: ({ jobs }) => jobs.nextDueAt(), scans: /COVERING INDEX (job_due|gathering_due)/ },
  attempted: { ask: ({ jobs }) => jobs.attempted(lease, attempt(1), true) },
  retry: { ask: ({ jobs }) => jobs.retry(lease, { reason: 'backoff', notBefore: 0 }) },
  'claim again': {
    ask: (ledger) => claim(ledger),
    scans: /job_running|COVERING INDEX (job_due|gathering_due)/,
  },
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
  openAgents: { ask: ({ jobs }) => jobs.openAgents(), scans: /^SCAN open_jobs$/ },
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
  'prune by number': { ask: ({ jobs }) => jobs.prune(1, 5, 1) },
  'enqueue into a batch': {
    ask: ({ jobs }) =>
      jobs.enqueue(spec({ id: 'b1', path: 'b1', batch: { group: 'g', notBefore: 0, maxFiles: 5 } })),
  },
  'enqueue the last of a batch': {
    ask: ({ jobs }) =>
      jobs.enqueue(spec({ id: 'b2', path: 'b2', batch: { group: 'g', notBefore: 0, maxFiles: 2 } })),
  },
  'claim a batch': {
    ask: (ledger) =>
      claim(ledger, { query: { batchSizes: new Map([['g', 9]]), rates: new Map([['a', rate]]) } }),
    scans: /job_running|COVERING INDEX (job_due|gathering_due)/,
  },
  rateFreeAt: { ask: ({ jobs }) => jobs.rateFreeAt('a', rate) },
  startedWithin: { ask: ({ jobs }) => jobs.startedWithin('a', 1) },
  fallBack: {
    ask: ({ jobs }) =>
      jobs.fallBack(lease, { rule: 'r', agent: 'a', key: '', priority: 0 }, { agent: 'a', reason: 'quota' }),
  },
  moveOn: {
    ask: ({ jobs }) => jobs.moveOn(lease, { rule: 'r', agent: 'a', key: '', priority: 0 }),
  },
  hold: { ask: ({ jobs }) => jobs.hold(lease, { reason: 'loop', message: '', fix: '' }) },
  regroup: { ask: ({ jobs }) => jobs.regroup(lease, 'g') },
  promoted: { ask: ({ jobs }) => jobs.promoted(lease, []) },
  'park an agent': {
    ask: ({ jobs }) => jobs.park({ agent: 'a' }, { reason: 'breaker', message: '', fix: '', notBefore: 1 }),
    scans: /INDEX job_queue/,
  },
  'wake what is due': {
    ask: (ledger) => claim(ledger),
    scans: /job_running|COVERING INDEX (job_due|gathering_due)/,
  },
  'wake a rule': { ask: ({ jobs }) => jobs.wake({ reason: 'breaker', agent: 'a', rule: 'r' }) },
  relane: {
    ask: ({ jobs }) => jobs.relane(() => 'a'),
    scans: /COVERING INDEX job_(queue|running|waits)|INDEX job_held/,
  },
  waits: { ask: ({ jobs }) => jobs.waits(), scans: /COVERING INDEX job_waits/ },
  loadByRule: { ask: ({ jobs }) => jobs.loadByRule(), scans: /COVERING INDEX job_running/ },
  openByAgent: { ask: ({ jobs }) => jobs.openByAgent(), scans: /^SCAN open_jobs$/ },
  openStates: {
    ask: ({ jobs }) => jobs.openStates(),
    scans: /COVERING INDEX job_(queue|running|waits|held_agent)/,
  },
  oldestQueuedAt: { ask: ({ jobs }) => jobs.oldestQueuedAt(), scans: /COVERING INDEX job_queue/ },
  spending: { ask: ({ spending }) => spending.of('1970-01-01') },
  tally: { ask: ({ jobs }) => jobs.tally(), scans: /^SCAN tally$/ },
  'fold the tally': { ask: ({ jobs }) => jobs.foldTally('1970-01-01') },
  'prune the audit': { ask: ({ audit }) => audit.prune(5) },
  'prune spending': { ask: ({ spending }) => spending.prune('1970-01-01') },
  activity: { ask: ({ activity }) => activity.since('1970-01-01') },
  'failures of agents': { ask: ({ activity }) => activity.failures(), scans: /^SCAN agent_failure$/ },
  'prune activity': { ask: ({ activity }) => activity.prune('1970-01-01'), scans: /^SCAN agent_failure$/ },
  'kept.put': { ask: ({ kept }) => kept.put('k', 'n', 1) },
  'kept.list': { ask: ({ kept }) => kept.list('k') },
  'written.put': {
    ask: ({ written }) => written.put({ root: 'r', path: 'p', stamp: '', jobId: id, depth: 0, at: 1 }),
  },
  written: { ask: ({ written }) => written.get('r', 'p') },
  'prune written': { ask: ({ written }) => written.prune(1) },
  metrics: { ask: ({ metrics }) => metrics.list(1, 2) },
  'prune metrics': { ask: ({ metrics }) => metrics.prune(1) },
  'a file': { ask: ({ files }) => files.get('r', 'p') },
  'files.put': { ask: ({ files }) => files.put(file('d/p')) },
  setDisposition: { ask: ({ files }) => files.setDisposition('r', 'p', id, 'failed') },
  setGone: { ask: ({ files }) => files.setGone('r', 'p') },
  inFolder: { ask: ({ files }) => files.inFolder('r', 'd') },
  'failed files': { ask: ({ files }) => files.list({ disposition: 'failed', limit: 5 }) },
  'files under': { ask: ({ files }) => files.list({ root: 'r', under: 'd', limit: 5 }) },
  dispositions: { ask: ({ files }) => files.counts(), scans: /COVERING INDEX file_disposition/ },
  result: { ask: ({ results }) => results.get('k') },
  define: { ask: ({ runs }) => runs.define({}) },
  definition: { ask: ({ runs }) => runs.definition('d') },
  'create a run': { ask: ({ runs }) => runs.create(run('r')) },
  'update a run': { ask: ({ runs }) => runs.update('r', { state: 'waiting' }) },
  'find a run': { ask: ({ runs }) => runs.find('r'), scans: /^SCAN run USING COVERING INDEX sqlite_auto/ },
  'open runs': { ask: ({ runs }) => runs.open() },
  'runs of a job': { ask: ({ runs }) => runs.ofJob('j') },
  'newest runs': { ask: ({ runs }) => runs.list({ limit: 5 }), scans: /^SCAN run$/ },
  'newest top runs': { ask: ({ runs }) => runs.list({ parent: null, limit: 5 }) },
  'runs in states': { ask: ({ runs }) => runs.list({ states: ['failed', 'running'], limit: 5 }) },
  'runs of a workflow': {
    ask: ({ runs }) => runs.list({ workflow: 'w', states: ['failed'], parent: null, limit: 5 }),
  },
  'called runs': { ask: ({ runs }) => runs.list({ parent: 'r', endedSince: 1, limit: 5 }) },
  'runs ended since': { ask: ({ runs }) => runs.list({ endedSince: 1, workflow: 'w', limit: 5 }) },
  putStep: { ask: ({ runs }) => runs.putStep(step('r', 'a')) },
  step: { ask: ({ runs }) => runs.step('r', 'a[1]') },
  steps: { ask: ({ runs }) => runs.steps('r') },
  items: { ask: ({ runs }) => runs.items('r', 'a', 0, 5) },
  itemIndexes: { ask: ({ runs }) => runs.itemIndexes('r', 'a', ['failed', 'cached']) },
  itemCounts: { ask: ({ runs }) => runs.itemCounts('r', 'a') },
  addFiles: { ask: ({ runs }) => runs.addFiles('r', 'a', [id, 'two']) },
  'run files': { ask: ({ runs }) => runs.files('r', 'a', { after: 'two', limit: 5 }) },
  forgetSteps: { ask: ({ runs }) => runs.forgetSteps('r', ['a']) },
  forgetItems: { ask: ({ runs }) => runs.forgetItems('r', 'a', ['failed']) },
  'enqueue a step': { ask: ({ jobs }) => jobs.enqueue(stepJob('s', 'r', 'a')) },
  spent: { ask: ({ runs }) => runs.spent('r') },
  'jobs of a run': {
    ask: ({ jobs }) => jobs.list({ run: 'r', runFiles: true, states: ['failed'], agent: 'a', limit: 5 }),
  },
  'prune jobs with runs there': { ask: ({ jobs }) => jobs.prune(1, 5, 1) },
  // Trees are small; definitions and unfinished removals are few.
  'prune runs': {
    ask: async ({ runs }) => {
      await runs.create(run('old', { state: 'failed', endedAt: -9, definition: 'none' }));
      await runs.create(run('new'));
      expect(await runs.prune(0, 5, 1)).toHaveLength(1);
    },
    scans: /^SCAN (tree|run_gone|definition|up|below)$/,
  },
  'open a session': { ask: ({ sessions }) => sessions.open({ id: 's', kind: 'run', title: '' }) },
  'a session': { ask: ({ sessions }) => sessions.get('s') },
  sessions: { ask: ({ sessions }) => sessions.list(5), scans: /^SCAN session$/ },
  commit: {
    ask: ({ sessions }) =>
      sessions.commit('s', 'me', [{ op: 'set', owner: '', key: 'k', value: 1, ttlMs: 1 }]),
  },
  'read an entry': { ask: ({ sessions }) => sessions.read('s', '', 'k') },
  entries: { ask: ({ sessions }) => sessions.entries('s') },
  'entries of an owner': { ask: ({ sessions }) => sessions.entries('s', 'lint') },
  'size of a session': { ask: ({ sessions }) => sessions.size('s') },
  lock: { ask: ({ sessions }) => sessions.lock('s', 'l', 'me', 1) },
  unlock: { ask: ({ sessions }) => sessions.unlock('s', 'l', 'me') },
  unlockAll: { ask: ({ sessions }) => sessions.unlockAll('me') },
  expire: { ask: ({ sessions }) => sessions.expire() },
  'close a session': { ask: ({ sessions }) => sessions.close('s') },
  'prune sessions': { ask: ({ sessions }) => sessions.prune(1e15) },
  'put a review': { ask: ({ reviews }) => reviews.put(review('r', { endedAt: 1 })) },
  'a review': { ask: ({ reviews }) => reviews.get('r') },
  'newest reviews': { ask: ({ reviews }) => reviews.list({ limit: 5 }), scans: /^SCAN review$/ },
  'reviews of a session': { ask: ({ reviews }) => reviews.list({ sessionId: 's', limit: 5 }) },
  'reviews about a job': { ask: ({ reviews }) => reviews.list({ about: 'job j', limit: 5 }) },
  'open reviews': {
    ask: ({ reviews }) => reviews.list({ open: true, limit: 5 }),
    scans: /INDEX review_open$/,
  },
  'open reviews of a session': {
    ask: ({ reviews }) => reviews.list({ sessionId: 's', open: true, limit: 5 }),
  },
  'prune reviews': { ask: ({ reviews }) => reviews.prune(9), scans: /INDEX review_open$/ },
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
