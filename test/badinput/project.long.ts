/** Everything around the files: two daemons on one project, long paths, broken configurations, impatient people. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeProject, until } from '../daemon/project.ts';
import { ended, jobsOf, processesOf } from './rig.ts';

const cat = `
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents: { work: { kind: command, command: [cat, "\${{ file.path }}"], retry: { attempts: 1 } } }
daemon: { min_free_disk: 1MiB }
`;

test('a second daemon is refused and told who is there; a run goes through the one that runs', async () => {
  const project = makeProject(cat);
  const daemon = await project.start();
  const second = await project.sluice('start');
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`pid ${daemon.pid}`);
  expect(second.stderr).toContain('sluice stop');
  project.write('inbox/a', 'a');
  const run = await project.sluice('run', '--json');
  expect(run.code).toBe(0);
  expect(JSON.parse(run.stdout).files).toMatchObject({ found: 1, failed: 0, open: 0 });
  expect((await jobsOf(project)).map(({ state }) => state)).toEqual(['succeeded']);
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
});

test('of two runs at one time one works and the other is refused, or both work one after the other', async () => {
  const project = makeProject(cat.replace('[cat, ', '[sh, -c, "sleep 0.3; cat $0", '));
  for (const name of ['a', 'b', 'c', 'd']) project.write(`inbox/${name}`, name);
  const runs = await Promise.all([project.sluice('run'), project.sluice('run')]);
  const [refused] = runs.filter(({ code }) => code !== 0);
  expect(runs.some(({ code }) => code === 0)).toBe(true);
  if (refused) expect(refused.stderr).toContain('`sluice run` (pid');
  expect(project.receipts().map(({ state }) => state)).toEqual(Array(4).fill('succeeded'));
});

test('a project whose path has more than 200 characters has its socket elsewhere, and works', async () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-run-')));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const within = join(base, 'long '.repeat(20), 'päth'.repeat(30));
  mkdirSync(within, { recursive: true });
  for (const env of [{ XDG_RUNTIME_DIR: join(base, 'runtime') }, { XDG_RUNTIME_DIR: '' }]) {
    const project = makeProject(cat, { within, env });
    expect(project.dir.length).toBeGreaterThan(200);
    const daemon = await project.start();
    project.write('inbox/a', 'a');
    expect([...(await ended(project, 1)).values()][0]?.disposition).toBe('processed');
    const second = await project.sluice('start');
    expect(second.stderr).toContain(`pid ${daemon.pid}`);
    expect((await project.sluice('run', '--force')).code).toBe(0);
    daemon.kill('SIGTERM');
    expect(await daemon.exited).toBe(0);
    expect(project.receipts()).toHaveLength(1);
  }
});

test('a configuration saved broken changes nothing and says where; mended it is taken over', async () => {
  const project = makeProject(cat);
  const daemon = await project.start();
  const codes = async (): Promise<string[]> => (await project.status()).conditions.map(({ code }) => code);
  const broken: readonly [string, string][] = [
    ['version: 1\nrouting_rules: [{ name: x, pattern: "**", agent: nobody }]\n', 'nobody'],
    ['version: 1\nrouting_rules: [{\n', 'orchestrator.yaml'],
    ['', 'orchestrator.yaml'],
    ['version: 1\nagents: { work: { kind: command, command: [] } }\n', 'command'],
    ['\u0000\u0001 not yaml', 'orchestrator.yaml'],
  ];
  for (const [n, [text, named]] of broken.entries()) {
    project.write('config/orchestrator.yaml', text);
    daemon.kill('SIGHUP');
    await until('it is said that the configuration is broken', async () =>
      (await project.status()).conditions.some(
        ({ code, message }) => code === 'CONFIG_INVALID' && message.includes(named),
      ),
    );
    project.write(`inbox/${n}`, `${n}`);
    expect((await ended(project, n + 1)).get(`${n}`)?.disposition).toBe('processed');
  }
  rmSync(join(project.dir, 'config'), { recursive: true });
  daemon.kill('SIGHUP');
  await until('a removed one is said to be gone', async () =>
    (await project.status()).conditions.some(({ message }) => message.includes('There is no file')),
  );
  project.write('config/orchestrator.yaml', `version: 1\n${cat.replace('[cat, ', '[wc, -c, ')}`);
  // Saved, not signalled: it is looked at once a second.
  await until('it is taken over', async () => !(await codes()).includes('CONFIG_INVALID'));
  project.write('inbox/after', '12345');
  await ended(project, broken.length + 1);
  expect(readFileSync(join(project.dir, 'processed/files/inbox/after/result.md'), 'utf8')).toContain('5 ');
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
});

const deaf = `
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command: [sh, -c, "trap '' TERM INT; echo started >> starts.log; test -e release || sleep 1000; test -e release || sleep 1000"]
    sandbox: { mode: auto, write: [project] }
daemon: { min_free_disk: 1MiB, drain: 30s }
`;

test.each(['start', 'run'])(
  'the second Ctrl-C of `%s` leaves at once; nothing is left behind or lost',
  async (command) => {
    const project = makeProject(deaf);
    project.write('inbox/a', 'a');
    const process = command === 'start' ? await project.start() : project.spawn('run');
    await until('the attempt runs', () => project.exists('starts.log'));
    const pressed = performance.now();
    process.kill('SIGINT');
    process.kill('SIGINT');
    await until('the second one is sent apart', () => performance.now() - pressed > 50);
    process.kill('SIGINT');
    expect(await process.exited).toBe(1);
    expect(performance.now() - pressed).toBeLessThan(25_000);
    await until('no process is left', () => processesOf(project).length === 0);
    project.write('release', '');
    expect((await project.sluice('run')).code).toBe(0);
    expect(project.receipt('a')?.state).toBe('succeeded');
  },
);

test('a daemon goes on when who read its output is gone', async () => {
  const project = makeProject(cat, { wrapper: ['sh', '-c', '"$@" 2>&1 | head -n 1', 'sh'] });
  const shell = project.spawn('start');
  await until('it answers', () =>
    project.status().then(
      ({ state }) => state === 'running',
      () => false,
    ),
  );
  for (const name of ['a', 'b']) {
    project.write(`inbox/${name}`, name);
    await until(`${name} is processed`, () => project.receipt(name)?.state === 'succeeded');
  }
  await project.client.post('/api/control/stop');
  await shell.exited;
  expect(project.exists('.sluice/control.sock')).toBe(false);
});
