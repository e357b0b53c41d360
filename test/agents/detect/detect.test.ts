/** What is found on a machine, on machines made of shell scripts: every state, and the entry for each. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { builtinCliKinds } from '../../../src/agents/cli/kinds.ts';
import { type Detection, type DetectOptions, detectAgents } from '../../../src/agents/detect/detect.ts';
import { pluginPackages } from '../../../src/agents/detect/packages.ts';
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
    expect(proposal.entry.description, id).toBeTruthy();
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
  machine.put('opencode', 'while :; do :; done');
  machine.answer('ffprobe', 'ffprobe version 7.1');
  const state = await detect(machine, { timeoutMs: 500 });
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
  const going = detect(machine, { signal: stopping.signal });
  await vi.waitFor(() => expect(existsSync(started)).toBe(true), { timeout: 5_000, interval: 5 });
  const before = performance.now();
  stopping.abort();
  expect((await going)('codex').state).toMatchObject({ is: 'unusable' });
  expect(performance.now() - before).toBeLessThan(5_000);
});

function writePackage(machine: Machine, path: string, manifest: object): void {
  const file = join(machine.dir, path, 'package.json');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(manifest));
}

test('packages that bring kinds: those of the project that say so', async () => {
  const machine = new Machine();
  expect(pluginPackages(machine.dir)).toEqual([]);
  const list = { '@x/kind': '1', other: '1', gone: '1' };
  writePackage(machine, '.', { dependencies: list, devDependencies: { dev: '1' } });
  for (const name of ['@x/kind', 'dev', 'unlisted'])
    writePackage(machine, `node_modules/${name}`, { keywords: ['sluice-agent-kind'] });
  writePackage(machine, 'node_modules/other', { keywords: ['sluice'] });
  expect(pluginPackages(machine.dir)).toEqual(['@x/kind', 'dev']);

  machine.answer('robot', '3.0.0');
  const robot: LoadedKind = {
    ...codex,
    name: 'robot',
    title: 'Robot',
    programs: ['robot'],
    minimumVersion: '2.0.0',
  };
  const state = await detect(machine, {
    packages: ['@x/kind', 'dev'],
    plugins: {
      kindOf: async ({ cli }) => {
        if (cli.plugin?.package === '@x/kind') return robot;
        throw new AppError('PLUGIN_INVALID', 'dev exports no kind', { fix: 'Ask its author.' });
      },
    },
  });
  expect(state('robot')).toMatchObject({
    ...{ title: 'Robot', isAgentCli: true, state: { is: 'found', version: '3.0.0' } },
    proposal: {
      name: 'robot',
      entry: { kind: 'plugin', plugin: '@x/kind', capabilities: codex.capabilities },
    },
  });
  expect(state('dev').state).toEqual({
    is: 'unusable',
    problem: 'dev exports no kind',
    fix: 'Ask its author.',
  });
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
  const found = await agentsOnPath({ env, projectDir });
  expect(found.map(({ name }) => name)).toEqual(['codex', 'gemini', 'media_facts', 'dockerfile_check']);
  expect(found[0]).toEqual({
    name: 'codex',
    entry: { kind: 'codex', description: codex.title, capabilities: [...codex.capabilities] },
  });
  for (const name of ['codex', 'gemini', 'ffprobe', 'docker']) expect(machine.calls(name), name).toEqual([]);
});
