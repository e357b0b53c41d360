/** The built program as people call it: a process of its own in a project of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const launcher = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Project {
  readonly dir: string;
  /** Of the commands, in place of the test's own. */
  env: NodeJS.ProcessEnv = {};

  /** @param below Where it lies in a folder that is the test's own; default: it is that folder. */
  constructor(files: Readonly<Record<string, string>> = {}, below = '') {
    const own = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-cli-')));
    onTestFinished(() => rmSync(own, { recursive: true, force: true }));
    this.dir = join(own, below);
    mkdirSync(this.dir, { recursive: true });
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  write(path: string, text: string): void {
    const file = join(this.dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** Runs a command to its end. */
  async call(...args: string[]): Promise<Ended> {
    return ended(this.spawn(...args));
  }

  /** Runs a command that must exit 0, and gives its stdout as JSON. */
  async json<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.call(...args, '--json');
    if (code !== 0) throw new Error(`sluice ${args.join(' ')} exited with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Ended with the test, should it still run. */
  spawn(...args: string[]): ChildProcess {
    const { NO_COLOR: _, FORCE_COLOR: __, DISPLAY: ___, WAYLAND_DISPLAY: ____, ...env } = process.env;
    const child = spawn(process.execPath, [launcher, ...args], {
      cwd: this.dir,
      env: { ...env, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const end = new Promise((done) => child.once('exit', done));
      child.kill('SIGKILL');
      await end;
    });
    return child;
  }

  /** Starts the daemon and waits until it watches. */
  async start(): Promise<ChildProcess> {
    const child = this.spawn('start');
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    await until(
      () => `the daemon watches; it said: ${said}`,
      () => said.includes('drop files there') || child.exitCode !== null,
    );
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}: ${said}`);
    return child;
  }
}

export async function ended(child: ChildProcess): Promise<Ended> {
  const out = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      out[name] += text;
    });
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, ...out };
}

/** Asks again and again; fails with the name of what did not come. */
export async function until(
  what: string | (() => string),
  isSo: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > end)
      throw new Error(`not within ${timeoutMs} ms: ${typeof what === 'string' ? what : what()}`);
    await sleep(20);
  }
}

/** Commands of every kind: one that is well, one that fails, one that waits for the test. */
export const config = `
watch: [{ path: ./inbox }]
routing_rules:
  - { name: sums, pattern: "**/*.txt", agent: sum, priority: 10 }
  - { name: bad, pattern: "**/*.bad", agent: fail }
  - { name: slow, pattern: "**/*.slow", agent: wait }
  - { name: keys, pattern: "**/*.key", action: ignore }
agents:
  sum: { kind: command, command: [sha256sum, "\${{ file.path }}"], description: Checksums }
  fail:
    kind: command
    command: [sh, fail.sh]
    retry: { attempts: 1 }
  wait:
    kind: command
    command: [sh, -c, "echo first; echo told >&2; while [ ! -e gate ]; do sleep 0.02; done; echo last"]
daemon: { min_free_disk: 1MiB, drain: 1s }
`;

export function makeProject(files: Readonly<Record<string, string>> = {}): Project {
  return new Project({
    'config/orchestrator.yaml': config,
    'fail.sh': 'echo "it is broken" >&2\nexit 3\n',
    'inbox/.keep': '',
    ...files,
  });
}
