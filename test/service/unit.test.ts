import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { formatPlist, plistTemplate } from '../../src/service/plist.ts';
import { formatUnit, type UnitOptions, unitTemplate } from '../../src/service/unit.ts';

const dir = mkdtempSync(join(tmpdir(), 'sluice-unit-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const odd = `/srv/a b/100%n/it's "q"/$HOME/back\\slash/ü`;
const options: UnitOptions = {
  scope: 'system',
  node: process.execPath,
  script: '/opt/sluice/bin/sluice.js',
  projectDir: '/srv/project',
  configFile: '/srv/project/config/orchestrator.yaml',
  user: 'daemon',
  path: '/usr/bin:/bin',
};

/** Independent of where these tests run. */
const installed: UnitOptions = { ...options, node: '/usr/bin/node' };

test('paths with signs that systemd reads keep their meaning', () => {
  const unit = formatUnit({
    ...options,
    projectDir: odd,
    configFile: `${odd}/c.yaml`,
    script: `${odd}/s.js`,
    path: `/x y:${odd}`,
  });
  const quoted = `/srv/a b/100%%n/it's \\"q\\"/$HOME/back\\\\slash/ü`;
  expect(unit).toContain(`WorkingDirectory=/srv/a b/100%%n/it's "q"/$HOME/back\\slash/ü\n`);
  expect(unit).toContain(`ReadWritePaths="${quoted}"\n`);
  expect(unit).toContain(`RequiresMountsFor="${quoted}"\n`);
  expect(unit).toContain(`Environment="PATH=/x y:${quoted}"\n`);
  expect(unit).toContain(
    ` "${quoted.replace('$', '$$$$')}/s.js" start --config "${quoted.replace('$', '$$$$')}/c.yaml"\n`,
  );
});

test.each(['/srv/a\nb', '/srv/a ', '/srv/a\\'])(
  'a folder that a unit can not name is refused: %j',
  (projectDir) => {
    expect(() => formatUnit({ ...options, projectDir })).toThrow(/systemd unit can not express/);
  },
);

test('only the project is writable, and what was asked for', () => {
  const options = installed;
  expect(formatUnit(options).match(/^ReadWritePaths=.*$/gm)).toEqual(['ReadWritePaths="/srv/project"']);
  expect(formatUnit({ ...options, writable: ['/data/out'] })).toContain(
    'ReadWritePaths="/srv/project" "-/data/out"\n',
  );
});

test('a project in /tmp is not hidden by a private /tmp', () => {
  const options = installed;
  expect(formatUnit(options)).toContain('PrivateTmp=yes');
  expect(formatUnit({ ...options, readable: ['/tmp/inbox'] })).not.toContain('PrivateTmp');
  expect(formatUnit({ ...options, readable: ['/tmpfiles'] })).toContain('PrivateTmp=yes');
});

test("a user's unit holds nothing that needs privileges", () => {
  const unit = formatUnit({ ...options, scope: 'user' });
  expect(unit).not.toMatch(/^(User|ProtectSystem|ProtectHome|CapabilityBoundingSet|PrivateDevices)=/m);
  expect(unit).toContain('WantedBy=default.target');
});

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
// Without systemd-analyze there is nobody to judge the unit.
describe.skipIf(!hasAnalyze)('systemd-analyze', () => {
  const write = (name: string, text: string): string => {
    const file = join(dir, name);
    writeFileSync(file, text);
    return file;
  };
  const verify = (file: string, ...flags: string[]) =>
    spawnSync('systemd-analyze', [...flags, 'verify', file], {
      encoding: 'utf8',
      env: { ...process.env, XDG_RUNTIME_DIR: dir },
    });

  test.each([
    ['plain', options],
    [
      'odd',
      { ...options, projectDir: odd, configFile: `${odd}/c.yaml`, script: `${odd}/s.js`, writable: [odd] },
    ],
  ])('finds nothing to say about the system unit: %s', (name, given) => {
    const { status, stderr } = verify(write(`sluice-${name}.service`, formatUnit(given)));
    expect([status, stderr]).toEqual([0, '']);
  });

  test("finds nothing to say about the user's unit", () => {
    const { status, stderr } = verify(
      write('sluice-user.service', formatUnit({ ...options, scope: 'user' })),
      '--user',
    );
    expect([status, stderr]).toEqual([0, '']);
  });

  test('grades the exposure of the system unit at 3.5 or less', () => {
    const file = write('sluice-graded.service', formatUnit(options));
    const graded = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], {
      encoding: 'utf8',
    });
    expect(Number(/exposure level for .*: ([\d.]+)/.exec(graded)?.[1])).toBeLessThanOrEqual(3.5);
  });
});

describe('the launchd agent', () => {
  test('is XML that says what was given', () => {
    const file = join(dir, 'a.plist');
    const given = {
      label: 'sluice.x',
      node: '/n',
      script: '/s',
      projectDir: `/a & b/<c>/"d"/it's`,
      configFile: '/a & b/c.yaml',
      path: '/usr/bin',
      logFile: '/l<og>',
    };
    writeFileSync(file, formatPlist(given));
    const read = JSON.parse(
      execFileSync(
        'python3',
        ['-c', 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))', file],
        { encoding: 'utf8' },
      ),
    );
    expect(read).toMatchObject({
      Label: 'sluice.x',
      ProgramArguments: ['/n', '/s', 'start', '--config', given.configFile],
      WorkingDirectory: given.projectDir,
      EnvironmentVariables: { PATH: '/usr/bin' },
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 10,
      ExitTimeOut: 90,
      ProcessType: 'Background',
      Umask: 0o077,
      StandardOutPath: given.logFile,
      StandardErrorPath: given.logFile,
    });
  });
});

// Written anew with SLUICE_UPDATE_TEMPLATES=1.
test.each([
  ['systemd/sluice.service', unitTemplate()],
  ['launchd/sluice.project.plist', plistTemplate()],
])('the copy for packagers is fresh: %s', (path, text) => {
  const file = join(import.meta.dirname, '..', '..', path);
  if (process.env.SLUICE_UPDATE_TEMPLATES) {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
  }
  expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(text);
});
