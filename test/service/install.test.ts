/** What is called and written, with a `systemctl` that records its arguments: no service manager runs where tests do. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import type { ServiceHost } from '../../src/service/host.ts';
import { type InstallOptions, installService, uninstallService } from '../../src/service/install.ts';
import { serviceStatus } from '../../src/service/status.ts';

interface Rig {
  readonly options: InstallOptions;
  readonly calls: () => string[];
}

/** @param script What the recorded commands do after they have written down how they were called. */
function rig({ script = '', ...host }: Partial<ServiceHost> & { script?: string } = {}): Rig {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-install-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const [bin, project, log] = [join(dir, 'bin'), join(dir, 'My Project'), join(dir, 'calls')];
  mkdirSync(bin);
  mkdirSync(project);
  for (const name of ['systemctl', 'launchctl']) {
    const file = join(bin, name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> '${log}'\n${script}\n`);
    chmodSync(file, 0o755);
  }
  const output = {
    dir: join(project, 'processed'),
    preserveOriginal: true,
    logLevel: 'info',
    retentionMs: 1,
    retentionJobs: Number.POSITIVE_INFINITY,
    fileMode: 0o644,
  } as const;
  return {
    options: {
      scope: 'user',
      config: {
        projectDir: project,
        file: join(project, 'config', 'orchestrator.yaml'),
        stateDir: join(project, '.sluice'),
        output,
        roots: [],
        agents: new Map(),
      },
      host: {
        platform: 'linux',
        uid: 1000,
        env: { PATH: `${bin}:/run/user/1/fnm_multishells/2/bin:/usr/bin:/bin`, HOME: join(dir, 'home') },
        isSystemdRunning: true,
        firstProcess: 'systemd',
        systemUnitDir: join(dir, 'etc'),
        ...host,
      },
    },
    calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  };
}

test('a service of the user is written, enabled and started; installing again changes nothing; then it is removed', async () => {
  const { options, calls } = rig();
  const { address, text, changed, notes } = await installService(options);
  expect(address.name).toMatch(/^sluice-my-project-[0-9a-f]{6}\.service$/);
  expect(address.file).toBe(join(options.host.env.HOME as string, '.config/systemd/user', address.name));
  expect(readFileSync(address.file, 'utf8')).toBe(text);
  expect(text).not.toContain('fnm_multishells');
  expect(await readdir(join(address.file, '..'))).toEqual([address.name]);
  expect([changed, notes]).toEqual([true, [expect.stringContaining('enable-linger')]]);
  expect(calls()).toEqual([
    'systemctl --user --no-pager daemon-reload',
    `systemctl --user --no-pager enable --now ${address.name}`,
  ]);

  expect((await installService(options)).changed).toBe(false);
  expect(calls()).toHaveLength(4);

  expect((await uninstallService(options)).changed).toBe(true);
  expect(existsSync(address.file)).toBe(false);
  expect(calls().slice(4)).toEqual([
    `systemctl --user --no-pager disable --now ${address.name}`,
    'systemctl --user --no-pager daemon-reload',
  ]);
  expect((await uninstallService(options)).changed).toBe(false);
});

test('an update restarts the service', async () => {
  const { options, calls } = rig();
  const { address } = await installService(options);
  await installService({ ...options, node: '/another/node' });
  expect(calls().at(-1)).toBe(`systemctl --user --no-pager restart ${address.name}`);
});

test('--print says what would be done and does nothing', async () => {
  const { options, calls } = rig({ isSystemdRunning: false });
  const change = await installService({ ...options, scope: 'system', print: true });
  expect(change.text).toContain('User=sluice\n');
  expect(change.commands.map((argv) => argv.join(' '))).toEqual([
    'systemctl --no-pager daemon-reload',
    `systemctl --no-pager enable --now ${change.address.name}`,
  ]);
  expect([existsSync(change.address.file), calls()]).toEqual([false, []]);
});

// In a home that is read-only Codex does not start, and nobody's renewed log-in is kept.
test('agent CLIs can write what is theirs in the home of the user of the service', async () => {
  const { options } = rig();
  const home = userInfo().homedir;
  const agents = new Map(['codex', 'copilot', 'inspect'].map((name) => [name, { name, kind: name }]));
  const config = { ...options.config, agents: agents as unknown as Config['agents'] };
  const given = { ...options, config, scope: 'system', print: true } as const;
  const { text } = await installService({ ...given, runAs: userInfo().username });
  expect(text).toContain(`" "-${home}/.codex" "-${home}/.copilot/session-state" "-${home}/.cache/copilot"\n`);
  expect((await installService({ ...given, runAs: 'no-such-user-here' })).text).not.toContain('.codex');
});

test.each([
  [
    'no systemd',
    { isSystemdRunning: false, firstProcess: 'tini' },
    {},
    /first process is "tini"/,
    /sluice start/,
  ],
  ['not root', {}, { scope: 'system' }, /root only/, /sudo.*--user/],
  [
    'root without a user',
    { uid: 0 },
    { scope: 'system' },
    /would run as root/,
    /useradd --system.*--run-as sluice/s,
  ],
  [
    'no such user',
    { uid: 0 },
    { scope: 'system', runAs: 'no-such-user-here' },
    /no user "no-such-user-here"/,
    /useradd/,
  ],
  ['another platform', { platform: 'win32' }, {}, /win32/, /sluice start/],
] as const)('%s: a message with a fix, and nothing is written', async (_, host, given, message, fix) => {
  const { options, calls } = rig(host);
  const refused = await installService({ ...options, ...given }).then(
    () => expect.unreachable(),
    (error) => error,
  );
  expect(refused).toMatchObject({
    code: 'SERVICE_FAILED',
    message: expect.stringMatching(message),
    fix: expect.stringMatching(fix),
  });
  expect([calls(), existsSync(options.host.systemUnitDir)]).toEqual([[], false]);
});

// Becoming another user for a moment needs root.
test.skipIf(process.getuid?.() !== 0)(
  'a user who can not write to the project is refused before anything is written',
  async () => {
    const { options, calls } = rig({ uid: 0 });
    const given = { ...options, scope: 'system', runAs: 'nobody' } as const;
    await expect(installService(given)).rejects.toMatchObject({
      message: expect.stringMatching(/"nobody" can not write/),
      fix: expect.stringContaining('chown'),
    });
    chmodSync(join(options.config.projectDir, '..'), 0o755);
    chmodSync(options.config.projectDir, 0o777);
    const { text, address } = await installService({ ...given, node: '/bin/sh', script: '/bin/sh' });
    expect(text).toContain('User=nobody\n');
    expect(calls().at(-1)).toBe(`systemctl --no-pager enable --now ${address.name}`);
  },
);

test('`--run-as` with a service of a user is wrong use', async () => {
  const { options } = rig();
  await expect(installService({ ...options, runAs: 'x' })).rejects.toMatchObject({ code: 'USAGE' });
});

test('what systemctl refuses is told, with where to look', async () => {
  const { options } = rig({ script: 'case "$*" in *enable*) echo "Job for it failed." >&2; exit 1;; esac' });
  await expect(installService(options)).rejects.toMatchObject({
    code: 'SERVICE_FAILED',
    message: expect.stringMatching(/enable --now .* failed: Job for it failed\./),
    fix: expect.stringMatching(/journalctl --user -u sluice-.* -n 30.*doctor/),
  });
});

test('a user without a session bus is told how to get one', async () => {
  const { options } = rig({ script: 'echo "Failed to connect to bus: No medium found" >&2; exit 1' });
  await expect(installService(options)).rejects.toMatchObject({
    fix: expect.stringContaining('enable-linger'),
  });
});

test.each([
  [
    'ActiveState=active\nMainPID=42\nStatusText=watching inbox\nUnitFileState=enabled',
    { at: 'running', pid: 42, text: 'watching inbox' },
    true,
  ],
  [
    'ActiveState=activating\nMainPID=43\nStatusText=\nUnitFileState=disabled',
    { at: 'starting', pid: 43 },
    false,
  ],
  [
    'ActiveState=failed\nMainPID=0\nResult=watchdog\nUnitFileState=enabled',
    { at: 'failed', result: 'watchdog' },
    true,
  ],
  ['ActiveState=inactive\nMainPID=0\nResult=success\nUnitFileState=enabled', { at: 'stopped' }, true],
])('status reads what systemd shows: %j', async (shown, state, enabled) => {
  const { options } = rig({ script: `case "$*" in *show*) printf '%s\\n' '${shown}';; esac` });
  const ask = { scope: 'user', projectDir: options.config.projectDir, host: options.host } as const;
  expect(await serviceStatus(ask)).toMatchObject({ state: { at: 'not_installed' }, enabled: false });
  await installService(options);
  expect(await serviceStatus(ask)).toMatchObject({ state, enabled });
});

test('on macOS it is an agent of launchd', async () => {
  const { options, calls } = rig({
    platform: 'darwin',
    uid: 501,
    script: 'case "$1" in print) printf "\\tstate = running\\n\\tpid = 77\\n";; esac',
  });
  const { address } = await installService(options);
  expect(address).toMatchObject({
    manager: 'launchd',
    file: join(options.host.env.HOME as string, 'Library/LaunchAgents', `${address.name}.plist`),
  });
  expect(calls()).toEqual([`launchctl bootstrap gui/501 ${address.file}`]);
  await installService(options);
  expect(calls().slice(1)).toEqual([
    `launchctl bootout gui/501/${address.name}`,
    `launchctl bootstrap gui/501 ${address.file}`,
  ]);
  const status = await serviceStatus({
    scope: 'user',
    projectDir: options.config.projectDir,
    host: options.host,
  });
  expect(status.state).toEqual({ at: 'running', pid: 77 });
  await uninstallService(options);
  expect(existsSync(address.file)).toBe(false);
});
