/** The launcher in a package of its own, whose program says what it sees, run by this machine's old Node and by ours. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';

const repository = join(import.meta.dirname, '..', '..');
const base = mkdtempSync(join(tmpdir(), 'sluice-launcher-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const program = `
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
const [action, ...rest] = process.argv.slice(2);
if (action === 'report') {
  console.log(JSON.stringify({ pid: process.pid, version: process.version, rest, odd: process.env.ODD, exec: process.execArgv }));
  process.exitCode = Number(rest[0] ?? 0);
} else if (action === 'bytes') {
  console.log(JSON.stringify(readFileSync('/proc/self/cmdline', 'latin1').split('\\0').slice(-4)));
} else if (action === 'echo') {
  process.stdout.write(await text(process.stdin));
  process.stderr.write('to stderr');
} else if (action === 'wait') {
  const timer = setInterval(() => {}, 1000);
  process.on('SIGTERM', () => { console.log('term'); clearInterval(timer); process.exitCode = 5; });
  console.log('ready');
}
`;

interface Parts {
  readonly dist?: boolean;
  readonly node?: boolean;
  readonly koffi?: boolean;
}

/** A package folder as npm leaves it, with the launcher under test. */
function packageWith({ dist = true, node = true, koffi = true }: Parts): string {
  const dir = mkdtempSync(join(base, 'package '));
  mkdirSync(join(dir, 'bin'));
  mkdirSync(join(dir, 'node_modules'));
  cpSync(join(repository, 'bin', 'sluice.js'), join(dir, 'bin', 'sluice.js'));
  writeFileSync(join(dir, 'package.json'), '{"name":"sluice","type":"module"}');
  if (dist) {
    mkdirSync(join(dir, 'dist', 'cli'), { recursive: true });
    writeFileSync(join(dir, 'dist', 'cli', 'main.js'), program);
  }
  if (node) symlinkSync(join(repository, 'node_modules', 'node'), join(dir, 'node_modules', 'node'));
  if (koffi) symlinkSync(join(repository, 'node_modules', 'koffi'), join(dir, 'node_modules', 'koffi'));
  return dir;
}

function launch(node: string, dir: string, args: readonly string[]): ChildProcess {
  const env = {
    ...process.env,
    HOME: base,
    XDG_CACHE_HOME: join(base, 'cache'),
    ODD: 'ä = "b"\n$c',
    NODE_OPTIONS: '',
  };
  return spawn(node, [join(dir, 'bin', 'sluice.js'), ...args], { env, stdio: 'pipe', timeout: 20_000 });
}

async function run(node: string, dir: string, args: readonly string[], input = '') {
  const child = launch(node, dir, args);
  child.stdin?.end(input);
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    once(child, 'exit'),
  ]);
  return { pid: child.pid, stdout, stderr, code, signal };
}

const ours = process.execPath;
const systemNode = '/usr/bin/node';
const major = (node: string) =>
  Number.parseInt(execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }), 10);
const old = existsSync(systemNode) && major(systemNode) < 24 ? systemNode : undefined;

const cases = [
  { name: 'Node 24', node: ours, koffi: true, samePid: true },
  { name: 'an older Node that becomes ours', node: old, koffi: true, samePid: true },
  { name: 'an older Node without FFI, which starts ours', node: old, koffi: false, samePid: false },
];

for (const { name, node, koffi, samePid } of cases) {
  // Where /usr/bin/node is absent or new enough there is no older Node to try.
  describe.skipIf(node === undefined)(name, () => {
    const run_ = (args: readonly string[], input?: string) =>
      run(node as string, packageWith({ koffi }), args, input);

    test('runs the program with the same pid, arguments, environment and exit code', async () => {
      const odd = ['7', 'a b', '', '-x', '$(id)', '"q"', "it's", 'ü😀', 'a\nb', '*'];
      const result = await run_(['report', ...odd]);
      const seen = JSON.parse(result.stdout);
      expect(seen.rest).toEqual(odd);
      expect(seen.odd).toBe('ä = "b"\n$c');
      expect(Number.parseInt(seen.version.slice(1), 10)).toBeGreaterThanOrEqual(24);
      expect(seen.pid === result.pid).toBe(samePid);
      expect([result.code, result.stderr]).toEqual([7, '']);
    });

    // Where nothing can replace the process, a child gets what Node made of them.
    if (koffi && process.platform === 'linux')
      test('hands on arguments that are no UTF-8', () => {
        const words = ['-c', 'exec "$0" "$1" bytes "caf$(printf \'\\351\')" "ü"'];
        const script = join(packageWith({ koffi }), 'bin', 'sluice.js');
        const seen = execFileSync('sh', [...words, node as string, script], { encoding: 'utf8' });
        expect(JSON.parse(seen)).toEqual(['bytes', 'caf\u00e9', 'Ã¼', '']);
      });

    test('leaves stdin, stdout and stderr as they are', async () => {
      const input = 'line\n'.repeat(50_000);
      const result = await run_(['echo'], input);
      expect(result.stdout === input).toBe(true);
      expect([result.stderr, result.code]).toEqual(['to stderr', 0]);
    });

    test('lets signals reach the program', async () => {
      const child = launch(node as string, packageWith({ koffi }), ['wait']);
      let stdout = '';
      for await (const chunk of child.stdout as NodeJS.ReadableStream) {
        stdout += chunk;
        if (stdout === 'ready\n') child.kill('SIGTERM');
      }
      expect(stdout).toBe('ready\nterm\n');
      if (child.exitCode === null) await once(child, 'exit');
      expect([child.exitCode, child.signalCode]).toEqual([5, null]);
    });
  });
}

test.skipIf(old === undefined)('without a suitable Node it says what to install and exits 2', async () => {
  const result = await run(old as string, packageWith({ node: false }), ['report']);
  expect([result.code, result.stdout]).toEqual([2, '']);
  expect(result.stderr).toMatch(/needs Node 24 or newer; this is v\d+.*\n {2}fix: run `npm install node@24`/);
});

for (const node of [ours, old]) {
  test.skipIf(node === undefined)(`without a build it says so and exits 2 (${node})`, async () => {
    const result = await run(node as string, packageWith({ dist: false }), ['report']);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/not built yet.*\n {2}fix: run `npm run build`/);
  });
}
