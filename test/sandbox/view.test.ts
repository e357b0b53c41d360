/** What a confined command sees, may write and reaches: with the real bubblewrap, as root and as an ordinary user. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fsPath } from '../../src/types/path-bytes.ts';
import { confined, confinedOne, noSandbox, tree, users } from './rig.ts';

describe.skipIf(noSandbox !== undefined)(`with bubblewrap (${noSandbox ?? 'works here'})`, () => {
  const project = {
    'project/inbox/a.txt': 'input',
    'project/inbox/b.txt': 'other input',
    'project/tool.sh': '#!/bin/sh\necho tool\n',
    'project/.sluice/token': 'token',
    'project/.sluice/work/other/1/outputs/x': 'of another job',
    'project/processed/old.md': 'old result',
    'home/.ssh/id': 'private key',
    'home/notes.txt': 'private notes',
  };

  for (const user of users) {
    test(`${user}: destroying everything in reach destroys nothing of ours`, () => {
      const dir = tree(project);
      const script = `rm -rf "$HOME"/* "$HOME"/.[!.]* ${dir}/project ${dir} ${dir}/.. /etc /usr/bin 2>/dev/null
        find /tmp /home /root /etc -delete 2>/dev/null; : > ${dir}/project/inbox/a.txt; echo x > /etc/x; echo done > "$SLUICE_OUTPUT_DIR/mine"`;
      const work = confinedOne({ dir, user }, `echo kept > "$SLUICE_OUTPUT_DIR/a"; (${script}); true`);
      expect(work.code).toBe(0);
      for (const [path, content] of Object.entries(project))
        expect(readFileSync(join(dir, path), 'utf8'), path).toBe(content);
      expect(existsSync('/etc/x')).toBe(false);
    });

    test.each(['home', 'project'])(
      `${user}: what a program keeps for itself, with its home in the %s`,
      (where) => {
        const dir = tree({ ...project, [`${where}/.tool/settings`]: 'set', [`${where}/.tool/rules/`]: '' });
        const home = join(dir, where);
        const tool = join(home, '.tool');
        writeFileSync(join(tool, 'key'), 'key', { mode: 0o600 });
        const [all, settings, rules] = confined(
          {
            ...{ dir, user, home, rootDirs: [join(dir, 'project/inbox')] },
            ...{ ownPlaces: [tool], ownProtected: [join(tool, 'settings'), join(tool, 'rules')] },
          },
          [
            `cat ${tool}/key && echo new > ${tool}/key && echo more > ${tool}/session && cat ${tool}/settings`,
            `echo changed > ${tool}/settings`,
            `rm -r ${tool}/rules || echo own > ${tool}/rules/own`,
          ],
        );
        expect(all).toMatchObject({ code: 0, stdout: 'keyset' });
        expect(settings?.code).not.toBe(0);
        expect(rules?.code).not.toBe(0);
        expect(readFileSync(join(tool, 'key'), 'utf8')).toBe('new\n');
        expect(readFileSync(join(tool, 'settings'), 'utf8')).toBe('set');
        expect(existsSync(join(tool, 'rules/own'))).toBe(false);
      },
    );

    test(`${user}: what can be read and what cannot`, () => {
      const dir = tree(project);
      writeFileSync(join(dir, 'project/.env'), 'KEY=1', { mode: 0o600 });
      writeFileSync(join(dir, 'project/inbox/own.txt'), 'own', { mode: 0o600 });
      writeFileSync(join(dir, 'project/inbox/neighbour.txt'), 'neighbour', { mode: 0o600 });
      mkdirSync(join(dir, 'other/.sluice'), { recursive: true });
      writeFileSync(join(dir, 'other/.sluice/token'), 'another project');
      const rootDirs = [join(dir, 'project/inbox'), join(dir, 'other')];
      const inputs = [join(dir, 'project/inbox/own.txt')];
      const read = (path: string) => `cat ${path} 2>&1 || true`;
      const [a, own, neighbour, env, token, job, key, notes, otherToken, passwd, homes, run] = confined(
        { dir, user, rootDirs, inputs },
        [
          ...[
            'project/inbox/a.txt',
            'project/inbox/own.txt',
            'project/inbox/neighbour.txt',
            'project/.env',
          ].map((p) => read(join(dir, p))),
          ...[
            'project/.sluice/token',
            'project/.sluice/work/other/1/outputs/x',
            'home/.ssh/id',
            'home/notes.txt',
          ].map((p) => read(join(dir, p))),
          read(join(dir, 'other/.sluice/token')),
          read('/etc/passwd | head -1'),
          'ls -A /home /root 2>/dev/null | grep -v : || true',
          'ls -A /run',
        ],
      ).map(({ stdout }) => stdout);
      expect(a).toBe('input');
      expect(own).toBe('own');
      for (const refused of [neighbour, env]) expect(refused).toMatch(/Permission denied/);
      for (const gone of [token, job, key, notes, otherToken]) expect(gone).toMatch(/No such file/);
      expect(passwd).toMatch(/^root:/);
      expect(homes?.trim()).toBe('');
      expect(run?.trim()).toMatch(/^(systemd|)$/);
    });

    test(`${user}: only the job's folder can be written, home and /tmp are its own`, () => {
      const dir = tree(project);
      const targets = [
        'project/x',
        'project/inbox/x',
        'project/inbox/a.txt',
        'project/processed/old.md',
        'project/.sluice/x',
      ];
      const ran = confined({ dir, user }, [
        ...targets.map((path) => `echo x > ${join(dir, path)}`),
        'echo x > /etc/sluice-was-here',
        'echo x > /usr/bin/sluice-was-here',
        'echo kept > "$SLUICE_OUTPUT_DIR/r" && echo a > "$HOME/a" && echo b > "$TMPDIR/b" && echo c > /var/tmp/c && cat "$HOME/a" "$TMPDIR/b"',
        'ls -A "$HOME"',
      ]);
      for (const refused of ran.slice(0, -2)) {
        expect(refused.code).not.toBe(0);
        expect(refused.stderr).toMatch(/Read-only file system/);
      }
      const [works, later] = ran.slice(-2);
      expect(works).toMatchObject({ code: 0, stdout: 'a\nb\n' });
      expect(readFileSync(join(works?.workDir ?? '', 'outputs/r'), 'utf8')).toBe('kept\n');
      expect(later?.stdout).toBe('');
      expect(existsSync(join(dir, 'home/a'))).toBe(false);
    });

    test(`${user}: write opens what it names, but never what is ours`, () => {
      const dir = tree({
        ...project,
        'project/.git/hooks/pre-commit': 'hook',
        'project/config/c.yaml': 'version: 1',
      });
      const protectedPaths = [join(dir, 'project/processed'), join(dir, 'project/config/c.yaml')];
      const write = ['project', join(dir, 'elsewhere')];
      const write1 = (path: string) => `echo x > ${join(dir, path)}`;
      const [file, inbox, out, ...refused] = confined({ dir, user, protectedPaths, sandbox: { write } }, [
        write1('project/new.txt'),
        write1('project/inbox/a.txt'),
        write1('elsewhere/new.txt'),
        ...[
          'project/processed/old.md',
          'project/config/c.yaml',
          'project/.git/hooks/pre-commit',
          'project/.sluice/token',
        ].map(write1),
      ]);
      for (const allowed of [file, inbox, out]) expect(allowed).toMatchObject({ code: 0 });
      for (const ran of refused) expect(ran.stderr).toMatch(/Read-only file system/);
      expect(readFileSync(join(dir, 'elsewhere/new.txt'), 'utf8')).toBe('x\n');
      expect(readFileSync(join(dir, 'project/.sluice/token'), 'utf8')).toBe('token');
    });

    test(`${user}: what is protected cannot be moved out of the way with the folder that it lies in`, () => {
      const dir = tree({
        'project/inbox/a.txt': 'input',
        'project/.git/HEAD': 'ref: refs/heads/main',
        'project/.git/config': 'git',
        'project/.git/modules/lib/one/HEAD': 'ref: refs/heads/main',
        'project/.git/modules/lib/one/config': 'git of the submodule',
        'project/config/deep/c.yaml': 'version: 1',
        'project/made/': '',
      });
      const at = (path: string) => join(dir, 'project', path);
      const swap = (folder: string, file: string) =>
        `cd ${dir}/project; mv ${folder} ${folder}.away && mkdir -p ${folder} && echo x > ${file}`;
      const [made, ...refused] = confined(
        { dir, user, protectedPaths: [at('config/deep/c.yaml')], sandbox: { write: ['project'] } },
        [
          `mv ${at('made')} ${at('moved')} && echo ref > ${at('.git/HEAD')} && echo x > ${at('config/deep/new')}`,
          swap('config', 'config/deep/c.yaml'),
          swap('config/deep', 'config/deep/c.yaml'),
          swap('.git', '.git/config'),
          swap('.git/modules', '.git/modules/lib/one/config'),
          `echo x > ${at('.git/hooks/post-checkout')}`,
        ],
      );
      expect(made).toMatchObject({ code: 0, stderr: '' });
      for (const ran of refused) expect(ran.stderr).toMatch(/busy|Read-only file system/);
      expect(readFileSync(at('config/deep/c.yaml'), 'utf8')).toBe('version: 1');
      expect(readFileSync(at('.git/config'), 'utf8')).toBe('git');
      expect(readFileSync(at('.git/modules/lib/one/config'), 'utf8')).toBe('git of the submodule');
      expect(existsSync(at('.git/hooks/post-checkout'))).toBe(false);
    });

    test(`${user}: what can only be protected at the end of a link, which could be replaced, is refused`, () => {
      const dir = tree({ ...project, 'home/.tool/session': '', 'home/dotfiles/settings': 'set' });
      const settings = join(dir, 'home/.tool/settings');
      symlinkSync('../dotfiles/settings', settings);
      const ownPlaces = [join(dir, 'home/.tool')];
      const ran = confinedOne({ dir, user, ownPlaces, ownProtected: [settings] }, `rm ${settings}`);
      expect(ran.code).toBeNull();
      expect(ran.stderr).toContain(`"${settings}" is a symbolic link`);
      const outside = { ownPlaces: [join(dir, 'project/inbox')], ownProtected: [settings] };
      expect(confinedOne({ dir, user, ...outside }, `cat ${settings}`)).toMatchObject({ stdout: 'set' });
    });

    test(`${user}: no other process is there, and no right to become more`, () => {
      const dir = tree(project);
      const [seen, outside, rights] = confined({ dir, user }, [
        'ls /proc | grep -c "^[0-9]"',
        'ls -d "/proc/$OUTSIDE/cwd"',
        'grep -E "^Cap(Eff|Prm|Bnd)" /proc/self/status',
      ]);
      expect(Number(seen?.stdout)).toBeLessThan(8);
      expect(outside?.code).not.toBe(0);
      for (const line of rights?.stdout.trim().split('\n') ?? []) expect(line).toMatch(/\t0+$/);
    });

    test(`${user}: the network is there only where it is allowed`, async () => {
      const server = createServer((socket) => socket.end('hello'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      const { port } = server.address() as { port: number };
      const dir = tree(project);
      // The server answers from the kernel's queue: connecting is enough.
      const dial = ['bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${port} && echo connected`];
      expect(confinedOne({ dir, user }, dial)).toMatchObject({ code: 1, stdout: '' });
      const allowed = confinedOne({ dir, user, sandbox: { network: 'allow' } }, dial);
      expect(allowed).toMatchObject({ code: 0, stdout: 'connected\n' });
    });
  }

  test('a project in the home, programs in the home, a root elsewhere', () => {
    const dir = tree({
      'home/work/inbox/a.txt': 'input',
      'home/work/.sluice/token': 'token',
      'home/.ssh/id': 'key',
      'home/.nvm/versions/v1/bin/tool': '#!/bin/sh\ncat "$(dirname "$0")/../lib/part"\n',
      'home/.nvm/versions/v1/lib/part': 'part',
      'home/.local/bin/': '',
      'home/.local/share/keyring': 'ring',
      'home/.local/share/pipx/venvs/black/bin/black':
        '#!/bin/sh\ncat "$(dirname "$(readlink -f "$0")")/../part"\n',
      'home/.local/share/pipx/venvs/black/part': 'venv',
      'elsewhere/b.txt': 'b',
    });
    const home = join(dir, 'home');
    for (const file of ['.nvm/versions/v1/bin/tool', '.local/share/pipx/venvs/black/bin/black'])
      chmodSync(join(home, file), 0o755);
    symlinkSync('../share/pipx/venvs/black/bin/black', join(home, '.local/bin/black'));
    const path = `${home}/.nvm/versions/v1/bin:${home}/.local/bin:/usr/bin:/bin`;
    const rootDirs = [join(home, 'work/inbox'), join(dir, 'elsewhere')];
    const [tool, black, key, ring, token, root] = confined(
      { dir, projectDir: join(home, 'work'), rootDirs, path },
      [
        ['tool'],
        ['black'],
        ...['home/.ssh/id', 'home/.local/share/keyring', 'home/work/.sluice/token', 'elsewhere/b.txt'].map(
          (p) => ['cat', join(dir, p)] as const,
        ),
      ],
    );
    expect(tool).toMatchObject({ code: 0, stdout: 'part' });
    expect(black).toMatchObject({ code: 0, stdout: 'venv' });
    for (const gone of [key, ring, token]) expect(gone?.stderr).toMatch(/No such file/);
    expect(root).toMatchObject({ code: 0, stdout: 'b' });
  });

  test('what lies on PATH in the project is run inside, and never takes the place of bubblewrap', () => {
    const dir = tree({ 'project/inbox/a.txt': 'a', 'project/bin/': '' });
    for (const name of ['bwrap', 'tool'])
      writeFileSync(join(dir, 'project/bin', name), '#!/bin/sh\necho forged\n', { mode: 0o755 });
    const ran = confinedOne(
      { dir, path: `${dir}/project/bin:/usr/local/bin:/usr/bin:/bin` },
      'tool; ls /proc | wc -l',
    );
    expect(ran.prefix[0]).not.toContain(dir);
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/^forged\n/) });
  });

  test('a project that is the home: what begins with a dot is not the project’s', () => {
    const dir = tree({
      'home/a.txt': 'a',
      'home/inbox/': '',
      'home/.ssh/id': 'key',
      'home/.netrc': 'secret',
    });
    const home = join(dir, 'home');
    const [a, key, netrc, write] = confined({ dir, projectDir: home }, [
      ['cat', join(home, 'a.txt')],
      ['cat', join(home, '.ssh/id')],
      ['cat', join(home, '.netrc')],
      ['touch', join(home, 'b.txt')],
    ]);
    expect(a).toMatchObject({ code: 0, stdout: 'a' });
    expect(key?.stderr).toMatch(/No such file/);
    expect(netrc?.stderr).toMatch(/Permission denied/);
    expect(write?.stderr).toMatch(/Read-only/);
  });

  test('paths that lead through links', () => {
    const dir = tree({
      'real/project/a.txt': 'a',
      'real/inbox/b.txt': 'b',
      'home/.x/': '',
      'real/project/.sluice/token': 't',
    });
    symlinkSync(join(dir, 'real/project'), join(dir, 'home/project'));
    symlinkSync('../inbox', join(dir, 'real/project/inbox'));
    const projectDir = join(dir, 'home/project');
    const [a, b, token] = confined({ dir, projectDir }, [
      ['cat', join(projectDir, 'a.txt')],
      ['cat', join(projectDir, 'inbox/b.txt')],
      ['cat', join(projectDir, '.sluice/token')],
    ]);
    expect(a).toMatchObject({ code: 0, stdout: 'a' });
    expect(b).toMatchObject({ code: 0, stdout: 'b' });
    expect(token?.code).not.toBe(0);
  });

  test('a folder to write to that leads out of the project is refused', () => {
    const dir = tree({ ...project, 'victim/file': 'precious' });
    symlinkSync(join(dir, 'victim'), join(dir, 'project/out'));
    const out = confinedOne({ dir, sandbox: { write: [join(dir, 'project/out')] } }, 'echo x > out/file');
    expect(out).toMatchObject({ code: null });
    expect(out.stderr).toContain('leads to');
    const ours = confinedOne({ dir, sandbox: { write: [join(dir, 'project/.sluice/work')] } }, 'true');
    expect(ours).toMatchObject({ code: null });
    expect(readFileSync(join(dir, 'victim/file'), 'utf8')).toBe('precious');
  });

  test('a link in an output that points out stays what it is: a link to nothing that can be seen', () => {
    const dir = tree(project);
    const { stdout, workDir } = confinedOne(
      { dir },
      `cd "$SLUICE_OUTPUT_DIR"; ln -s ${dir}/home/.ssh/id key; cat key 2>&1; true`,
    );
    expect(stdout).toMatch(/No such file/);
    expect(existsSync(join(workDir, 'outputs/key'))).toBe(true);
  });

  test('names that are no text, and names full of signs', () => {
    const dir = tree(project);
    const odd = "a 'b' $(touch hacked) \\ \n -x";
    writeFileSync(join(dir, 'project/inbox', odd), 'odd', { mode: 0o600 });
    const bytes = `${dir}/project/inbox/f\uefff\uef80`;
    writeFileSync(fsPath(bytes), 'bytes', { mode: 0o600 });
    renameSync(join(dir, 'project/tool.sh'), join(dir, 'project', `${odd}.sh`));
    const [hidden, shown] = [[], [join(dir, 'project/inbox', odd)]].map((inputs) =>
      confinedOne({ dir, inputs }, `cat ${dir}/project/inbox/* 2>/dev/null; true`),
    );
    expect(hidden?.stdout).toBe('inputother input');
    expect(shown?.stdout).toContain('odd');
    expect(existsSync(join(dir, 'project/hacked'))).toBe(false);
  });

  test('very many owner-only files hide their folder, and nothing else in it', () => {
    const dir = tree({
      ...project,
      'project/inbox/public.txt': 'public',
      'project/inbox/sub/deep.txt': 'deep',
    });
    for (let n = 0; n < 150; n += 1) writeFileSync(join(dir, `project/inbox/k${n}`), 'k', { mode: 0o600 });
    const inputs = [join(dir, 'project/inbox/k7')];
    const { stdout, prefix } = confinedOne(
      { dir, inputs },
      `cd ${dir}/project/inbox; ls; cat k7 public.txt sub/deep.txt`,
    );
    expect(stdout).toBe('a.txt\nb.txt\nk7\npublic.txt\nsub\nkpublicdeep');
    expect(prefix.length).toBeLessThan(120);
  });
});
