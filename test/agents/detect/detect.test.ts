/** What is found on a machine, on machines made of shell scripts: every state, and the entry for each. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { builtinCliKinds } from '../../../src/agents/cli/kinds.ts';
import { type Detection, type DetectOptions, detectAgents } from '../../../src/agents/detect/detect.ts';
import { agentsOnPath } from '../../../src/agents/detect/registered.ts';
import { tools } from '../../../src/agents/detect/tools.ts';
import type { LoadedKind } from '../../../src/agents/plugins/plugins.ts';
import { AppError } from '../../../src/types/errors.ts';
import { Machine } from './programs.ts';

const kinds = [...builtinCliKinds.values()];
const codex = builtinCliKinds.get('codex') as LoadedKind;
/** Nothing of the machine that the tests run on. */
const only = (machine: Machine, env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  ...{ PATH: machine.bin, HOME: machine.env.HOME },
  ...env,
});

async function detect(machine: Machine, o: Partial<DetectOptions> = {}): Promise<(id: string) => Detection> {
  const found = await detectAgents({ env: only(machine), projectDir: machine.dir, ...o });
  return (id) => {
    const one = found.find((detection) => detection.id === id);
    if (!one) throw new Error(`${id} was not looked for`);
    return one;
  };
}

test('a machine with nothing: everything is missing, with the way to install it', async () => {
  const machine = new Machine();
  const found = await detectAgents({ env: only(machine), projectDir: machine.dir });
  expect(found.map(({ id }) => id)).toEqual([...kinds, ...tools].map(({ name }) => name));
  for (const { id, state } of found)
    expect(state, id).toMatchObject({ is: 'missing', install: expect.stringMatching(/install/) });
});

test('a machine with everything: versions, and entries under names of their own', async () => {
  const machine = new Machine();
  for (const { programs, minimumVersion } of kinds) machine.answer(programs[0] as string, minimumVersion);
  machine.answer('ffprobe', 'ffprobe version 7.1 Copyright (c) 2007-2026');
  machine.answer('ffmpeg', 'ffmpeg version N-118000-gabcdef Copyright (c) 2000-2026');
  machine.answer('docker', 'Docker version 29.0.1, build abc', ['--check']);
  machine.answer('pandoc', 'pandoc 3.5', ['--sandbox']);
  const found = await detectAgents({ env: only(machine), projectDir: machine.dir });
  const versions = Object.fromEntries(
    found.map(({ id, state }) => [id, state.is === 'found' ? state.version : state]),
  );
  expect(versions).toEqual({
    ...Object.fromEntries(kinds.map(({ name, minimumVersion }) => [name, minimumVersion])),
    ...{ ffprobe: '7.1', ffmpeg: 'N-118000-gabcdef', docker: '29.0.1', pandoc: '3.5' },
  });
  const names = found.map(({ proposal }) => proposal.name);
  expect(new Set(names).size).toBe(names.length);
  for (const { id, isAgentCli, proposal, capabilities } of found) {
    expect(proposal.entry, id).toMatchObject({ kind: isAgentCli ? id : 'command', capabilities });
    // An agent CLI is told its description as its task.
    expect(proposal.entry.description === undefined, id).toBe(isAgentCli);
  }
  expect(readdirSync(machine.env.HOME as string)).toEqual([]);
});

test('log-in: by a key, not at all; flags that its help does not name', async () => {
  const machine = new Machine();
  machine.answer('codex', `codex-cli ${codex.minimumVersion}`, ['--sandbox']);
  const without = (await detect(machine))('codex').state;
  expect(without).toMatchObject({ is: 'found', login: { fix: codex.login } });
  expect(without).not.toMatchObject({ login: { state: 'logged_in' } });
  const env = only(machine, { CODEX_API_KEY: 'sk-1234567890' });
  const { state } = (await detect(machine, { env }))('codex');
  expect(state).toMatchObject({ is: 'found', login: { state: 'logged_in' } });
  expect(JSON.stringify(state)).not.toContain('sk-1234567890');
  expect(state).toHaveProperty('lacks', expect.arrayContaining(['--json']));
  expect(state).toHaveProperty('lacks', expect.not.arrayContaining(['--sandbox']));
});

test('what is broken, too old, or hangs is unusable; the others are found all the same', async () => {
  const machine = new Machine();
  machine.answer('codex', '0.1.0');
  machine.put('gemini', 'echo "Error: not installed completely" >&2; exit 1');
  machine.put('opencode', 'exec /bin/sleep 600');
  machine.answer('ffprobe', 'ffprobe version 7.1');
  const state = await detect(machine, { timeoutMs: 4_000 });
  expect(state('codex').state).toMatchObject({ is: 'unusable', problem: expect.stringContaining('too old') });
  expect(state('gemini').state).toMatchObject({
    ...{ is: 'unusable', file: join(machine.bin, 'gemini') },
    problem: expect.stringContaining('exits with 1: Error: not installed completely'),
    fix: expect.stringContaining('npm install'),
  });
  expect(state('opencode').state).toMatchObject({ problem: expect.stringContaining('did not answer') });
  expect(state('ffprobe').state).toMatchObject({ is: 'found' });
});

test('docker: without buildx, without its daemon, with both; where the daemon is told to be', async () => {
  const machine = new Machine();
  const help =
    'case "$*" in "build --help") echo "  --check  only check" ;; --version) echo "Docker version 29.0.1" ;;';
  machine.put('docker', 'case "$*" in *help) echo "  --file" ;; *) echo "Docker version 29.0.1" ;; esac');
  expect((await detect(machine))('docker').state).toMatchObject({
    problem: expect.stringContaining('does not know --check'),
    fix: expect.stringContaining('buildx'),
  });
  machine.put('docker', `${help} *) echo "Cannot connect to the Docker daemon" >&2; exit 1 ;; esac`);
  expect((await detect(machine))('docker').state).toMatchObject({
    problem: expect.stringContaining('Cannot connect to the Docker daemon'),
    fix: expect.stringContaining('systemctl start docker'),
  });
  machine.put('docker', `${help} *) echo "$DOCKER_HOST" > "$calls" ;; esac`);
  const env = only(machine, { DOCKER_HOST: 'unix:///run/user/7/docker.sock' });
  const found = (await detect(machine, { env }))('docker');
  expect(found.state).toMatchObject({ is: 'found', version: '29.0.1' });
  expect(machine.calls('docker')).toEqual(['unix:///run/user/7/docker.sock']);
  expect(found.proposal.entry).toMatchObject({
    env: { DOCKER_HOST: 'unix:///run/user/7/docker.sock' },
    sandbox: { mode: 'off' },
  });
});

test('when it is to end, what is being asked ends at once', async () => {
  const machine = new Machine();
  const started = join(machine.dir, 'started');
  machine.put('codex', `: > ${started}\nwhile :; do :; done`);
  const stopping = new AbortController();
  const going = detect(machine, { signal: stopping.signal, timeoutMs: 600_000 });
  await vi.waitFor(() => expect(existsSync(started)).toBe(true), { timeout: 60_000, interval: 5 });
  stopping.abort();
  expect((await going)('codex').state).toMatchObject({ is: 'unusable' });
});

test('kinds of packages: of agents of the configuration, of the project, and those that cannot be loaded', async () => {
  const machine = new Machine();
  const kindOf = (name: string): LoadedKind => ({
    ...{ ...codex, name, title: name.toUpperCase(), programs: [name], minimumVersion: '2.0.0' },
    plugin: { package: `@x/${name}`, version: '1.0.0', dir: '/x', fingerprint: 'x' },
  });
  machine.answer('robot', '3.0.0');
  machine.answer('helper', '1.0.0');
  const broken = new AppError('PLUGIN_INVALID', 'exports no kind', { fix: 'Ask its author.' });
  const found = await detectAgents({
    ...{ env: only(machine), projectDir: machine.dir },
    packages: ['@x/robot', '@x/broken', '@x/robot'],
    plugins: {
      kindOf: async ({ cli }) => {
        if (cli.plugin?.package === '@x/robot') return kindOf('robot');
        throw new AppError(broken.code, `cannot run: ${broken.message}`, { fix: broken.fix });
      },
      installed: async () => ({
        kinds: [kindOf('helper'), kindOf('robot')],
        problems: [broken, new AppError('PLUGIN_INVALID', 'another is broken', { fix: 'Update it.' })],
      }),
    },
  });
  const brought = found.slice(kinds.length, -tools.length);
  expect(brought.map(({ id, state }) => [id, state.is])).toEqual([
    ['robot', 'found'],
    ['@x/broken', 'unusable'],
    ['helper', 'unusable'],
    ['plugin', 'unusable'],
  ]);
  expect(brought[0]).toMatchObject({
    ...{ title: 'ROBOT', isAgentCli: true, state: { version: '3.0.0' } },
    proposal: {
      name: 'robot',
      entry: { kind: 'plugin', plugin: '@x/robot', capabilities: codex.capabilities },
    },
  });
  expect(brought[1]?.state).toEqual({
    ...{ is: 'unusable', problem: 'cannot run: exports no kind', fix: 'Ask its author.' },
  });
  expect(brought[3]?.state).toMatchObject({ problem: 'another is broken', fix: 'Update it.' });
});

test('`agents: auto` starts nothing, and takes what stands on PATH as it is', async () => {
  const machine = new Machine();
  const projectDir = machine.dir;
  expect(await agentsOnPath({ env: only(machine), projectDir })).toEqual([]);
  machine.put('gemini', 'echo x >> "$calls"; exit 1');
  machine.answer('codex', '0.0.1');
  machine.answer('ffprobe', '7.1');
  machine.answer('docker', '29.0.1');
  machine.put('pandoc', 'exit', 0o644);
  mkdirSync(join(machine.bin, 'ffmpeg'));
  const env = only(machine, { DOCKER_HOST: 'unix:///nowhere' });
  machine.answer('robot', '3.0.0');
  machine.write('package.json', '{ "dependencies": { "@x/robot": "1", "other": "1" } }');
  machine.write(
    'node_modules/@x/robot/package.json',
    '{ "keywords": ["sluice-agent-kind"], "main": "kind.mjs" }',
  );
  machine.write(
    'node_modules/@x/robot/kind.mjs',
    `export const agentKind = {
      apiVersion: 1, name: 'robot', title: 'Robot', programs: ['robot'], install: 'x', login: 'x', capabilities: ['testing'],
      minimumVersion: '1.0.0', versionArgs: ['--version'], helpArgs: ['--help'], environment: [], home: [],
      loginState: async () => ({ state: 'unknown', detail: '' }), launch: () => ({ args: [], env: {}, files: [] }),
      read: () => ({ line: () => [], hasEnded: false, end: () => ({}) }), resume: () => '',
    };`,
  );
  const found = await agentsOnPath({ env, projectDir });
  expect(found.map(({ name }) => name)).toEqual([
    'codex',
    'gemini',
    'robot',
    'media_facts',
    'dockerfile_check',
  ]);
  // Docker without a daemon that could be asked is of no use.
  const withoutHost = await agentsOnPath({ env: only(machine), projectDir });
  expect(withoutHost.some(({ name }) => name === 'dockerfile_check')).toBe(
    existsSync('/var/run/docker.sock'),
  );
  expect(found[0]).toEqual({
    name: 'codex',
    entry: { kind: 'codex', capabilities: [...codex.capabilities] },
  });
  for (const name of ['codex', 'gemini', 'ffprobe', 'docker']) expect(machine.calls(name), name).toEqual([]);
});
