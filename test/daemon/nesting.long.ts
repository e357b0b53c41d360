import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jobsOf, linesOf, resultOf, script } from './agents.ts';
import { makeProject, type Project, until } from './project.ts';

const launcher = join(import.meta.dirname, '../../bin/sluice.js');
const sluice = `"${process.execPath}" "${launcher}"`;

/** `given` is there before anything is watched: only who asks for a file of it gets it processed. */
const nested = `
watch: [{ path: ./inbox }, { path: ./given, initial: ignore }]
routing_rules:
  - { name: asks, pattern: "*.ask", agent: asks }
  - { name: again, pattern: "*.again", agent: again }
  - { name: own, pattern: "*.own", agent: own }
  - { name: repeat, pattern: "*.repeat", agent: repeats }
  - { name: plain, pattern: "*.plain", agent: plain }
agents:
${script('asks', `${sluice} run given/x.plain > asks.log 2>&1`)}
${script('again', `${sluice} run given/deep$((SLUICE_DEPTH + 1)).again > again$SLUICE_DEPTH.log 2>&1`)}
${script('own', `${sluice} run inbox/a.own > own.log 2>&1; echo "it gave $?"; ${sluice} run --force inbox/a.own > forced.log 2>&1 || true`)}
${script('plain', 'echo "depth $SLUICE_DEPTH"; '.concat(`${sluice} start > start.log 2>&1; echo "start gave $?"`))}
${script('repeats', `${sluice} jobs retry inbox/a.repeat > repeat.log 2>&1`)}
concurrency_limits: { max_processes: 12, max_concurrent_files: 12 }
daemon: { min_free_disk: 1MiB, max_depth: 2 }
`;

const log = (project: Project, name: string): string => readFileSync(join(project.dir, name), 'utf8');

test('an agent that runs Sluice: its work is one step deeper, ends at max_depth, and never waits for itself', async () => {
  const project = makeProject(nested);
  project.write('given/x.plain', 'x');
  for (const n of [1, 2, 3, 4]) project.write(`given/deep${n}.again`, `deep ${n}`);
  const daemon = await project.start();
  await until('what was there is known', async () => (await project.status()).files.ignored === 5);
  project.write('inbox/a.ask', 'ask');
  project.write('inbox/a.again', 'again');
  project.write('inbox/a.own', 'own');
  project.write('inbox/a.repeat', 'repeat');
  await until('the one that asks for another has ended', () => project.receipt('a.ask') !== undefined);
  const outer = project.receipt('a.ask');
  expect(outer).toMatchObject({ state: 'succeeded', depth: 0 });
  expect(project.receipt('x.plain')).toMatchObject({ state: 'succeeded', depth: 1, parent: outer?.job_id });

  await until('the endless one has ended', () => project.receipt('a.again') !== undefined);
  expect(
    linesOf(project)
      .filter((path) => path.endsWith('.again'))
      .toSorted(),
  ).toEqual(['a.again', 'deep1.again', 'deep2.again']);
  expect(log(project, 'again2.log')).toContain('A run at depth 3 was asked for; at most 2 is allowed');
  expect(log(project, 'again2.log')).toContain('daemon.max_depth');
  expect(project.receipt('deep2.again')).toMatchObject({ state: 'failed', depth: 2 });

  await until('the one that asks for its own input has ended', () => project.receipt('a.own') !== undefined);
  expect(log(project, 'own.log')).toContain('waits itself for what it asks for here');
  expect(resultOf(project, 'a.own')).toBe('it gave 1\n');
  // Whoever insists is held, and decides about it later.
  expect(log(project, 'forced.log')).toContain('asks for it again');
  const own = (await jobsOf(project)).filter(({ input }) => input.path === 'a.own');
  expect(own.map(({ state, reason, depth }) => [state, reason, depth])).toEqual([
    ['held', 'loop', 1],
    ['succeeded', undefined, 0],
  ]);
  await until('the one that repeats itself has ended', () => project.receipt('a.repeat') !== undefined);
  expect(linesOf(project).filter((path) => path === 'a.repeat')).toHaveLength(1);
  expect((await project.status()).queue).toMatchObject({ queued: 0, running: 0, held: 2 });
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
});

test('an agent that keeps the only place and waits for another job is told so, and both come to their end', async () => {
  const project = makeProject(nested.replace('max_processes: 12', 'max_processes: 1'));
  project.write('given/x.plain', 'x');
  await project.start();
  await until('what was there is known', async () => (await project.status()).files.ignored === 1);
  project.write('inbox/a.ask', 'ask');
  await until('both have ended', () => project.receipts().length === 2);
  expect(log(project, 'asks.log')).toContain('concurrency_limits.max_processes');
  expect(project.receipt('a.ask')).toMatchObject({ state: 'failed', reason: 'exit_code' });
  expect(project.receipt('x.plain')).toMatchObject({ state: 'succeeded', depth: 1 });
});

test('beside `sluice run` an agent that asks for more is told that it cannot, and ends', async () => {
  const project = makeProject(nested);
  project.write('given/x.plain', 'x');
  project.write('inbox/a.ask', 'ask');
  expect((await project.sluice('run', 'inbox')).code).toBe(1);
  expect(log(project, 'asks.log')).toMatch(/works on|fix:/);
  expect(project.receipt('a.ask')).toMatchObject({ state: 'failed', reason: 'exit_code' });
});

test('a daemon is not started from inside too many attempts', async () => {
  const project = makeProject(nested, { env: { SLUICE_DEPTH: '2', SLUICE_JOB_ID: '0123456789abcdef' } });
  const start = await project.sluice('start');
  expect(start.code).not.toBe(0);
  expect(start.stderr).toContain('Started at depth 3; at most 2 is allowed');
  expect(start.stderr).toContain('daemon.max_depth');
});
