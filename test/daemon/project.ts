/** A temporary project and real daemons on it, for tests: everything they start is gone when the test ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { Client } from '../../src/cli/client.ts';
import type { StatusReport } from '../../src/operations/status.ts';
import { socketPath } from '../../src/server/socket-path.ts';
import type { Receipt } from '../../src/types/receipt.ts';

const launcher = join(import.meta.dirname, '../../bin/sluice.js');

export interface Project {
  readonly dir: string;
  readonly inbox: string;
  readonly client: Client;
  write(path: string, content: string): string;
  receipts(): Receipt[];
  receipt(path: string): Receipt | undefined;
  exists(path: string): boolean;
  /** Runs one command to its end. */
  sluice(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** Starts one command and does not wait for it. */
  spawn(...args: string[]): Daemon;
  /** Resolves when it watches. */
  start(): Promise<Daemon>;
  status(): Promise<StatusReport>;
}

export interface Daemon {
  readonly pid: number;
  readonly lines: readonly string[];
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  /** Ctrl-C on a terminal: all that is left in the command's process group gets it. */
  pressCtrlC(): void;
}

export interface ProjectOptions {
  /** The folder in which the project's own is made; default: the system's temporary one. */
  readonly within?: string;
  /** Put before every command: another user, a namespace. */
  readonly wrapper?: readonly string[];
  /** Added to the environment of every command. */
  readonly env?: NodeJS.ProcessEnv;
}

/** @param config The configuration file; `version: 1` is put on top. */
export function makeProject(
  config: string,
  { within = tmpdir(), wrapper = [], env = {} }: ProjectOptions = {},
): Project {
  const dir = realpathSync(mkdtempSync(join(within, 'sluice-test-')));
  const children = new Set<ChildProcess>();
  onTestFinished(async () => {
    for (const child of children)
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    await until('nobody writes into the project any more', () => {
      try {
        rmSync(dir, { recursive: true, force: true });
        return true;
      } catch {
        return false;
      }
    });
  });
  const write = (path: string, content: string): string => {
    const file = join(dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  };
  write('config/orchestrator.yaml', `version: 1\n${config}`);
  mkdirSync(join(dir, 'inbox'), { recursive: true });
  const client = new Client(socketPath(join(dir, '.sluice'), { ...process.env, ...env }));
  const receipts = (): Receipt[] =>
    globSync('processed/files/**/receipt.json', { cwd: dir }).map(
      (file) => JSON.parse(readFileSync(join(dir, file), 'utf8')) as Receipt,
    );
  const launch = (args: readonly string[]): ChildProcess => {
    const [command = '', ...rest] = [...wrapper, process.execPath, launcher, ...args];
    const child = spawn(command, rest, {
      cwd: dir,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, as a shell gives it.
      detached: true,
    });
    children.add(child);
    return child;
  };
  return {
    dir,
    inbox: join(dir, 'inbox'),
    client,
    write,
    receipts,
    receipt: (path) => receipts().find(({ input }) => input.path === path),
    async sluice(...args) {
      const child = launch(args);
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'exit'),
      ]);
      return { code, stdout, stderr };
    },
    exists: (path) => existsSync(join(dir, path)),
    spawn: (...args) => follow(launch(args)),
    async start() {
      const ready = Promise.withResolvers<void>();
      const daemon = follow(launch(['start']), (line) => {
        if (line.includes('drop files there')) ready.resolve();
      });
      void daemon.exited.then((code) =>
        ready.reject(new Error(`the daemon ended with ${code}:\n${daemon.lines.join('\n')}`)),
      );
      await ready.promise;
      return daemon;
    },
    status: () => client.get<StatusReport>('/api/status'),
  };
}

/** Waits for a state that comes by itself; the deadline names what did not come. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  deadlineMs = 60_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    if (await holds()) return;
    if (performance.now() > end) throw new Error(`gave up after ${deadlineMs} ms waiting until ${what}`);
    await sleep(20);
  }
}

/** @param onLine Told each line of stderr. */
function follow(child: ChildProcess, onLine: (line: string) => void = () => {}): Daemon {
  const lines: string[] = [];
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    lines.push(line);
    onLine(line);
  });
  child.stdout?.resume();
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const pid = child.pid as number;
  return {
    pid,
    lines,
    exited,
    kill: (signal) => void child.kill(signal),
    pressCtrlC() {
      if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGINT');
    },
  };
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  let all = '';
  for await (const chunk of stream ?? []) all += chunk;
  return all;
}
