/** Each trouble is made for real in a project folder, and the doctor has to find it, with a fix. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { AgentConfig, Config } from '../../src/config/config.ts';
import { type DoctorOptions, doctor } from '../../src/service/doctor.ts';
import { AppError } from '../../src/types/errors.ts';

interface Project {
  readonly dir: string;
  /** Writes an executable below the project. */
  readonly program: (path: string, text?: string) => string;
  readonly config: Config;
  readonly examine: (
    given?: Partial<DoctorOptions>,
  ) => Promise<Record<string, readonly { ok: string; message: string; fix?: string }[]>>;
}

function project(agents: readonly Partial<AgentConfig>[] = [], changes: Partial<Config> = {}): Project {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-doctor-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'inbox', 'sub'), { recursive: true });
  const config = {
    file: join(dir, 'orchestrator.yaml'),
    projectDir: dir,
    stateDir: join(dir, '.sluice'),
    roots: [{ name: 'inbox', dir: join(dir, 'inbox') }],
    rules: [],
    agents: new Map(agents.map((agent) => [agent.name, { env: [], ...agent }])),
    output: { dir: join(dir, 'processed') },
    daemon: { drainMs: 10_000, minFreeDiskBytes: 1 },
    ...changes,
  } as unknown as Config;
  return {
    dir,
    config,
    program(path, text = '#!/bin/sh\n') {
      const file = join(dir, path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, text);
      chmodSync(file, 0o755);
      return file;
    },
    async examine(given = {}) {
      const env = { PATH: '/usr/bin:/bin', HOME: dir };
      const socketPath = (stateDir: string) => join(stateDir, 'control.sock');
      const { checks } = await doctor({ config, env, asService: false, socketPath, ...given });
      for (const check of checks) expect(check.ok === 'ok' || check.fix, JSON.stringify(check)).toBeTruthy();
      return Object.groupBy(checks, (check) => check.name) as never;
    },
  };
}

const command = (name: string, ...argv: string[]): Partial<AgentConfig> => ({
  name,
  kind: 'command',
  command: argv,
});
const http = (name: string, url: string): Partial<AgentConfig> => ({ name, kind: 'http', url, headers: {} });

test('a sound project has nothing that fails', async () => {
  const found = await project([command('list', 'ls')]).examine();
  const bad = Object.values(found)
    .flat()
    .filter((check) => check.ok === 'fail');
  expect(bad).toEqual([]);
  expect(found['agent list']).toMatchObject([
    { ok: 'ok', message: expect.stringMatching(/`ls` is \/.*bin\/ls/) },
  ]);
  expect(found['inotify watches']?.[0]?.message ?? 'have 2 folders').toContain('have 2 folders');
  expect(Object.keys(found)).toEqual(
    expect.arrayContaining([
      'node',
      'user',
      'clock',
      'temporary folder',
      'service manager',
      'configuration',
      'project folder',
      'output folder',
      'ledger',
      'disk',
      'root inbox',
      'secrets',
      'daemon',
    ]),
  );
});

test('without a configuration the machine is looked at, and what is wrong with it is told', async () => {
  const { checks } = await doctor({
    configError: new AppError('CONFIG_INVALID', 'c.yaml:1:1 no', { fix: 'Correct it.' }),
    env: process.env,
    asService: false,
    socketPath: () => '/nowhere',
  });
  expect(checks.find((check) => check.name === 'configuration')).toEqual({
    name: 'configuration',
    ok: 'fail',
    message: 'c.yaml:1:1 no',
    fix: 'Correct it.',
  });
  expect(checks.some((check) => check.name === 'node')).toBe(true);
});

test("a command on the shell's PATH only", async () => {
  const { program, dir, examine } = project([command('a', 'my-tool')]);
  const file = program('shellbin/my-tool');
  const env = { PATH: `${join(dir, 'shellbin')}:/usr/bin:/bin`, HOME: dir };
  expect((await examine({ env }))['agent a']).toMatchObject([{ ok: 'ok' }]);
  expect((await examine({ env, asService: true }))['agent a']).toMatchObject([
    {
      ok: 'fail',
      message: `\`my-tool\` is ${file}, which is not on a service's PATH`,
      fix: expect.stringMatching(/agents\.a\.command: \[.*my-tool.*service install/),
    },
  ]);
});

test('a command that a version manager hides', async () => {
  const { program, dir, examine } = project([command('a', 'claude'), command('b', 'shimmed')]);
  const file = program('.nvm/versions/node/v24.1.0/bin/claude');
  program('.asdf/shims/shimmed');
  const found = await examine({ env: { PATH: `${join(dir, '.asdf/shims')}:/usr/bin:/bin`, HOME: dir } });
  expect(found['agent a']).toMatchObject([{ ok: 'fail', message: expect.stringContaining(file) }]);
  expect(found['agent b']).toMatchObject([
    {
      ok: 'warn',
      message: expect.stringContaining('asdf manages'),
      fix: expect.stringContaining('asdf which shimmed'),
    },
  ]);
});

test('a script whose interpreter is not on the PATH', async () => {
  const { program, dir, examine } = project([command('a', './tool.js')]);
  program('tool.js', '#!/usr/bin/env my-runtime\n');
  program('shellbin/my-runtime');
  const env = { PATH: `${join(dir, 'shellbin')}:/usr/bin:/bin`, HOME: dir };
  expect((await examine({ env }))['agent a']).toMatchObject([{ ok: 'ok' }]);
  expect((await examine({ env, asService: true }))['agent a']).toMatchObject([
    {
      ok: 'fail',
      message: expect.stringContaining('a script for `my-runtime`'),
      fix: expect.stringContaining(join(dir, 'shellbin/my-runtime')),
    },
  ]);
});

test.each([
  ['a function', 'my_function() { ls; }'],
  ['an alias', "alias my_function='ls -l'"],
])('a command that is %s of the shell', async (kind, definition) => {
  const { dir, examine } = project([command('a', 'my_function')]);
  writeFileSync(join(dir, '.bashrc'), `${definition}\n`);
  const found = await examine({ env: { PATH: '/usr/bin:/bin', HOME: dir, SHELL: '/bin/bash' } });
  expect(found['agent a']).toMatchObject([
    {
      ok: 'fail',
      message: expect.stringContaining(`is ${kind} of your shell`),
      fix: expect.stringContaining('script'),
    },
  ]);
});

test('a command that is nowhere, and one that is no program', async () => {
  const { dir, examine } = project([
    command('a', 'no-such-program-x'),
    command('b', './plain.txt'),
    command('c', `${'${{ file.path }}'}`),
  ]);
  writeFileSync(join(dir, 'plain.txt'), '');
  const found = await examine();
  expect(found['agent a']).toMatchObject([
    { ok: 'fail', message: expect.stringContaining('nor where programs usually are') },
  ]);
  expect(found['agent b']).toMatchObject([
    { ok: 'fail', message: expect.stringContaining('not executable') },
  ]);
  expect(found['agent c']).toMatchObject([{ ok: 'ok' }]);
});

test('the PATH of an installed service counts, not the default one', async () => {
  const { program, dir, examine } = project([command('a', 'my-tool')]);
  program('stored bin/my-tool');
  const units = join(dir, '.config/systemd/user');
  mkdirSync(units, { recursive: true });
  const { serviceAddress } = await import('../../src/service/service.ts');
  const { readServiceHost } = await import('../../src/service/host.ts');
  const { formatUnit } = await import('../../src/service/unit.ts');
  const address = serviceAddress({
    projectDir: dir,
    scope: 'user',
    host: { ...readServiceHost({ HOME: dir }), platform: 'linux' },
  });
  writeFileSync(
    address.file,
    formatUnit({
      scope: 'user',
      node: '/n',
      script: '/s',
      projectDir: dir,
      configFile: '/c',
      path: `${dir}/stored bin:/usr/bin`,
    }),
  );
  const found = await examine({ asService: true });
  expect(found['agent a']).toMatchObject([{ ok: 'ok' }]);
  expect(found['service manager']).toMatchObject([
    { ok: 'ok', message: expect.stringContaining(address.name) },
  ]);
});

test('secrets and variables that only the shell has', async () => {
  const { examine } = project([
    http('h', 'http://127.0.0.1/${env:MY_TOKEN}'),
    { ...command('a', 'ls'), env: [{ kind: 'pass', name: 'MY_SETTING' }] },
  ]);
  const env = { PATH: '/usr/bin:/bin', HOME: '/root', MY_TOKEN: 'a-long-token', MY_SETTING: 'x' };
  expect((await examine({ env })).secrets).toMatchObject([{ ok: 'ok', message: '1 can be resolved' }]);
  const found = await examine({ env, asService: true });
  expect(found.secrets).toMatchObject([
    {
      ok: 'fail',
      message: expect.stringContaining('MY_TOKEN'),
      fix: expect.stringMatching(/systemctl edit .*MY_TOKEN/),
    },
  ]);
  expect(found.variables).toMatchObject([
    { ok: 'warn', message: expect.stringContaining('is set in your shell, but a service does not have it') },
  ]);
  expect(JSON.stringify(found)).not.toContain('a-long-token');
});

test('a credential is the service’s alone', async () => {
  const found = await project([http('h', 'http://127.0.0.1/${credential:key}')]).examine();
  expect(found.secrets).toMatchObject([{ ok: 'warn', fix: expect.stringContaining('LoadCredential=key:') }]);
});

test('a missing root, a full disk, a clock set back', async () => {
  const { dir, examine } = project([], {
    roots: [{ name: 'gone', dir: '/nowhere/at all' }] as never,
    daemon: { drainMs: 1, minFreeDiskBytes: 2 ** 60, maxDepth: 5, maxLogBytes: 2 ** 28 },
  });
  mkdirSync(join(dir, '.sluice'));
  writeFileSync(join(dir, '.sluice/ledger.db'), '');
  const later = Date.now() / 1000 + 7200;
  utimesSync(join(dir, '.sluice/ledger.db'), later, later);
  const found = await examine();
  expect(found['root gone']).toMatchObject([{ ok: 'warn', fix: "mkdir -p '/nowhere/at all'" }]);
  expect(found.disk?.map((check) => check.ok)).toEqual(['fail', 'fail']);
  expect(found.ledger).toMatchObject([{ ok: 'warn', message: expect.stringContaining('set back') }]);
  expect((await examine({ now: 0 })).clock).toMatchObject([{ ok: 'fail' }]);
});

test('folders that can not be written', async () => {
  // There nobody can write, root included.
  const closed = project([], { output: { dir: '/proc/sluice' } } as never);
  const seen = await closed.examine();
  expect(seen['output folder']).toMatchObject([{ ok: 'fail', fix: expect.stringContaining('chown') }]);

  const { examine, config } = project();
  for (const file of [config.output.dir, config.stateDir]) writeFileSync(file, '');
  const found = await examine();
  const isNone = {
    ok: 'fail',
    message: expect.stringMatching(/is no folder$/),
    fix: expect.stringMatching(/^mv /),
  };
  expect([found['output folder'], found.ledger]).toMatchObject([[isNone], [isNone]]);
});

test('a daemon that runs, and a socket path that a service would not share', async () => {
  const { dir, examine } = project();
  mkdirSync(join(dir, '.sluice'));
  const server = createServer().listen(join(dir, '.sluice', 'control.sock'));
  onTestFinished(() => void server.close());
  expect((await examine()).daemon).toMatchObject([{ ok: 'ok', message: expect.stringContaining('runs') }]);
  const socketPath = (stateDir: string, env: NodeJS.ProcessEnv) =>
    join(stateDir, env.XDG_RUNTIME_DIR ? 'a' : 'b');
  const found = await examine({
    asService: true,
    socketPath,
    env: { PATH: '/bin', HOME: dir, XDG_RUNTIME_DIR: '/run/user/1' },
  });
  expect(found['control socket']).toMatchObject([{ ok: 'warn' }]);
});

test('links that loop in a root are not followed', async () => {
  const { dir, examine } = project();
  symlinkSync('..', join(dir, 'inbox', 'sub', 'up'));
  expect((await examine())['inotify watches']?.[0]?.message ?? 'have 2 folders').toContain('have 2 folders');
});

test.runIf(process.platform === 'linux')(
  'where bubblewrap does not work, who must be confined would wait, and who may be would run bare',
  async () => {
    const confined = (name: string, mode: 'auto' | 'required'): Partial<AgentConfig> => ({
      ...command(name, 'ls'),
      sandbox: { mode, write: [], network: 'none', blocked: [], confirm: [] },
    });
    const made = project([confined('must', 'required'), confined('may', 'auto'), command('bare', 'ls')]);
    made.program('bin/bwrap', '#!/bin/sh\necho "bwrap: no permission to make a namespace" >&2\nexit 1\n');
    const { sandbox } = await made.examine({ env: { PATH: `${made.dir}/bin:/usr/bin`, HOME: made.dir } });
    expect(sandbox).toMatchObject([
      { ok: 'fail', message: expect.stringMatching(/no permission to make a namespace.*jobs of "must"/) },
      { ok: 'warn', message: expect.stringMatching(/"may" would run without confinement/) },
    ]);
    expect(sandbox).toHaveLength(2);
  },
);

test('programs of agent CLIs are there, of a version that works, and logged in as far as can be seen', async () => {
  const cli = (name: string, kind: string, env: object[] = []): Partial<AgentConfig> =>
    ({ name, kind, env, sandbox: { mode: 'off', reason: 'a test' }, cli: {} }) as Partial<AgentConfig>;
  const key = { kind: 'set', name: 'CODEX_API_KEY', value: `\${env:A_KEY}`, isLiteral: false };
  const made = project([
    ...[cli('keyed', 'codex', [key]), cli('nobody', 'codex'), cli('shell', 'claude')],
    ...[cli('old', 'gemini'), cli('gone', 'opencode'), cli('store', 'copilot')],
  ]);
  made.program('bin/codex', '#!/bin/sh\necho codex-cli 0.169.0\n');
  made.program('bin/claude', '#!/bin/sh\necho "2.1.400 (Claude Code)"\n');
  made.program('bin/gemini', '#!/bin/sh\necho 0.1.0\n');
  made.program('bin/copilot', '#!/bin/sh\necho 1.0.40\n');
  const env = { PATH: `${made.dir}/bin:/usr/bin:/bin`, HOME: made.dir, ANTHROPIC_API_KEY: 'sk-ant-key' };
  const found = await made.examine({ env });
  const checkOf = (name: string) => found[`agent ${name}`]?.[0];
  expect(checkOf('keyed')).toMatchObject({
    ok: 'ok',
    message: `Codex CLI 0.169.0 (${made.dir}/bin/codex), logged in by CODEX_API_KEY`,
  });
  expect(checkOf('nobody')).toMatchObject({
    ...{ ok: 'warn', message: expect.stringContaining('not logged in, as far as can be seen') },
    fix: expect.stringContaining('codex login'),
  });
  expect(checkOf('shell')).toMatchObject({ ok: 'ok', message: expect.stringContaining('ANTHROPIC_API_KEY') });
  expect(checkOf('old')).toMatchObject({ ok: 'fail', message: expect.stringContaining('too old') });
  expect(checkOf('gone')).toMatchObject({
    ...{ ok: 'fail', message: expect.stringContaining('not installed') },
    fix: expect.stringContaining('npm install -g opencode-ai'),
  });
  expect(checkOf('store')).toMatchObject({ ok: 'warn', message: expect.stringContaining('cannot be seen') });

  // A service has neither the PATH nor the variables of the shell.
  const served = project([cli('shell', 'claude', [{ kind: 'set', name: 'PATH', value: `${made.dir}/bin` }])]);
  const bare = await served.examine({ asService: true, env });
  expect(bare['agent shell']?.[0]).toMatchObject({
    ...{ ok: 'warn', message: expect.stringContaining('ANTHROPIC_API_KEY in your shell') },
    fix: expect.stringContaining('ANTHROPIC_API_KEY'),
  });
  const lost = await project([cli('lost', 'claude')]).examine({ asService: true, env });
  expect(lost['agent lost']?.[0]).toMatchObject({
    ...{ ok: 'fail', message: expect.stringContaining('not installed') },
    fix: expect.stringContaining(`agents.lost.program: ${made.dir}/bin/claude`),
  });
});
