/** The same commands while a daemon runs: they go through it. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusReport } from '../../src/operations/status.ts';
import type { Receipt } from '../../src/types/receipt.ts';
import { config, ended, makeProject, until } from './sluice.ts';

test('a day with the daemon: look, pause, retry, reload, log, stop', async () => {
  const project = makeProject({ 'inbox/a.txt': 'a', 'inbox/b.bad': 'b' });
  const daemon = await project.start();
  const gone = ended(daemon);
  const jobs = () => project.json<Receipt[]>('jobs');
  await until('both files have ended', async () => (await jobs()).filter((job) => job.ended_at).length === 2);

  const status = await project.json<StatusReport>('status');
  expect(status).toMatchObject({
    state: 'running',
    pid: daemon.pid,
    queue: { queued: 0, running: 0, waiting: 0, held: 0 },
    roots: [{ name: 'inbox', state: 'watching' }],
    files: { processed: 1, failed: 1 },
  });
  expect(status.agents.map(({ name }) => name)).toEqual(['sum', 'fail', 'wait']);
  expect((await project.call('status')).stdout).toMatch(/^running, pid \d+/);
  expect(await project.json('why', 'inbox/a.txt')).toMatchObject({
    rule: 'sums',
    cache: 'unchanged',
    job: { state: 'succeeded' },
  });
  expect(await project.json('files', '--disposition', 'failed')).toMatchObject([
    { root: 'inbox', path: 'b.bad' },
  ]);
  const second = await project.call('start');
  expect([second.code, second.stdout]).toEqual([1, '']);
  expect(second.stderr).toContain(`pid ${daemon.pid}`);

  expect((await project.call('pause')).code).toBe(0);
  expect((await project.json<StatusReport>('status')).state).toBe('paused');
  project.write('fail.sh', 'echo mended\n');
  const retried = await project.json<{ job_ids: string[] }>('jobs', 'retry', '--failed');
  expect(retried.job_ids).toHaveLength(1);
  expect(await project.json<Receipt[]>('jobs', '--state', 'queued')).toMatchObject([
    { job_id: retried.job_ids[0] },
  ]);
  expect((await project.call('resume')).stdout).toBe('running\n');
  await until('the retried job has succeeded', async () => (await jobs())[0]?.state === 'succeeded');
  expect((await project.call('jobs', 'retry', 'inbox/none.txt')).stderr).toContain(
    'skipped inbox/none.txt: the file is gone',
  );

  project.write('config/orchestrator.yaml', config.replace('description: Checksums', 'description: Sums'));
  // The daemon looks at the file by itself too: whoever is first, it is taken over once.
  expect((await project.call('reload')).code).toBe(0);
  // The command reads what is on disk, which is a moment later.
  let history: { type: string; who: string; data: unknown }[] = [];
  await until('that is written', async () => {
    history = await project.json('config', 'history');
    return history.length > 0;
  });
  expect(history).toMatchObject([
    { type: 'config_reload', data: [{ path: 'agents.sum.description', before: 'Checksums', after: 'Sums' }] },
  ]);
  expect((await project.call('config', 'history')).stdout).toContain(
    'agents.sum.description: "Checksums" → "Sums"',
  );
  project.write('config/orchestrator.yaml', config.replace('agent: sum', 'agent: smu'));
  const refused = await project.call('reload');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('config/orchestrator.yaml:4:');
  expect((await project.call('jobs')).code).toBe(0);

  expect((await project.call('logs', '--set-level', 'debug')).code).toBe(0);
  expect(await project.json('reports', 'rebuild')).toMatchObject({ missing: 0 });
  expect((await project.call('stop')).stdout).toBe('stopped\n');
  expect((await gone).code).toBe(0);
  expect(await project.json('status')).toMatchObject({ state: 'stopped', files: { processed: 2 } });
});

test('live: jobs show --follow and logs --follow see what happens; cancel ends it', async () => {
  const project = makeProject();
  await project.start();
  const logs = project.spawn('logs', '--follow', '--json', '--level', 'info');
  let lines = '';
  logs.stdout?.on('data', (chunk: Buffer) => {
    lines += chunk;
  });
  await until('the log is shown', () => lines.includes('drop files there'));
  project.write('inbox/a.slow', 'a');
  const running = async () => (await project.json<Receipt[]>('jobs', '--state', 'running'))[0];
  await until('the job runs', async () => (await running()) !== undefined);
  const id = (await running())?.job_id as string;
  const live = project.spawn('jobs', 'show', id, '--follow');
  const seen = ended(live);
  let early = '';
  live.stdout?.on('data', (text: string) => {
    early += text;
  });
  await until('the first line is shown while the agent waits', () => early === 'first\n');
  project.write('gate', '');
  const { code, stdout, stderr } = await seen;
  expect([code, stdout]).toEqual([0, 'first\nlast\n']);
  expect(stderr).toContain('running, attempt 1\ntold\n');
  expect(stderr).toContain('succeeded, proved by exit_code');
  await until('the log tells of it', () => lines.includes('a.slow → wait: succeeded'));
  const told = lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).msg as string);
  expect(new Set(told).size).toBe(told.length);
  logs.kill('SIGINT');
  expect((await ended(logs)).code).toBe(0);

  rmSync(join(project.dir, 'gate'));
  project.write('inbox/b.slow', 'b');
  await until('the next job runs', async () => (await running()) !== undefined);
  const next = (await running())?.job_id as string;
  expect((await project.call('jobs', 'cancel', next.slice(0, 6))).code).toBe(0);
  await until(
    'it was cancelled',
    async () => (await project.json<Receipt>('jobs', 'show', next)).state === 'cancelled',
  );
  const twice = await project.call('jobs', 'cancel', next);
  expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('has ended')]);
  expect((await project.call('jobs', 'release', next)).stderr).toContain('is not held');
  project.write('gate', '');
  expect((await project.call('run', 'inbox')).stdout).toContain('1 succeeded, 1 unchanged');
  expect((await project.call('stop', '--no-wait')).stdout).toBe('stopping\n');
});

test('run goes through the daemon, and a broken pipe of the project (no daemon, stale socket) is no daemon', async () => {
  const project = makeProject({ 'inbox/a.txt': 'a' });
  const daemon = await project.start();
  const report = await project.json<{ state: string; run_id: string }>('run', '--force');
  expect(report.state).toBe('succeeded');
  daemon.kill('SIGKILL');
  await ended(daemon);
  expect(readFileSync(join(project.dir, '.sluice/daemon.json'), 'utf8')).toContain(String(daemon.pid));
  expect(await project.json('status')).toMatchObject({ state: 'stopped' });
  expect((await project.call('stop')).stderr).toContain('No daemon runs');
  expect(await project.json('files')).toHaveLength(2);
});
