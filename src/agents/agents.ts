/** The agents of a project behind one door: each call goes to the runner of its kind. */
import { type AgentConfig, type CliKindName, isCliAgent } from '../config/config.ts';
import type { KeptLedger } from '../ledger/ledger.ts';
import { Approvals } from '../sandbox/approvals.ts';
import { homesOf } from '../sandbox/homes.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import type { AgentCall, AgentResult, AgentRunner } from '../types/agent.ts';
import type { Conditions } from '../types/condition.ts';
import { AppError } from '../types/errors.ts';
import { credible } from '../types/usage.ts';
import { createBuiltinRunner } from './builtin.ts';
import { type CliLook, lookAtCli } from './cli/look.ts';
import { CliProbe } from './cli/probe.ts';
import { type CliRunnerOptions, createCliRunner } from './cli/runner.ts';
import { createCommandRunner } from './command.ts';
import { CommandLookup } from './command-lookup.ts';
import { baseEnvironment } from './environment.ts';
import { createHttpRunner } from './http.ts';
import { createPlugins } from './plugins/plugins.ts';
import type { Redactor, SecretResolver } from './ports.ts';
import { type JournalEntry, openSpawner, type Settled } from './spawner/spawner.ts';
import { createVersions } from './versions.ts';

export interface AgentsOptions {
  /** Exists; the attempts journal is kept in it. */
  readonly stateDir: string;
  readonly projectDir: string;
  /** Names the project in the environment of all its processes. */
  readonly tag: string;
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
  /** From the last word of an agent CLI to the end of its tree. Default: 10 s. */
  readonly lingerMs?: number;
  readonly secrets: SecretResolver & Redactor;
  readonly conditions: Conditions;
  /** Where versions and flags of agent CLIs survive a restart. Absent: they are asked for anew. */
  readonly kept?: Pick<KeptLedger, 'get' | 'put'>;
  /** Default: this process' environment. Agents see the allowed part of it. */
  readonly env?: NodeJS.ProcessEnv;
  /** What a confined command never writes, also where it may write around it: the results' folder, the configuration. */
  readonly protectedPaths?: () => readonly string[];
  /** Runs the workflows that rules send files to. Absent: such calls are refused. */
  readonly workflow?: Pick<AgentRunner, 'run'>;
  /** What tokens of a model cost at a time, for agents that do not say it. Default: nobody knows. */
  readonly priceOf?: CliRunnerOptions['priceOf'];
}

export interface Agents extends AgentRunner, AsyncDisposable {
  /**
   * Runs one attempt to its end.
   * @throws {AppError} `SECRET_UNRESOLVED` when a secret that it needs cannot be had. Never for what the agent does.
   */
  run(call: AgentCall, signal: AbortSignal): Promise<AgentResult>;
  /** The result of an attempt that had ended before the daemon died, from the journal and its work folder. */
  recover(call: AgentCall, entry: JournalEntry): Promise<AgentResult>;
  /**
   * Why the agent cannot run now (`AGENT_UNAVAILABLE`, `SANDBOX_UNAVAILABLE`, `LIMITS_UNAVAILABLE`), if so. Costs a few
   * stats; what cannot be had is tried again after 10 s.
   */
  available(agent: AgentConfig): Promise<AppError | undefined>;
  /**
   * What the log-in of an agent CLI rests on: changes when that does, and says nothing else. Undefined: it is none, or that
   * cannot be told now.
   */
  logInEvidence(agent: AgentConfig): Promise<string | undefined>;
  /** Of an agent CLI: its program, version and log-in. @throws {AppError} Why it cannot be started. */
  lookAt(agent: AgentConfig): Promise<CliLook | undefined>;
  /**
   * Call at start and after a reload, with all agents: tries what they need for confinement, raises the conditions
   * `SANDBOX_NONE` and clears those that are over.
   */
  follow(agents: Iterable<AgentConfig>): Promise<void>;
  /** Commands of running attempts that wait for a person. */
  readonly approvals: Approvals;
  /** Shortens the attempts journal; see `Spawner.checkpoint`. */
  checkpoint(settled: Settled): Promise<void>;
}

/** @throws {AppError} `SPAWNER_FAILED`. */
export async function createAgents(options: AgentsOptions): Promise<Agents> {
  const { stateDir, tag, graceMs, conditions, projectDir, secrets, env: daemonEnv = process.env } = options;
  const spawner = await openSpawner({ stateDir, tag, graceMs, conditions });
  const baseEnv = baseEnvironment(daemonEnv);
  const redactor = secrets;
  const approvals = new Approvals({ now: Date.now });
  const sandbox = new Sandbox({
    ...{ projectDir, stateDir, conditions, now: Date.now },
    path: baseEnv.PATH ?? '',
    homes: homesOf(daemonEnv),
    protectedPaths: options.protectedPaths ?? (() => []),
  });
  const command = createCommandRunner({
    ...{ spawner, secrets, redactor, projectDir, daemonEnv, baseEnv, sandbox, approvals },
  });
  const plugins = createPlugins({ projectDir });
  const { kept } = options;
  const probe = new CliProbe({ env: daemonEnv, projectDir, tag, ...(kept && { kept }) });
  const cli = createCliRunner({
    ...{ spawner, secrets, redactor, daemonEnv, baseEnv, sandbox, approvals },
    lookup: new CommandLookup(),
    ...{ plugins, probe, stateDir, lingerMs: options.lingerMs },
    priceOf: options.priceOf ?? (() => null),
  });
  const builtin = createBuiltinRunner({ redactor });
  const runners = {
    ...{ command, builtin, http: createHttpRunner({ secrets, redactor }) },
    workflow: options.workflow ?? { run: refuseWorkflow },
  } satisfies Record<Exclude<AgentConfig['kind'], CliKindName>, Pick<AgentRunner, 'run'>>;
  return {
    run: async (call, signal) =>
      credible(await (isCliAgent(call.agent) ? cli : runners[call.agent.kind]).run(call, signal)),
    ...createVersions({ projectDir, env: daemonEnv }),
    recover: async (call, entry) =>
      credible(await (isCliAgent(call.agent) ? cli : command).recover(call, entry)),
    available: async (agent) => {
      if (isCliAgent(agent)) return cli.available(agent);
      return agent.kind === 'command' ? command.available(agent) : undefined;
    },
    logInEvidence: async (agent) => (isCliAgent(agent) ? cli.logInEvidence(agent) : undefined),
    lookAt: async (agent) =>
      isCliAgent(agent) ? lookAtCli({ plugins, probe, env: daemonEnv }, agent) : undefined,
    follow: (agents) => sandbox.follow(agents),
    approvals,
    checkpoint: (settled) => spawner.checkpoint(settled),
    [Symbol.asyncDispose]: async () => {
      probe[Symbol.dispose]();
      await builtin[Symbol.asyncDispose]();
      approvals[Symbol.dispose]();
      await spawner[Symbol.asyncDispose]();
    },
  };
}

async function refuseWorkflow({ agent }: AgentCall): Promise<AgentResult> {
  throw new AppError('INTERNAL', `Nothing here runs workflows, and "${agent.name}" was called`, {
    fix: 'This is a fault in Sluice; please report it.',
  });
}
