/** What the tests of this folder share: a project folder, a spawner on it, calls of agents, a look at processes. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, onTestFinished } from 'vitest';
import type { Redactor, SecretResolver } from '../../src/agents/ports.ts';
import {
  openSpawner,
  type SpawnExit,
  type Spawner,
  type SpawnerOptions,
  type StartRequest,
} from '../../src/agents/spawner/spawner.ts';
import type { AgentConfig } from '../../src/config/config.ts';
import type { AgentCall } from '../../src/types/agent.ts';
import type { Conditions } from '../../src/types/condition.ts';
import { pathFromBytes } from '../../src/types/path-bytes.ts';

export const never = new AbortController().signal;
export const noConditions: Conditions = { raise: () => {}, clear: () => {} };
export const noSecrets: SecretResolver & Redactor = {
  resolve: (text) => text,
  register: () => {},
  redact: (text) => text,
  redactFile: async () => {},
};

/** A folder that is gone when the tests of the file are done. */
export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-agents-'));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  // Within a test it goes with the test, outside of one with the file.
  if (expect.getState().currentTestName === undefined) afterAll(remove);
  else onTestFinished(remove);
  return dir;
}

/** Unlike that of any other test: its processes can be told apart. */
export function newTag(): string {
  return `test-${randomUUID()}`;
}

/** Put behind the seconds of a `sleep`: another run of the tests on this machine does not take it for one of its own. */
export const own = String(process.pid);

export interface Bench extends AsyncDisposable {
  readonly dir: string;
  readonly tag: string;
  readonly spawner: Spawner;
  readonly raised: string[];
  run(
    argv: readonly string[],
    more?: Partial<StartRequest>,
    signal?: AbortSignal,
  ): Promise<SpawnExit & { stdout: () => Buffer; stderr: () => string }>;
}

export async function openBench(
  dir: string,
  {
    way = 'auto',
    graceMs = 300,
    limits = 'auto',
  }: Partial<Pick<SpawnerOptions, 'way' | 'graceMs' | 'limits'>> = {},
): Promise<Bench> {
  const tag = newTag();
  const raised: string[] = [];
  const conditions: Conditions = { raise: ({ code }) => void raised.push(code), clear: () => {} };
  const spawner = await openSpawner({ stateDir: dir, tag, graceMs, conditions, way, limits });
  let count = 0;
  return {
    ...{ dir, tag, spawner, raised },
    async run(argv, more = {}, signal = never) {
      count += 1;
      const job = `${way}-${count}-${randomUUID().slice(0, 4)}`;
      const stdout = join(dir, `${job}.out`);
      const stderr = join(dir, `${job}.err`);
      const env = { PATH: '/usr/local/bin:/usr/bin:/bin' };
      const defaults = { job, n: 1, journal: '', argv, env, cwd: dir, stdout, stderr, files: [] };
      const exit = await spawner.run(
        { ...defaults, timeoutMs: 60_000, maxOutputBytes: 1 << 20, ...more },
        signal,
      );
      return { ...exit, stdout: () => readFileSync(stdout), stderr: () => readFileSync(stderr, 'utf8') };
    },
    [Symbol.asyncDispose]: () => spawner[Symbol.asyncDispose](),
  };
}

/** Pids of living processes whose command line holds `text`. */
export function processesWith(text: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      const isDead = /^\d+ \(.*\) [ZX] /s.test(readFileSync(`/proc/${name}/stat`, 'latin1'));
      if (commandLine.includes(text) && !isDead) found.push(Number(name));
    } catch {
      // Ended meanwhile.
    }
  }
  return found;
}

/** Looks again until `check` gives something, at most a minute. */
export async function until<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (const deadline = performance.now() + 60_000; ; ) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited a minute in vain for ${what}`);
    await sleep(5);
  }
}

type KindOf<K> = Extract<AgentConfig, { kind: K }>;
type Own<T> = Omit<T, keyof Omit<KindOf<'builtin'>, 'kind'>>;

/** An agent with ordinary limits. */
export function agent(
  own: Own<KindOf<'command'>> | Own<KindOf<'http'>> | Own<KindOf<'builtin'>>,
  more: Partial<KindOf<'builtin'>> = {},
): AgentConfig {
  return {
    name: 'tested',
    maxLoad: 1,
    timeoutMs: 60_000,
    retry: { attempts: 1, initialMs: 1, maxMs: 1 },
    maxOutputBytes: 1 << 20,
    env: [],
    limits: { required: false },
    maxRepeats: Number.POSITIVE_INFINITY,
    workspace: 'in_place',
    ...{ capabilities: [], priority: 0, fallback: [] },
    sandbox: { mode: 'auto', write: [], network: 'none', blocked: [], confirm: [] },
    ...more,
    ...own,
  } as AgentConfig;
}

/** A call of `agent` on the file `name` (bytes, or text) of the root `inbox` in `projectDir`. */
export function call(
  projectDir: string,
  tested: AgentConfig,
  name: string | Buffer,
  more: Partial<AgentCall> = {},
): AgentCall {
  const workDir = join(projectDir, 'work', randomUUID());
  mkdirSync(join(workDir, 'outputs'), { recursive: true });
  const path = typeof name === 'string' ? name : pathFromBytes(name);
  const rootDir = join(projectDir, 'inbox');
  const input = { root: 'inbox', rootDir, path, file: `${rootDir}/${path}`, sha256: 'ab12', bytes: 5 };
  return {
    ...{ jobId: randomUUID(), attempt: 1, sessionId: 's1', agent: tested, rule: 'all', depth: 0 },
    ...{ input, inputs: [input], rootDirs: [rootDir] },
    ...{ journal: '{}', projectDir, workDir, outputDir: join(workDir, 'outputs') },
    ...more,
  };
}
