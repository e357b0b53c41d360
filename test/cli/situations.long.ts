/** Every command in every situation: its exit code, what goes to stdout, and that JSON is JSON. */
import { statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { config, makeProject, Project } from './sluice.ts';

type Situation = 'no project' | 'invalid configuration' | 'nothing run yet';

const projects: Record<Situation, () => Project> = {
  'no project': () => new Project(),
  'invalid configuration': () =>
    makeProject({ 'config/orchestrator.yaml': config.replace('agent: sum', 'agent: smu') }),
  'nothing run yet': () => makeProject({ 'inbox/a.txt': 'a' }),
};

/** Exit codes in the order of the situations. */
const commands: readonly (readonly [string, readonly [number, number, number]])[] = [
  ['check --json', [2, 2, 0]],
  ['status --json', [2, 0, 0]],
  ['why inbox/a.txt --json', [2, 2, 0]],
  ['why /etc/hostname --json', [2, 2, 1]],
  ['files --json', [2, 0, 0]],
  ['jobs --json', [2, 0, 0]],
  ['schedules --json', [2, 2, 0]],
  ['jobs show abcdef --json', [2, 1, 1]],
  ['jobs retry --failed --json', [2, 2, 0]],
  ['jobs retry', [2, 2, 2]],
  ['jobs cancel abcdef', [2, 1, 1]],
  ['jobs release abcdef', [2, 1, 1]],
  ['jobs review abcdef', [2, 1, 1]],
  ['answer abcdef yes', [2, 1, 1]],
  ['logs --json', [2, 0, 0]],
  ['logs --set-level debug', [2, 1, 1]],
  ['config show --json', [2, 2, 0]],
  ['config schema', [0, 0, 0]],
  ['config schema workflow', [0, 0, 0]],
  ['config migrate', [2, 2, 0]],
  ['config history --json', [2, 0, 0]],
  ['reload', [2, 1, 1]],
  ['pause', [2, 1, 1]],
  ['resume', [2, 1, 1]],
  ['stop', [2, 1, 1]],
  ['open', [2, 2, 1]],
  ['reports rebuild --json', [2, 2, 0]],
  ['service install --user --print', [2, 2, 0]],
  ['doctor --json', [1, 1, 0]],
  ['agents detect --json', [0, 0, 0]],
];

const situations = Object.keys(projects) as Situation[];

test('every command in every situation', async () => {
  const inTurn = async (situation: Situation, at: number): Promise<void> => {
    const project = projects[situation]();
    for (const [command, codes] of commands) {
      const { code, stdout, stderr } = await project.call(...command.split(' '));
      const seen = `${situation}: ${command}: ${stderr}`;
      expect(code, seen).toBe(codes[at]);
      if (command.includes('--json') && stdout !== '')
        for (const text of command.startsWith('logs') ? stdout.trimEnd().split('\n') : [stdout])
          JSON.parse(text);
      if (code === 0) {
        expect(stdout === '' && !command.startsWith('logs'), seen).toBe(false);
      } else if (!/^(check|doctor)/.test(command)) {
        expect(stdout, seen).toBe('');
        expect(stderr, seen).toContain('fix:');
        expect(stderr, seen).not.toContain('fault in Sluice');
      }
    }
  };
  await Promise.all(situations.map(inTurn));
});

test('status is an answer also when the configuration cannot be used', async () => {
  const project = projects['invalid configuration']();
  const status = await project.json<Record<string, unknown>>('status');
  expect(status).toMatchObject({
    state: 'stopped',
    queue: { queued: 0, running: 0, waiting: 0, held: 0 },
    conditions: [{ code: 'CONFIG_INVALID', message: expect.stringContaining('smu') }],
  });
  for (const key of ['roots', 'limits', 'agents']) expect(status).toHaveProperty(key);
  expect((await project.call('status')).stdout).toMatch(
    /^stopped.*[\s\S]*CONFIG_INVALID[\s\S]*fix: did you mean "sum"/,
  );
});

test('why says everything in JSON', async () => {
  const project = makeProject({ 'inbox/a.txt': 'a' });
  expect(await project.json('why', 'inbox/a.txt')).toMatchObject({
    path: 'a.txt',
    root: 'inbox',
    rule: 'sums',
    target: { agent: 'sum' },
    cache: 'miss',
    candidates: [{ rule: 'sums', matched: true }, { matched: false }, { matched: false }, { matched: false }],
  });
  expect(await project.json('why', 'inbox/x.pdf')).toMatchObject({ rule: null, target: null, cache: null });
  expect(await project.json('why', 'inbox/a.part')).toMatchObject({ ignored_by: { source: 'default' } });
  const names = (await project.json<{ candidates: { rule: string }[] }>('why', 'inbox/x.pdf')).candidates;
  expect(names.map(({ rule }) => rule)).toEqual(['sums', 'bad', 'slow', 'keys']);
});

test('a ledger that is damaged is a condition of status, and an error of a listing', async () => {
  const project = makeProject({
    '.sluice/ledger.db': 'this is no database, but long enough to be looked at'.repeat(50),
  });
  const status = await project.json<{ conditions: { code: string }[] }>('status');
  expect(status.conditions.map(({ code }) => code)).toEqual(['LEDGER_DAMAGED']);
  expect((await project.call('files')).code).toBe(1);
});

test('what is kept of the configuration is never older than its files', async () => {
  const project = makeProject({ 'inbox/a.txt': 'a' });
  const file = join(project.dir, 'config/orchestrator.yaml');
  const target = async () => (await project.json<{ target: { agent: string } }>('why', 'inbox/a.txt')).target;
  await project.call('run');
  expect(await target()).toEqual({ agent: 'sum' });
  expect(statSync(join(project.dir, '.sluice/config.snapshot')).mode & 0o777).toBe(0o600);
  expect(await target()).toEqual({ agent: 'sum' });

  // The same size and the same times: only what the kernel notes for itself gives it away.
  const { atime, mtime } = statSync(file);
  project.write('config/orchestrator.yaml', config.replaceAll('sum', 'mus'));
  utimesSync(file, atime, mtime);
  expect(await target()).toEqual({ agent: 'mus' });
  project.write('config/orchestrator.yaml', config.replace('agent: sum', 'agent: smu'));
  expect((await project.call('why', 'inbox/a.txt')).code).toBe(2);
  project.write('config/orchestrator.yaml', config);
  project.write('.sluice/config.snapshot', 'torn');
  expect(await target()).toEqual({ agent: 'sum' });
});
