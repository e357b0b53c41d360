/** Ten thousand files wait when the daemon starts: the limit holds, the first result comes soon, and what matters more goes first. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ended, processesOf } from '../badinput/rig.ts';
import { makeProject, type Project, until } from '../daemon/project.ts';
import { say, tell } from './say.ts';

const FILES = 10_000;
const MAX_PROCESSES = 4;
const MAX_RSS_MIB = 300;

const config = `
routing_rules:
  - { name: urgent, pattern: "urgent/**", agent: work, priority: 100 }
  - { name: all, pattern: "**", agent: work }
agents:
  work:
    kind: command
    command: [sh, -c, 'echo "$1" >> starts.log', sh, "\${{ file.rel }}"]
    sandbox: { mode: off, reason: test }
concurrency_limits: { max_processes: ${MAX_PROCESSES}, max_concurrent_files: ${MAX_PROCESSES} }
daemon: { min_free_disk: 1MiB }
`;

test('10,000 waiting files', async () => {
  const project = makeProject(config);
  for (let folder = 0; folder < 100; folder++) {
    mkdirSync(join(project.inbox, `${folder}`));
    for (let n = 0; n < FILES / 100; n++)
      writeFileSync(join(project.inbox, `${folder}`, `${n}`), `file ${n} in ${folder}`);
  }
  const began = performance.now();
  const daemon = project.spawn('start');
  await until('the first result is there', () => existsSync(join(project.dir, 'processed/files/inbox')));
  const firstMs = performance.now() - began;
  const children = watchChildren(project);

  await until('all are known', async () => known(await project.status()) >= FILES);
  project.write('inbox/urgent/now', 'urgent');
  const dropped = performance.now();
  await until('the urgent one has started', () => startsOf(project).includes('urgent/now'));
  const urgentMs = performance.now() - dropped;
  const { queue } = await project.status();
  expect(queue.queued).toBeGreaterThan(FILES / 4);

  const files = await ended(project, FILES + 1, 250_000);
  expect(new Set([...files.values()].map(({ disposition }) => disposition))).toEqual(new Set(['processed']));
  const { limits } = await project.status();
  expect(limits.max_processes?.peak).toBe(MAX_PROCESSES);
  expect(children.stop()).toBeLessThanOrEqual(MAX_PROCESSES);
  expect(startsOf(project).length).toBe(FILES + 1);
  const rssMiB = peakRss(daemon.pid);
  expect(rssMiB).toBeLessThan(MAX_RSS_MIB);
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
  tell({ scenario: '10,000 waiting files', runs: 1, files: FILES + 1, lost: 0, doubled: 0, beganMs: began });
  say(
    `${FILES} waiting files: first result after ${(firstMs / 1_000).toFixed(1)} s, never more than ${MAX_PROCESSES} children, an urgent one started ${Math.round(urgentMs)} ms after it was dropped before ${queue.queued} others, ${rssMiB} MiB at most`,
    began,
  );
});

const known = ({ files, queue }: Awaited<ReturnType<Project['status']>>): number =>
  Object.values(files).reduce((sum, n) => sum + n, 0) + queue.queued + queue.running + queue.waiting;

const startsOf = (project: Project): string[] =>
  project.exists('starts.log')
    ? readFileSync(join(project.dir, 'starts.log'), 'utf8').trim().split('\n')
    : [];

/** Looks every few milliseconds how many children the helper process has. @returns the most that were seen. */
function watchChildren(project: Project): { stop(): number } {
  const helper = processesOf(project).find((pid) =>
    readFileSync(`/proc/${pid}/environ`, 'latin1').includes('SLUICE_SPAWNER='),
  );
  let most = 0;
  const timer = setInterval(() => {
    try {
      const children = readFileSync(`/proc/${helper}/task/${helper}/children`, 'utf8').trim();
      most = Math.max(most, children === '' ? 0 : children.split(' ').length);
    } catch {
      clearInterval(timer);
    }
  }, 5);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}

function peakRss(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1024);
}
