/**
 * A daemon on 100,000 files in 1,000 folders: warm start against `git status` in the same tree, then idle: RSS and CPU.
 * `node bench/daemon.ts [files] [rounds]`
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { benchProject, makeFiles, startDaemon } from './project.ts';
import { line, median, ratio } from './stats.ts';

const files = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 5);
const IDLE_MS = 20_000;

using project = benchProject(`
routing_rules: [{ name: all, pattern: "**", action: ignore }]
daemon: { min_free_disk: 1MiB }
`);
makeFiles(project.inbox, files);
const git = (...args: string[]): number => {
  const started = performance.now();
  spawnSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], {
    cwd: project.inbox,
  });
  return performance.now() - started;
};
git('init', '-q');
git('add', '.');
git('commit', '-q', '-m', 'all');
{
  await using _first = await startDaemon(project.dir);
}
const warm: number[] = [];
const status: number[] = [];
for (let n = 0; n < rounds; n += 1) {
  await using daemon = await startDaemon(project.dir);
  warm.push(daemon.sweptMs);
  status.push(git('status', '--porcelain'));
}
line(
  `warm start, ${files} unchanged files (peer: git status)`,
  ratio(warm, status),
  '≤ 3',
  `${median(warm).toFixed(0)} ms against ${median(status).toFixed(0)} ms`,
);

await using daemon = await startDaemon(project.dir);
await sleep(5_000);
const before = cpuMs(daemon.child.pid as number);
await sleep(IDLE_MS);
const cpu = (cpuMs(daemon.child.pid as number) - before) / IDLE_MS;
const rss =
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.child.pid}/status`, 'utf8'))?.[1]) / 1024;
process.stdout.write(
  `idle with ${files} files: RSS ${rss.toFixed(0)} MiB (goal ≤ 120), CPU ${(cpu * 100).toFixed(2)} % of a core (goal < 0.2)\n`,
);

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
