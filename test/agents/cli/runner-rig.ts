/** The runner of agent CLIs on a project folder with a home of its own; the CLIs are fakes. */
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished } from 'vitest';
import { type Agents, createAgents } from '../../../src/agents/agents.ts';
import type { CliAgent, CliSettings } from '../../../src/config/config.ts';
import { createSecrets } from '../../../src/secrets/secrets.ts';
import type { AgentCall, AgentResult } from '../../../src/types/agent.ts';
import { call, never, newTag, noConditions, tempDir } from '../attempts.ts';
import { type Fake, type FakeKind, installFake, type Step } from './fakes/fakes.ts';

export interface RunnerRig {
  readonly projectDir: string;
  /** Of the daemon, and so of the agents. */
  readonly home: string;
  readonly agents: Agents;
  /** The program of `cliAgent` does this from now on; what it has seen is forgotten. */
  fake(kind: FakeKind, ...steps: readonly Step[]): Fake;
  /** Runs one attempt on `inbox/<name>`, whose content is `text`. */
  run(agent: CliAgent, more?: Partial<AgentCall>, signal?: AbortSignal): Promise<Ran>;
}

export interface Ran {
  readonly call: AgentCall;
  readonly result: AgentResult;
  /** A file of its work folder; '' when it is not there. */
  text(name: string): Promise<string>;
}

/** Within a test it goes with the test, outside of one with the file. */
export async function openRunner(
  o: { readonly env?: NodeJS.ProcessEnv; readonly lingerMs?: number } = {},
): Promise<RunnerRig> {
  const dir = realpathSync(tempDir());
  const [projectDir, home, stateDir] = ['project', 'home', 'project/.sluice'].map((name) => {
    mkdirSync(join(dir, name), { recursive: true });
    return join(dir, name);
  }) as [string, string, string];
  mkdirSync(join(projectDir, 'inbox'));
  const env = { PATH: process.env.PATH, HOME: home, ...o.env };
  const agents = await createAgents({
    ...{ stateDir, projectDir, tag: newTag(), graceMs: 300, conditions: noConditions, env },
    secrets: createSecrets({ env, projectDir }),
    ...(o.lingerMs !== undefined && { lingerMs: o.lingerMs }),
  });
  const close = async (): Promise<void> => agents[Symbol.asyncDispose]();
  if (expect.getState().currentTestName === undefined) afterAll(close);
  else onTestFinished(close);
  const fakes = new Map<FakeKind, Fake>();
  return {
    ...{ projectDir, home, agents },
    fake(kind, ...steps) {
      // Its file stays as it is, so that its version is asked for once.
      const fake = fakes.get(kind) ?? installFake(join(projectDir, 'fakes'), kind);
      fakes.set(kind, fake);
      rmSync(join(projectDir, 'fakes/seen'), { recursive: true, force: true });
      mkdirSync(join(projectDir, 'fakes/seen'));
      fake.play(steps);
      return fake;
    },
    async run(agent, more = {}, signal = never) {
      const own = call(projectDir, agent, 'a.md', more);
      const result = await agents.run(own, signal);
      const text = (name: string) => readFile(join(own.workDir, name), 'utf8').catch(() => '');
      return { call: own, result, text };
    },
  };
}

/** An agent whose program is the fake of its kind; it is not confined unless `more` says so. */
export function cliAgent(
  kind: FakeKind,
  own: Partial<CliSettings> = {},
  more: Partial<Omit<CliAgent, 'kind' | 'cli'>> = {},
): CliAgent {
  return {
    kind,
    name: 'tested',
    ...{ maxLoad: 1, timeoutMs: 60_000, maxOutputBytes: 64 << 20, maxRepeats: 8 },
    retry: { attempts: 1, initialMs: 1, maxMs: 1 },
    ...{ env: [], capabilities: [], priority: 0, fallback: [] },
    limits: { required: false },
    workspace: 'in_place',
    sandbox: { mode: 'off', reason: 'a test' },
    ...more,
    cli: {
      program: `./fakes/${kind}`,
      tools: [],
      permissions: { mode: 'read', ceiling: 'read', directories: [] },
      onQuota: 'wait',
      ...own,
    },
  };
}
