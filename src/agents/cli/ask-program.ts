/**
 * A question to a program that is installed here (`--version`, `--help`). It gets a home and a temporary folder that are
 * thrown away, and next to nothing of our environment: agent CLIs unpack themselves, look for updates and write settings
 * at the first opportunity, and a question must leave no trace. It runs in a process group of its own, so that one that
 * hangs is ended with its children; execa's own time-out ends the first process only and then waits for the rest.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readVariable } from '../spawner/mark.ts';
import { readProcessTable } from '../spawner/process-table.ts';

export type Answer =
  | { readonly is: 'answered'; readonly stdout: string; readonly stderr: string }
  /** `message` goes on a sentence whose subject is the program: `exits with 1: no such option`. */
  | { readonly is: 'refused'; readonly message: string };

export interface AskOptions {
  /** Where the program looks for others (`#!/usr/bin/env node`). */
  readonly path: string;
  readonly home: Pick<ThrowAwayHome, 'dir'>;
  /** What it sees besides. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

export interface ThrowAwayHome extends AsyncDisposable {
  readonly dir: string;
}

const maxBytes = 1 << 20;
const quoted = 300;
const lingerMs = 500;

/** Switches off what several of them do unasked. Those that know no such variable do not mind it. */
const quiet = {
  ...{ LC_ALL: 'C', TERM: 'dumb', NO_COLOR: '1' },
  ...{ DISABLE_AUTOUPDATER: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_TELEMETRY: '1' },
  ...{ GEMINI_CLI_NO_RELAUNCH: 'true', GEMINI_TELEMETRY_ENABLED: 'false' },
  ...{ OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' },
  ...{ COPILOT_AUTO_UPDATE: 'false', COPILOT_OFFLINE: 'true', NO_UPDATE_NOTIFIER: '1' },
};

export async function openThrowAwayHome(): Promise<ThrowAwayHome> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-ask-'));
  return {
    dir,
    async [Symbol.asyncDispose]() {
      await endStrays(dir);
      // What was ended may still have been writing.
      await rm(dir, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
    },
  };
}

/** Whatever made a session of its own and lives on: it has this home, which nobody else has. Only Linux tells. */
async function endStrays(home: string): Promise<void> {
  if (process.platform !== 'linux') return;
  for (let turn = 0, clean = 0; clean < 2 && turn < 100; turn++) {
    const strays = readProcessTable().filter(
      ({ pid, state }) => state !== 'Z' && state !== 'X' && readVariable(pid, 'HOME') === home,
    );
    for (const { pid } of strays) endProcess(pid);
    // A process can fork and end while we look: where there was something, nothing must be seen twice.
    clean = strays.length > 0 ? 0 : turn === 0 ? 2 : clean + 1;
    if (clean < 2) await sleep(10);
  }
}

/** Never throws for what the program does. It ends when the signal is aborted. */
export async function askProgram(file: string, args: readonly string[], o: AskOptions): Promise<Answer> {
  const { path, home, signal, timeoutMs = 30_000 } = o;
  if (signal.aborted) return { is: 'refused', message: 'was not asked any more' };
  const { execa } = await import('execa');
  const { dir } = home;
  const child = execa(file, args, {
    cwd: dir,
    env: { ...quiet, PATH: path, HOME: dir, TMPDIR: dir, XDG_RUNTIME_DIR: dir, ...o.env },
    ...{ extendEnv: false, stdin: 'ignore', reject: false, detached: true, cleanup: false },
    maxBuffer: maxBytes,
  });
  let ended: string | undefined;
  const letGo = (): void => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  const end = (why: string): void => {
    ended ??= why;
    endGroup(child.pid);
    letGo();
  };
  let lingering: NodeJS.Timeout | undefined;
  child.nodeChildProcess.once('exit', () => {
    // What it leaves behind holds its output open: in its group it is ended, elsewhere not waited for.
    endGroup(child.pid);
    lingering = setTimeout(letGo, lingerMs);
  });
  const timer = setTimeout(() => end(`did not answer within ${timeoutMs / 1000} s`), timeoutMs);
  const onAbort = () => end('was not asked any more');
  signal.addEventListener('abort', onAbort, { once: true });
  const result = await child;
  clearTimeout(timer);
  clearTimeout(lingering);
  signal.removeEventListener('abort', onAbort);
  if (ended !== undefined) return { is: 'refused', message: ended };
  if (result.isMaxBuffer) return { is: 'refused', message: `prints more than ${maxBytes >> 20} MiB` };
  if (result.exitCode === 0) return { is: 'answered', stdout: result.stdout, stderr: result.stderr };
  if (result.exitCode === undefined && result.signal === undefined)
    return { is: 'refused', message: `does not start: ${startProblem(result.code)}` };
  const how = result.signal === undefined ? `exits with ${result.exitCode}` : `is ended by ${result.signal}`;
  const said = quote(result.stderr) || quote(result.stdout);
  return { is: 'refused', message: said === '' ? `${how} and says nothing` : `${how}: ${said}` };
}

/** With what is left of it. The number of a group is not given away while it has members. */
function endGroup(pid: number | undefined): void {
  if (pid !== undefined) endProcess(-pid);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

function startProblem(code: string | undefined): string {
  switch (code) {
    case 'ENOEXEC':
      return 'it is no program that this machine can run';
    case 'ETXTBSY':
      return 'it is being written just now';
    case 'ENOENT':
      return 'it is gone, or what its first line (`#!`) names is not there';
    case 'EACCES':
      return 'it, or what its first line (`#!`) names, may not be run';
    default:
      return code ?? 'for a reason that the system does not tell';
  }
}

/** The beginning of what it says, on one line. */
function quote(text: string): string {
  const line = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours, and what else a terminal would obey.
    .replace(/\u001b\[[\d;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > quoted ? `${line.slice(0, quoted)}…` : line;
}
