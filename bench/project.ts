/** Projects and daemons for benchmarks, in a folder of their own that is removed afterwards. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const launcher = join(import.meta.dirname, '../bin/sluice.js');

export interface BenchProject extends Disposable {
  readonly dir: string;
  readonly inbox: string;
}

export function benchProject(config: string): BenchProject {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  mkdirSync(join(dir, 'config'));
  mkdirSync(join(dir, 'inbox'));
  writeFileSync(join(dir, 'config/orchestrator.yaml'), `version: 1\n${config}`);
  return {
    dir,
    inbox: join(dir, 'inbox'),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export function sluice(dir: string, ...args: string[]): { ms: number; stdout: string } {
  const started = performance.now();
  const { stdout, stderr, status } = spawnSync(process.execPath, [launcher, ...args], {
    cwd: dir,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`sluice ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
  return { ms: performance.now() - started, stdout };
}

export interface BenchDaemon extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Milliseconds from the start of the process until it watched, and until the first sweep had ended. */
  readonly watchingMs: number;
  readonly sweptMs: number;
}

/** @param env Default: that of this process. */
export async function startDaemon(dir: string, env = process.env): Promise<BenchDaemon> {
  const started = performance.now();
  const child = spawn(process.execPath, [launcher, 'start'], {
    cwd: dir,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const watching = Promise.withResolvers<number>();
  const swept = Promise.withResolvers<number>();
  createInterface({ input: child.stderr }).on('line', (text) => {
    if (text.includes('"watching ')) watching.resolve(performance.now() - started);
    if (text.includes('first sweep')) swept.resolve(performance.now() - started);
  });
  const [watchingMs, sweptMs] = await Promise.all([watching.promise, swept.promise]);
  return {
    child,
    watchingMs,
    sweptMs,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** `files` small files, a hundred to a folder. */
export function makeFiles(dir: string, files: number, prefix = 'f'): void {
  for (let n = 0; n < files; n += 1) {
    const folder = join(dir, `${prefix}${Math.floor(n / 10_000)}`, `d${Math.floor(n / 100) % 100}`);
    if (n % 100 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${prefix}${n}.txt`), `file ${n}\n`.repeat(40));
  }
}
