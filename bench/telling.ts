/**
 * What alerts, thresholds and metrics cost of a job: their CPU in a process that does nothing else but tell them of jobs,
 * at the pace of a busy daemon and beside a queue, against the CPU that a daemon takes for a whole job:
 * `node bench/telling.ts [files] [seconds]`.
 */

import { hash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../src/cli/client.ts';
import { createConditionBoard } from '../src/conditions/board.ts';
import { loadConfig } from '../src/config/load.ts';
import { CoordinatorEvents } from '../src/coordinator/events.ts';
import { openAlerts } from '../src/engine/alerts.ts';
import { recordMetrics } from '../src/engine/metrics.ts';
import { watchThresholds } from '../src/engine/thresholds.ts';
import { openSqliteLedger } from '../src/ledger/sqlite/open.ts';
import type { StatusReport } from '../src/operations/status.ts';
import { socketPath } from '../src/server/socket-path.ts';
import type { JobRecord } from '../src/types/job.ts';
import { RunEvents } from '../src/workflows/events.ts';
import { cpuMsOf } from './cpu.ts';
import { benchProject, makeFiles, startDaemon } from './project.ts';
import { line, median } from './stats.ts';

const files = Number(process.argv[2] ?? 4_000);
const seconds = Number(process.argv[3] ?? 8);
const QUEUED = 10_000;
const TICK_MS = 10;

const config = `
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents: { work: { kind: command, command: [sha256sum, "\${{ file.path }}"], sandbox: { mode: off, reason: benchmark } } }
concurrency_limits: { max_processes: 4, max_concurrent_files: 8 }
daemon: { min_free_disk: 1MiB }
alerts: [{ on: [all], webhook: "http://127.0.0.1:9/" }]
`;

/** CPU of the daemon's own process for one job, and how many it does in a second. */
async function wholeJob(): Promise<{ cpuUs: number; perSecond: number }> {
  using project = benchProject(config);
  await using daemon = await startDaemon(project.dir);
  const client = new Client(socketPath(join(project.dir, '.sluice'), process.env));
  const pid = daemon.child.pid as number;
  const before = cpuMsOf(pid);
  const began = performance.now();
  makeFiles(project.inbox, files);
  for (;;) {
    const { files: counts } = await client.get<StatusReport>('/api/status');
    if ((counts.processed ?? 0) >= files) break;
    await sleep(100);
  }
  const perSecond = files / ((performance.now() - began) / 1_000);
  return { cpuUs: ((cpuMsOf(pid) - before) * 1_000) / files, perSecond };
}

/** @param isListening False: nobody is told, which is what telling costs without them. */
async function telling(perSecond: number, isListening: boolean): Promise<number> {
  using project = benchProject(config);
  const { config: loaded } = await loadConfig(join(project.dir, 'config/orchestrator.yaml'));
  await using ledger = openSqliteLedger({ stateDir: loaded.stateDir }).ledger;
  for (let n = 0; n < QUEUED; n += 1) await ledger.jobs.enqueue(specOf(n));
  await ledger.durable();
  const events = new CoordinatorEvents();
  const conditions = createConditionBoard({ now: Date.now });
  const log = { warn: () => {} };
  const coordinator = { events, isPaused: false };
  const secrets = { resolve: async (text: string) => text, redact: (text: string) => text };
  await using stack = new AsyncDisposableStack();
  if (isListening) {
    stack.use(await recordMetrics({ config: () => loaded, ledger, events, log }));
    stack.use(await watchThresholds({ config: () => loaded, ledger, coordinator, conditions, log }));
    const workflows = { events: new RunEvents() };
    stack.use(openAlerts({ config: loaded, conditions, coordinator, workflows, ledger, secrets, log }));
  }
  const job = (await ledger.jobs.get('j0')) as JobRecord;
  const ended: JobRecord = { ...job, state: 'succeeded', startedAt: Date.now(), endedAt: Date.now() };
  await sleep(500);
  const before = process.cpuUsage();
  let told = 0;
  for (const end = performance.now() + seconds * 1_000; performance.now() < end; ) {
    for (let n = 0; n < (perSecond * TICK_MS) / 1_000; n += 1, told += 1) {
      events.emit({ type: 'started', job, attempt: 1 });
      events.emit({ type: 'ended', job: ended });
    }
    await sleep(TICK_MS);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / told;
}

function specOf(n: number): Parameters<ReturnType<typeof openSqliteLedger>['ledger']['jobs']['enqueue']>[0] {
  const sha256 = hash('sha256', `${n}`, 'hex');
  const input = { root: 'inbox', path: `f${n}`, sha256, bytes: 1, stamp: `${n}-1-1` };
  return { id: `j${n}`, input, rule: 'all', agent: 'work', key: sha256, priority: 0, depth: 0 };
}

const { cpuUs, perSecond } = await wholeJob();
const withThem: number[] = [];
const without: number[] = [];
for (let n = 0; n < 3; n += 1) {
  without.push(await telling(perSecond, false));
  withThem.push(await telling(perSecond, true));
}
const costUs = median(withThem) - median(without);
line(
  'alerts, thresholds and metrics of a whole job',
  costUs / cpuUs,
  '≤ 0.01',
  `${costUs.toFixed(1)} µs of ${cpuUs.toFixed(0)} µs of the daemon's CPU, at ${perSecond.toFixed(0)} jobs/s`,
);
