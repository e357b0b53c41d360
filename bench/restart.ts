/**
 * A daemon that is started with a long queue: from the start of its process, and from its opening of the ledger, to the
 * first attempt: `node bench/restart.ts [jobs] [rounds]`. The whole daemon, on files that are there.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../src/cli/client.ts';
import type { StatusReport } from '../src/operations/status.ts';
import { socketPath } from '../src/server/socket-path.ts';
import { benchProject, launcher, makeFiles, startDaemon } from './project.ts';
import { median } from './stats.ts';

const jobs = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 5);

using project = benchProject(`
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command: [sh, -c, "echo >> started; exec sleep 60"]
    sandbox: { mode: off, reason: benchmark }
concurrency_limits: { max_processes: 1 }
daemon: { min_free_disk: 1MiB, drain: 1ms }
`);
const started = join(project.dir, 'started');
const client = new Client(socketPath(join(project.dir, '.sluice'), process.env));
makeFiles(project.inbox, jobs);
{
  await using _daemon = await startDaemon(project.dir);
  for (;;) {
    const { queue } = await client.get<StatusReport>('/api/status');
    if (queue.queued + queue.running >= jobs) break;
    await sleep(200);
  }
}

const fromStart: number[] = [];
const fromOpen: number[] = [];
for (let n = 0; n < rounds; n += 1) {
  rmSync(started, { force: true });
  // Written just before the ledger is opened.
  const mark = join(project.dir, '.sluice/daemon.json');
  const began = Date.now();
  const child = spawn(process.execPath, [launcher, 'start'], { cwd: project.dir, stdio: 'ignore' });
  let openedAt = began;
  while (!existsSync(started)) {
    openedAt = Math.max(openedAt, statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    await sleep(1);
  }
  const at = statSync(started).mtimeMs;
  fromStart.push(at - began);
  fromOpen.push(at - openedAt);
  child.kill(n % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
  await once(child, 'exit');
}
process.stdout.write(
  `restart with ${jobs} queued jobs: first attempt ${median(fromStart).toFixed(0)} ms after the start of the process, ${median(fromOpen).toFixed(0)} ms after the ledger was opened (goal ≤ 2000); longest ${Math.max(...fromStart).toFixed(0)} ms\n`,
);
