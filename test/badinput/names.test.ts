/**
 * A file name is data. Each of these names goes through the watcher (or a scan), a command with argv and environment,
 * the results, the overview, `why`, `files` and `jobs`, and comes out as the bytes it was; none is ever run.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { WhyReport } from '../../src/operations/why.ts';
import { pathFromBytes, pathToBytes } from '../../src/types/path-bytes.ts';
import { makeProject, type Project } from '../daemon/project.ts';
import { allReceipts, ended, jobsOf, receiptFiles } from './rig.ts';

const bytes = (...parts: (string | number)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));

const odd: readonly Buffer[] = [
  bytes('with spaces, and a trailing one '),
  bytes(' '),
  bytes('it\'s "quoted".txt'),
  bytes('new\nline.txt'),
  bytes('tab\tand\u0001bell\u0007'),
  bytes('$(touch pwned).txt'),
  bytes('`touch pwned`'),
  bytes('; touch pwned; #'),
  bytes('a|touch pwned&'),
  bytes('${{ file.path }}'),
  bytes('${HOME}%41*?[a]{b,c}!'),
  bytes('-rf'),
  bytes('--help'),
  bytes('-'),
  bytes('\u202egpj.exe'),
  bytes('שלום.txt'),
  bytes('caf\u00e9'),
  bytes('cafe\u0301'),
  bytes('👩‍👩‍👧‍👦'),
  bytes('a'.repeat(255)),
  bytes('漢'.repeat(85)),
  bytes('latin', 0xe9, '.txt'),
  bytes(0xff, 0xfe, 0x80),
  bytes('half a character ', 0xe6, 0xbc),
  bytes('private \uef80 use'),
  bytes('...'),
  bytes('....'),
  bytes('back\\slash'),
  bytes('<script>alert(1)</script>'),
  bytes('&amp;"\'>'),
  bytes('result.md'),
  bytes('receipt.json'),
  bytes('outputs'),
  bytes('.hidden'),
  bytes('folder $(touch pwned)/-x/...', '/`deep`\n', 0xff, '/file'),
];

/** Proves that argument, environment and list name the file byte for byte, then gives its content and a copy of it. */
const agent = `set -eu
test "$1" = "$SLUICE_FILE"
test "$1" = "$SLUICE_ROOT/$2"
printf '%s\\0' "$1" | cmp -s - "$SLUICE_FILES"
case "$2" in */*) ;; *) test "$2" = "$3";; esac
cp -- "$1" "$SLUICE_OUTPUT_DIR/"
cat "$1"
`;

const config = `
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command: [sh, agent.sh, "\${{ file.path }}", "\${{ file.rel }}", "\${{ file.name }}"]
    retry: { attempts: 1 }
daemon: { min_free_disk: 1MiB }
`;

const contentOf = (name: Buffer): string => `I am ${name.toString('hex')}`;

function drop(project: Project, names: readonly Buffer[]): void {
  for (const name of names) {
    const file = Buffer.concat([Buffer.from(`${project.inbox}/`), name]);
    const cut = file.lastIndexOf(0x2f);
    mkdirSync(file.subarray(0, cut), { recursive: true });
    writeFileSync(file, contentOf(name));
  }
}

function checkResults(project: Project): void {
  const receipts = new Map(
    allReceipts(project).map((receipt) => [pathToBytes(receipt.input.path).toString('hex'), receipt]),
  );
  const wrong = odd.filter((name) => receipts.get(name.toString('hex'))?.state !== 'succeeded');
  expect(wrong.map((name) => [name.toString('latin1'), receipts.get(name.toString('hex'))?.message])).toEqual(
    [],
  );
  expect(receipts.size).toBe(odd.length);
  const results = receiptFiles(project).map((file) => {
    const receipt = JSON.parse(readFileSync(file, 'utf8')) as { outputs: unknown[] };
    expect(receipt.outputs).toHaveLength(1);
    return readFileSync(join(file, '../result.md'), 'utf8');
  });
  expect(results.toSorted()).toEqual(odd.map(contentOf).toSorted());
  expect(globSync('**/pwned*', { cwd: project.dir })).toEqual([]);
  expect(existsSync('pwned')).toBe(false);
  const page = readFileSync(join(project.dir, 'processed/index.html'), 'utf8');
  expect(page).not.toContain('<script>alert');
  expect(page).not.toContain('\u202e');
}

test('odd names dropped under a running daemon: each is processed as the bytes it is', async () => {
  const project = makeProject(config);
  project.write('agent.sh', agent);
  drop(project, odd.slice(0, 5));
  const daemon = await project.start();
  drop(project, odd.slice(5));
  const paths = odd.map((name) => pathFromBytes(name)).toSorted();
  const files = await ended(project, odd.length);
  expect([...files.keys()].toSorted()).toEqual(paths);
  expect(new Set([...files.values()].map(({ disposition }) => disposition))).toEqual(new Set(['processed']));
  expect((await jobsOf(project)).map(({ input }) => input.path).toSorted()).toEqual(paths);
  for (const path of paths) {
    const why = await project.client.get<WhyReport>('/api/why', { path: join(project.inbox, path) });
    expect([why.path, why.rule, why.job?.state]).toEqual([path, 'all', 'succeeded']);
  }
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
  checkResults(project);
});

test('odd names in one run, named on the command line, and once more unchanged', async () => {
  const project = makeProject(config);
  project.write('agent.sh', agent);
  drop(project, odd);
  const some = odd.filter((name) => pathFromBytes(name) === name.toString()).map((name) => name.toString());
  const named = some.slice(0, 12).map((name) => join('inbox', name));
  const first = await project.sluice('run', '--json', ...named);
  expect([first.code, JSON.parse(first.stdout).files.succeeded]).toEqual([0, 12]);
  const all = await project.sluice('run', '--json');
  expect([all.code, JSON.parse(all.stdout).files.succeeded]).toEqual([0, odd.length - 12]);
  checkResults(project);
  const again = await project.sluice('run', '--json');
  expect([again.code, JSON.parse(again.stdout).files.unchanged]).toEqual([0, odd.length]);
});

test.skipIf(process.platform !== 'linux')('a name that is no text can be typed', async () => {
  const project = makeProject(config);
  project.write('agent.sh', agent);
  const name = bytes('latin', 0xe9, '.txt');
  drop(project, [name]);
  const launcher = join(import.meta.dirname, '../../bin/sluice.js');
  const typed = `exec "$0" "$1" "$2" "inbox/$(printf 'latin\\351.txt')"`;
  const call = (command: string): string =>
    execFileSync('sh', ['-c', typed, process.execPath, launcher, command], {
      cwd: project.dir,
      encoding: 'utf8',
    });
  expect(call('run')).toContain('1 succeeded');
  expect(call('why')).toContain('inbox/latin\\xe9.txt');
});

test('a printed listing moves nobody’s cursor', async () => {
  const project = makeProject(config);
  project.write('agent.sh', 'exit 1');
  drop(project, [bytes('x\r\u001b[2Jy'), bytes('\u202egpj.exe')]);
  const { code, stdout, stderr } = await project.sluice('run');
  expect(code).toBe(1);
  for (const forbidden of ['\r', '\u001b', '\u202e']) expect(stdout + stderr).not.toContain(forbidden);
});
