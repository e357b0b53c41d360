/**
 * A project with one real agent CLI, a home of its own, and a stub of its model service on loopback. `npm run test:clis`
 * says where the CLI is; without it the scenarios say that they are skipped.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Receipt } from '../../src/types/receipt.ts';
import { type Ended, ended, Project, until } from '../cli/sluice.ts';
import { type CliName, pointers, stubAgents } from './pointers.ts';
import { type StubRequest, startStub } from './stub-models.mjs';

/** What `scripts/test-clis.ts` found: folder of the program, and its version. */
const clis = JSON.parse(process.env.SLUICE_CLIS ?? '{}') as Readonly<
  Record<string, { readonly bin: string; readonly version: string }>
>;

export type { CliName };

/** Folder that holds the program; undefined: it is not here. */
export function binOf(name: CliName): string | undefined {
  return clis[name]?.bin;
}

export function versionOf(name: CliName): string | undefined {
  return clis[name]?.version;
}

export interface Turn {
  readonly [key: string]: unknown;
}

/** Turns that depend on what is asked. */
export type ByRequest = (body: object) => readonly Turn[];

export interface Rig {
  readonly project: Project;
  /** The folder that the project lies in: what stands there is above it. Absolute. */
  readonly above: string;
  /** Its home: log-in files may be put there. Absolute. */
  readonly home: string;
  /** Writes a file into it, for its owner alone. */
  atHome(path: string, text: string): void;
  /** Makes the project, or the folder above it, a git repository. */
  git(dir?: string): void;
  /** What the commands, and so the CLI, find in their environment besides; undefined takes one away. */
  readonly env: NodeJS.ProcessEnv;
  /** Writes the configuration: the agent `it` of the kind with these keys, and a rule for all files. */
  configure(o?: {
    readonly agent?: Readonly<Record<string, unknown>>;
    readonly rule?: Readonly<Record<string, unknown>>;
    readonly more?: Readonly<Record<string, unknown>>;
  }): void;
  /** The stub plays this from now on, to one of them or to the first. */
  play(scenario: string | readonly Turn[] | ByRequest, to?: CliName): void;
  /** What a scenario is from now on, also for a daemon that plays it already. */
  define(scenario: string, turns: readonly Turn[]): void;
  /** `sluice …` in the project, with the CLI on PATH. */
  call(...args: string[]): Promise<Ended>;
  /** The same with `--json`; must exit with 0. */
  json<T>(...args: string[]): Promise<T>;
  /** A daemon; it watches when this returns. */
  start(): ReturnType<Project['start']>;
  /** Puts files into `inbox/`. */
  drop(files: Readonly<Record<string, string>>): void;
  /** Drops files and processes what is there. */
  run(files: Readonly<Record<string, string>>): Promise<Ended>;
  receipt(path: string): Receipt;
  result(path: string): string;
  /** The newest job, once it is so. */
  jobThat(is: (job: Receipt) => boolean, what: string): Promise<Receipt>;
  /** Where the stub is. */
  readonly service: string;
  /** Requests that the model service got. */
  requests(): readonly StubRequest[];
  /** Body of the last one. */
  lastRequest(): Promise<string>;
  /** Runs the CLI itself, in the project, with nothing of ours around it: what does it do by itself? */
  bare(
    args: readonly string[],
    o?: { readonly env?: NodeJS.ProcessEnv; readonly stdin?: string },
  ): Promise<Ended>;
}

/** @param others Can be used besides; the configuration has to name them. */
export async function openRig(name: CliName, ...others: readonly CliName[]): Promise<Rig> {
  const all = [name, ...others];
  const bins = all.map((one) => {
    const dir = binOf(one);
    if (dir === undefined) throw new Error(`${one} is not installed; run \`npm run test:clis\``);
    return dir;
  });
  const project = new Project({}, 'above/project');
  const stub = await startStub();
  onTestFinished(() => stub.close());
  // Beside the project: what is below /tmp is hidden in a sandbox, and an agent's home is shown by itself.
  const home = join(project.dir, '../../home');
  mkdirSync(home);
  const scenarios = new Map<CliName, string>();
  let plays = 0;
  const env: NodeJS.ProcessEnv = {};
  const point = (): void => {
    const pointing = all.map((one) =>
      pointers[one](stub.url, scenarios.get(one) ?? 'text', home, project.dir),
    );
    const path = [...bins, process.env.PATH].join(':');
    project.env = Object.assign({ HOME: home, PATH: path, ...nowhere }, ...pointing, env);
  };
  const drop = (files: Readonly<Record<string, string>>): void => {
    mkdirSync(join(project.dir, 'inbox'), { recursive: true });
    for (const [path, text] of Object.entries(files)) project.write(join('inbox', path), text);
  };
  const inProcessed = (path: string, file: string): string =>
    readFileSync(join(project.dir, 'processed/files/inbox', path, file), 'utf8');
  const call = (...args: string[]): Promise<Ended> => {
    point();
    return project.call(...args);
  };
  const json = <T>(...args: string[]): Promise<T> => {
    point();
    return project.json<T>(...args);
  };
  return {
    ...{ project, home, env, drop, call, json },
    above: dirname(project.dir),
    service: stub.url,
    git(dir = project.dir) {
      execFileSync('git', ['init', '-q', dir]);
    },
    atHome(path, text) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text, { mode: 0o600 });
    },
    configure({ agent = {}, rule = {}, more = {} } = {}) {
      const config = {
        routing_rules: [{ name: 'all', pattern: '**/*', agent: 'it', prompt: 'Do the task.', ...rule }],
        agents: { it: { kind: name, ...stubAgents[name], ...agent } },
        daemon: { min_free_disk: '1MiB', drain: '1s' },
        ...more,
      };
      project.write('config/orchestrator.yaml', JSON.stringify(config));
    },
    play(what, to = name) {
      plays += 1;
      scenarios.set(to, typeof what === 'string' ? what : `own${plays}`);
      if (typeof what !== 'string') stub.addScenario(`own${plays}`, what);
    },
    define: (name, turns) => stub.addScenario(name, turns as object[]),
    start() {
      point();
      return project.start();
    },
    async run(files) {
      drop(files);
      return call('run');
    },
    receipt: (path) => JSON.parse(inProcessed(path, 'receipt.json')) as Receipt,
    result: (path) => inProcessed(path, 'result.md'),
    async jobThat(is, what) {
      let last: Receipt | undefined;
      await until(
        () => `${what}; the job: ${JSON.stringify(last)}`,
        async () => {
          [last] = await json<Receipt[]>('jobs', 'list');
          return last !== undefined && is(last);
        },
        60_000,
      );
      return last as unknown as Receipt;
    },
    requests: () => stub.requests(),
    lastRequest: async () => (await fetch(`${stub.url}/__stub/last`)).text(),
    bare(args, { env: more = {}, stdin = '' } = {}) {
      point();
      const child = spawn(join(bins[0] as string, name), args, {
        cwd: project.dir,
        // Some believe this one and not where they are.
        env: { ...process.env, PWD: project.dir, ...project.env, ...more },
        stdio: 'pipe',
      });
      child.stdin.on('error', () => {});
      child.stdin.end(stdin);
      return ended(child);
    },
  };
}

/** Requests to anybody but the stub end at a port where nobody listens. Claude Code asks that proxy for plain HTTP, too. */
const nowhere = {
  ...{ HTTPS_PROXY: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' },
  ...{ NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' },
};
