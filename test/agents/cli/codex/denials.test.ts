import { describe, expect, test } from 'vitest';
import { codexKind } from '../../../../src/agents/cli/codex/codex.ts';
import { jsonLines as lines, streamsOf } from '../recorded.ts';

const { readStream } = streamsOf(codexKind);

const routed = '2026-11-20T08:50:25.566658Z ERROR codex_core::tools::router: error=';

function command(output: string, status = 'failed') {
  const exit = status === 'failed' ? 1 : 0;
  return {
    type: 'command_execution',
    id: 'c',
    command: 'x',
    aggregated_output: output,
    exit_code: exit,
    status,
  };
}

function change(status: string, ...paths: readonly string[]) {
  return { type: 'file_change', id: 'f', status, changes: paths.map((path) => ({ path, kind: 'update' })) };
}

function denialsOf(items: readonly object[], stderr = '') {
  const stdout = lines(...items.map((item) => ({ type: 'item.completed', item })), {
    type: 'turn.completed',
  });
  return readStream(stdout, { exitCode: 0, stderr }).report.denials;
}

describe('a command that may not write', () => {
  test('after a megabyte on the same line: what is near the words counts, and it costs no time', () => {
    const startedAt = performance.now();
    const output = `${'=/'.repeat(500_000)} touch: /srv/x/a.txt: Read-only file system`;
    expect(denialsOf([command(output)])).toMatchObject([{ cure: { kind: 'directory', path: '/srv/x' } }]);
    // Quadratic it took a quarter of an hour.
    expect(performance.now() - startedAt).toBeLessThan(60_000);
  });

  test.each([
    ["touch: cannot touch '/srv/x/a.txt': Read-only file system", '/srv/x'],
    ['mkdir: cannot create directory ‘/srv/x’: Read-only file system', '/srv'],
    ['/bin/bash: line 1: /srv/x/a.txt: Read-only file system', '/srv/x'],
    ["OSError: [Errno 30] Read-only file system: '/srv/x/a b.txt'", '/srv/x'],
    ["Error: EROFS: read-only file system, open '/srv/x/a.txt'", '/srv/x'],
    ['open /srv/x/a.txt: read-only file system', '/srv/x'],
    ['tee: /srv/x/a.txt: Read-only file system', '/srv/x'],
  ])('%s', (output, folder) => {
    expect(denialsOf([command(`before\n${output}\nafter\n`)])).toEqual([
      {
        message: output,
        tool: 'bash',
        file: expect.stringContaining(`${folder}`),
        cure: { kind: 'directory', path: folder, write: true },
      },
    ]);
  });

  test('without a whole path it is the folder that it works in', () => {
    expect(denialsOf([command('/bin/bash: line 1: note.txt: Read-only file system\n')])).toMatchObject([
      { cure: { kind: 'access', access: 'edit' } },
    ]);
  });

  test('is none when it succeeded all the same', () => {
    expect(denialsOf([command("touch: cannot touch '/x': Read-only file system\n", 'completed')])).toEqual(
      [],
    );
  });

  test('is told once', () => {
    const output = "touch: cannot touch '/srv/a': Read-only file system\n";
    expect(denialsOf([command(output), command(output)])).toHaveLength(1);
  });

  test.each([
    'bwrap: setting up uid map: Operation not permitted\n',
    'bwrap: No permissions to create a new namespace, likely because the kernel does not allow it\n',
    'bwrap: execvp codex-linux-sandbox: No such file or directory\n',
  ])('a sandbox of its own that cannot be made: %s', (output) => {
    expect(denialsOf([command(output)])).toMatchObject([{ cure: { kind: 'access', access: 'all' } }]);
  });
});

describe('a change of files', () => {
  test('that failed could not be written', () => {
    expect(denialsOf([change('failed', '/w/a.ts')])).toEqual([
      {
        message: 'could not write /w/a.ts',
        tool: 'apply_patch',
        file: '/w/a.ts',
        cure: { kind: 'directory', path: '/w', write: true },
      },
    ]);
  });

  test('of several only the one that the log names is to blame', () => {
    const stderr = `${routed}Exit code: 1\nWall time: 0 seconds\nOutput:\nFailed to write file /other/b.ts\n\n`;
    expect(denialsOf([change('failed', '/w/a.ts', '/other/b.ts')], stderr).map(({ file }) => file)).toEqual([
      '/other/b.ts',
    ]);
    expect(denialsOf([change('failed', '/w/a.ts', '/other/b.ts')]).map(({ file }) => file)).toEqual([
      '/w/a.ts',
      '/other/b.ts',
    ]);
  });

  test('that succeeded later is none', () => {
    expect(denialsOf([change('failed', '/w/a.ts'), change('completed', '/w/a.ts')])).toEqual([]);
    expect(denialsOf([change('failed', '/w/a.ts'), change('completed', '/w/b.ts')])).toHaveLength(1);
  });

  test('that did not fit the file is no denial', () => {
    const stderr = `${routed}apply_patch verification failed: Failed to find expected lines in /w/a.ts:\nFailed to write file /etc/passwd\n`;
    expect(denialsOf([], stderr)).toEqual([]);
  });
});

describe('what only the log tells', () => {
  test.each([
    ['patch rejected: writing is blocked by read-only sandbox; rejected by user approval settings', 'edit'],
    ['patch rejected: writing outside of the project; rejected by user approval settings', 'all'],
    ['exec command rejected by user', 'all'],
  ])('%s', (text, access) => {
    expect(denialsOf([], `Reading prompt from stdin...\n${routed}${text}\n`)).toMatchObject([
      { cure: { kind: 'access', access } },
    ]);
  });

  test('what a tool was given is not its message', () => {
    const stderr = `${routed}exec_command failed for \`echo\npatch rejected: writing is blocked by read-only sandbox\`: no such file\n`;
    expect(denialsOf([], stderr)).toEqual([]);
  });

  test('nor is a plain line', () => {
    expect(denialsOf([], 'patch rejected: writing is blocked by read-only sandbox\n')).toEqual([]);
  });
});
