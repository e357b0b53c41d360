/** Projects whose commands nothing confines, and what is common to the tests of loops with a real daemon. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Receipt } from '../../src/types/receipt.ts';
import { makeProject, type Project, until } from './project.ts';

export const mostRuns = 40;
export const deadlineMs = 120_000;

/**
 * @param rules Name of the rule → what its `sh -c` does with the file `$1`; it takes files whose names begin with the name.
 * @param root Further keys of the root `inbox`.
 * @param processes Attempts at once.
 */
const config = (rules: Readonly<Record<string, string>>, root: string, processes: number): string => `
watch: [{ path: ./inbox, name: in${root} }, { path: ./second, name: second }]
routing_rules:
${Object.keys(rules)
  .map((name) => `  - { name: ${name}, pattern: "${name}*", agent: ${name} }`)
  .join('\n')}
agents:
${Object.entries(rules)
  .map(
    ([name, script]) => `  ${name}:
    kind: command
    sandbox: { mode: off, reason: a test of loops }
    retry: { attempts: 1 }
    command: [sh, -c, ${JSON.stringify(`echo $1 >> runs.log; ${script}`)}, sh, "\${{ file.path }}"]`,
  )
  .join('\n')}
daemon: { min_free_disk: 1MiB }
concurrency_limits: { max_processes: ${processes}, max_concurrent_files: 8 }
`;

/** A running daemon on such a project. */
export async function startRules(
  rules: Readonly<Record<string, string>>,
  { root = '', processes = 4 }: { root?: string; processes?: number } = {},
): Promise<Project> {
  const project = makeProject(config(rules, root, processes));
  project.write('second/.keep', '');
  await project.start();
  return project;
}

/** Paths in the order in which attempts began. */
export const runs = (project: Project): string[] => {
  try {
    return readFileSync(join(project.dir, 'runs.log'), 'utf8').trimEnd().split('\n');
  } catch {
    return [];
  }
};
export const jobs = async (project: Project): Promise<readonly Receipt[]> =>
  (await project.client.get<{ jobs: Receipt[] }>('/api/jobs?limit=500')).jobs;

/** @returns receipts of what is held. */
export async function comesToRest(project: Project): Promise<readonly Receipt[]> {
  const rests = async (): Promise<boolean> => {
    expect(runs(project).length).toBeLessThanOrEqual(mostRuns);
    const { queue, roots } = await project.status();
    const open = queue.queued + queue.running + queue.waiting;
    return queue.held > 0 && open === 0 && roots.every(({ settling }) => settling === 0);
  };
  for (let count = -1; count !== runs(project).length; ) {
    await until('files are held and nothing else is left', rests, deadlineMs);
    count = runs(project).length;
    // What an attempt has left may not have been seen yet: what is dropped now is taken in after it.
    const { unrouted = 0 } = (await project.status()).files;
    for (const root of ['inbox', 'second']) project.write(`${root}/0-${unrouted}`, 'no rule takes it');
    await until(
      'what was dropped last is known',
      async () => (await project.status()).files.unrouted === unrouted + 2,
    );
    await until('nothing else is left', rests, deadlineMs);
  }
  return (await jobs(project)).filter(({ state }) => state === 'held');
}

/** A shell loop that makes so many new files. */
export const makeSome = (folder: string, prefix: string, count: number): string =>
  `for i in $(seq ${count}); do date +%N > $(mktemp -p ${folder} ${prefix}XXXXXXXX); done`;

/** Drops files every 0.3 s. */
export async function stream(project: Project, count: number): Promise<void> {
  for (let drop = 0; drop < count; drop++) {
    project.write(`inbox/a${drop}`, `drop ${drop}`);
    await sleep(300);
  }
}

/** How many of so many files succeeded, and how many are held, when neither changes any more. */
export async function served(
  project: Project,
  count: number,
): Promise<{ readonly succeeded: number; readonly held: number }> {
  const now = () => project.receipts().filter(({ state }) => state === 'succeeded').length;
  await until(
    'all are processed, or some are held',
    async () => now() === count || (await project.status()).queue.held > 0,
    deadlineMs,
  );
  return { succeeded: now(), held: (await project.status()).queue.held };
}
