/** What somebody does who has just installed it, from nothing to a retry. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject, Project } from './sluice.ts';

interface Job {
  job_id: string;
  state: string;
  input: { path: string };
}

test('init makes a project that is valid and works, and never overwrites one', async () => {
  const home = new Project({ 'shop/.gitignore': 'dist' });
  const made = await home.call('init', 'shop');
  expect(made.code).toBe(0);
  expect(made.stdout).toContain('cd shop');
  expect(readFileSync(join(home.dir, 'shop/.gitignore'), 'utf8')).toBe(
    'dist\n/.sluice/\n/inbox/\n/processed/\n',
  );
  expect(existsSync(join(home.dir, 'shop/config/orchestrator.schema.json'))).toBe(true);

  const check = await home.call('-C', 'shop', 'check');
  expect(check).toMatchObject({ code: 0, stderr: '' });
  expect(check.stdout).toBe('config/orchestrator.yaml is valid: 1 root, 2 rules, 1 agent\n');

  writeFileSync(join(home.dir, 'shop/config/orchestrator.yaml'), 'version: 1\n');
  const again = await home.call('init', 'shop');
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('shop/config/orchestrator.yaml');
  expect(readFileSync(join(home.dir, 'shop/config/orchestrator.yaml'), 'utf8')).toBe('version: 1\n');
});

test('init, run, and why with the builtin agent: the second answer is that nothing is to do', async () => {
  const project = new Project();
  expect((await project.call('init')).code).toBe(0);
  project.write('inbox/a.csv', 'a,b\n1,2\n');
  expect((await project.call('why', 'inbox/a.csv')).stdout).toContain(
    'inbox/a.csv → rule everything → agent inspect: would run (no earlier result)',
  );
  const run = await project.call('run');
  expect(run.code, run.stderr).toBe(0);
  expect(run.stdout).toContain('1 succeeded');
  // No daemon: the version of the agent is found out without starting it, and must be the one that ran.
  expect((await project.call('why', 'inbox/a.csv')).stdout).toContain(
    'nothing to do, its result is up to date',
  );
  const opened = await project.call('open', 'inbox/a.csv');
  expect(opened.stdout.split('\n')[0]).toBe(join(project.dir, 'processed/files/inbox/a.csv'));
  expect(opened.stdout.split('\n')[1]).toMatch(/^file:\/\//);
  expect((await project.call('open', '--print')).stdout).toContain('processed/index.html');
});

test('a failure: run, files, jobs, why, show, retry, logs', async () => {
  const project = makeProject({ 'inbox/a.txt': 'a', 'inbox/b.bad': 'b', 'inbox/c.key': 'c' });
  const run = await project.call('run', '--report', 'junit=out.xml');
  expect(run.code).toBe(1);
  expect(run.stdout).toMatch(/1 succeeded.*1 failed.*1 ignored/);
  expect(readFileSync(join(project.dir, 'out.xml'), 'utf8')).toContain('<testsuites');

  const files =
    await project.json<{ path: string; disposition: string; job_id?: string; seen_at: string }[]>('files');
  expect(Object.fromEntries(files.map((file) => [file.path, file.disposition]))).toMatchObject({
    'a.txt': 'processed',
    'b.bad': 'failed',
    'c.key': 'ignored',
  });
  expect(files.every(({ seen_at: at }) => at.endsWith('Z'))).toBe(true);
  expect((await project.json<unknown[]>('files', '--disposition', 'failed')).length).toBe(1);
  expect((await project.call('files', '--limit', '1')).stderr).toContain('--limit');

  const jobs = await project.json<Job[]>('jobs');
  expect(jobs.map(({ state }) => state).toSorted()).toEqual(['failed', 'succeeded']);
  expect(jobs[0]).not.toHaveProperty('outputs');
  expect(
    (await project.json<Job[]>('jobs', 'list', '--state', 'failed,held')).map(({ input }) => input.path),
  ).toEqual(['b.bad']);
  expect(await project.json<Job[]>('jobs', '--since', '2000-01-01', '--agent', 'sum')).toHaveLength(1);

  const why = await project.call('why', 'inbox/b.bad');
  expect(why.stdout).toContain('inbox/b.bad → rule bad → agent fail: failed as it is');
  expect(why.stdout).toContain('needs a name like');
  const failed = jobs.find(({ state }) => state === 'failed') as Job;
  const shown = await project.call('jobs', 'show', failed.job_id.slice(0, 8));
  expect(shown.stdout).toContain('failed (exit_code)');
  expect(shown.stdout).toMatch(/attempt 1 fail: exit 3 after [\d.]+ m?s, (not )?confined/);
  const good = await project.call(
    'jobs',
    'show',
    (jobs.find(({ state }) => state === 'succeeded') as Job).job_id,
  );
  expect(good.stdout).toContain('ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb');

  const still = await project.call('jobs', 'retry', '--failed');
  expect(still.code).toBe(1);
  project.write('fail.sh', 'echo mended\n');
  const retried = await project.call('jobs', 'retry', 'inbox/b.bad');
  expect(retried.code, retried.stderr).toBe(0);
  expect(retried.stdout).toContain('1 succeeded');
  expect(await project.json('jobs', 'list', '--state', 'failed', '--since', '1d')).toHaveLength(2);
  const none = await project.json<{ files: { found: number } }>('jobs', 'retry', '--failed');
  expect(none.files.found).toBe(0);

  const logs = await project.call('logs', '--level', 'error');
  expect(logs.stdout).toContain('failed (exit_code)');
  expect(logs.stdout).not.toContain('succeeded');
  const ofJob = await project.call('logs', '--json', '--job', failed.job_id.slice(0, 8), '--since', '1h');
  for (const line of ofJob.stdout.trimEnd().split('\n'))
    expect(JSON.parse(line)).toMatchObject({ job: failed.job_id, level: 'error' });
});

test('results that were deleted are put back, and what is nowhere any more is said', async () => {
  const project = makeProject({ 'inbox/a.txt': 'a' });
  await project.call('run');
  const receipt = join(project.dir, 'processed/files/inbox/a.txt/receipt.json');
  rmSync(receipt);
  const rebuilt = await project.call('reports', 'rebuild', '--json');
  expect(JSON.parse(rebuilt.stdout)).toMatchObject({ receipts: 1 });
  expect(existsSync(receipt)).toBe(true);
});
