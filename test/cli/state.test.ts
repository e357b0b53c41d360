/** `sluice state` and `sluice sessions` as the owner calls them: on the ledger, and through the daemon. */
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readStateArgs } from '../../src/cli/state/command.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import type { SessionDetail, SessionView } from '../../src/sessions/view.ts';
import { config, ended, makeProject, type Project } from './sluice.ts';

const set = { do: 'set', key: 'k', isPrivate: false, json: false };
test.each([
  ['get k', { do: 'get', key: 'k', isPrivate: false, json: false }],
  ['get --json k --private', { do: 'get', key: 'k', isPrivate: true, json: true }],
  [
    'get --session=a --agent b k',
    { do: 'get', key: 'k', isPrivate: false, json: false, session: 'a', agent: 'b' },
  ],
  ['set k v', { ...set, value: { from: 'text', text: 'v' } }],
  ['set k -', { ...set, value: { from: 'stdin', isJson: false } }],
  ['set k --json-value {} --ttl 5m', { ...set, value: { from: 'json', text: '{}' }, ttl: '5m' }],
  [
    'set k --json-value - --if-revision 0',
    { ...set, value: { from: 'stdin', isJson: true }, ifRevision: '0' },
  ],
  ['set -- -k --v', { ...set, key: '-k', value: { from: 'text', text: '--v' } }],
  ['delete k --if-revision=3', { do: 'delete', key: 'k', isPrivate: false, json: false, ifRevision: '3' }],
  ['list', { do: 'list', json: false }],
  ['transaction', { do: 'transaction' }],
  ['lock l -- a -b --ttl', { do: 'lock', name: 'l', ttl: '1m', wait: '10m', argv: ['a', '-b', '--ttl'] }],
  ['lock --wait 0s --ttl 5s l make', { do: 'lock', name: 'l', ttl: '5s', wait: '0s', argv: ['make'] }],
])('read without the whole program: %s', (line, command) => {
  expect(readStateArgs(line.split(' '))).toEqual(command);
});

test.each([
  '',
  '--help',
  'get',
  'get --help',
  'get a b',
  'get a --ttl 5m',
  'got a',
  'set a',
  'set a b c',
  'set a b --json-value c',
  'set a b --ttl',
  'set a b --ttl --json',
  'get a --json=yes',
  'list a',
  'lock a',
  'lock a make -j',
  'toString a',
  'get -h',
])('left to the whole program: %s', (line) => {
  expect(readStateArgs(line === '' ? [] : line.split(' '))).toBeUndefined();
});

const id = '20261120-101500-3fa2c1';

/** A session as a run leaves it, with a secret in a value. */
async function makeSession(project: Project): Promise<void> {
  project.write(
    'config/orchestrator.yaml',
    config.replace('description: Checksums', 'env: { KEY: "${file:key}" }'),
  );
  project.write('key', 'hush-hush-hush\n');
  chmodSync(join(project.dir, 'key'), 0o600);
  const stateDir = join(project.dir, '.sluice');
  mkdirSync(stateDir, { mode: 0o700 });
  await using ledger = openSqliteLedger({ stateDir }).ledger;
  await ledger.sessions.open({ id, kind: 'run', title: 'Code Quality' });
  await ledger.sessions.commit(id, 'step lint', [
    { op: 'set', owner: '', key: 'count', value: 3 },
    { op: 'set', owner: '', key: 'told', value: { by: 'hush-hush-hush!' } },
    { op: 'set', owner: 'coder', key: 'note', value: 'mine' },
  ]);
  await ledger.durable();
}

const call = (project: Project, what: string, ...words: string[]) =>
  project.call('state', what, '--session', '20261120', ...words);

async function asOwner(project: Project): Promise<void> {
  const listed = await project.json<SessionView[]>('sessions');
  expect(listed).toMatchObject([{ session_id: id, kind: 'run', title: 'Code Quality', state: 'open' }]);
  const shown = await project.json<SessionDetail>('sessions', 'show', '2026');
  expect(shown.values.filter(({ key }) => key !== 'new')).toMatchObject([
    { type: 'shared', key: 'count', value: 3, by: 'step lint' },
    { type: 'shared', key: 'told', value: { by: '[redacted]!' } },
    { type: 'private', agent: 'coder', key: 'note', value: 'mine' },
  ]);
  expect(await call(project, 'get', 'count')).toMatchObject({ code: 0, stdout: '3\n' });
  expect(await call(project, 'get', 'note', '--agent', 'coder')).toMatchObject({ code: 0, stdout: 'mine\n' });
  expect((await call(project, 'get', 'told')).stdout).toBe('{"by":"[redacted]!"}\n');
  expect(await call(project, 'get', 'note')).toMatchObject({ code: 1, stdout: '' });
  expect(await call(project, 'get', 'note', '--private')).toMatchObject({ code: 2 });
  expect((await call(project, 'set', 'new', 'by hand')).code).toBe(0);
  expect(await call(project, 'set', 'new', 'again', '--if-revision', '9', '--json')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('"code":"CONFLICT"'),
    stderr: expect.stringContaining('is at revision'),
  });
  expect((await call(project, 'list')).stdout).toMatch(/new +shared +\d+ +cli +by hand/);
  expect((await call(project, 'delete', 'new')).code).toBe(0);
  expect((await call(project, 'get', 'new')).code).toBe(1);
  const { code, stderr } = await project.call('state', 'get', 'count', '--session', 'none');
  expect(code).toBe(1);
  expect(stderr).toContain('There is no session "none"');
}

test('without a daemon, on the ledger', async () => {
  const project = makeProject();
  expect(await project.call('sessions')).toMatchObject({ code: 0, stderr: 'no sessions\n' });
  expect((await call(project, 'get', 'a')).stderr).toContain('Nothing has run in this project yet');
  await makeSession(project);
  await asOwner(project);
  const lock = await call(project, 'lock', 'l', '--', 'true');
  expect(lock).toMatchObject({ code: 1, stderr: expect.stringContaining('No daemon runs') });
  const outside = await project.call('state', 'get', 'count');
  expect(outside).toMatchObject({ code: 2, stderr: expect.stringContaining('--session') });
});

test('through the daemon', async () => {
  const project = makeProject();
  await makeSession(project);
  await project.start();
  await asOwner(project);
  const holding = project.spawn(
    ...'state lock l --session 2026 -- sh -c'.split(' '),
    'echo got it; exec sleep 600',
    '',
  );
  const [text] = await new Promise<Buffer[]>((resolve) =>
    holding.stdout?.once('data', (...data) => resolve(data)),
  );
  expect(String(text)).toBe('got it\n');
  const refused = await call(project, 'lock', 'l', '--wait', '0s', '--', 'true');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('is held by the owner') });
  holding.kill('SIGTERM');
  expect((await ended(holding)).code).toBe(143);
  expect((await call(project, 'lock', 'l', '--wait', '0s', '--', 'sh', '-c', 'exit 5')).code).toBe(5);
});

const counting = `
name: counting
steps:
  - name: first
    type: custom_command
    command: sluice state set greeting "hello  world"
  - name: second
    type: custom_command
    for_each: [1, 2, 3, 4, 5, 6, 7, 8]
    command: [sh, -c, "echo '[{\\"op\\":\\"add\\",\\"key\\":\\"n\\"}]' | sluice state transaction"]
  - name: third
    type: custom_command
    command: printf "%s|%s" \${{ state.greeting }} \${{ state.n }}
`;

test.each(['without a daemon', 'in a daemon'])('the steps of a run share their state, %s', async (how) => {
  const project = makeProject({ 'workflows/counting.yaml': counting });
  if (how === 'in a daemon') await project.start();
  const { code, stderr } = await project.call('workflow', 'run', 'counting');
  expect(code, stderr).toBe(0);
  const [session] = await project.json<SessionView[]>('sessions');
  expect(session).toMatchObject({ kind: 'run', state: 'ended', entries: 2 });
  const run = session?.session_id as string;
  const { values } = await project.json<SessionDetail>('sessions', 'show', run);
  expect(values.map(({ key, value, by }) => [key, value, by])).toEqual([
    ['greeting', 'hello  world', 'step first'],
    ['n', 8, expect.stringMatching(/^step second\[\d\]$/)],
  ]);
  const result = join(project.dir, 'processed/workflows/counting', run, 'steps/third/result.md');
  expect(readFileSync(result, 'utf8')).toContain('hello  world|8');
  const late = await project.call('state', 'set', '--session', run, 'greeting', 'too late');
  expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining('has ended') });
});
