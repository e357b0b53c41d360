/**
 * Kinds `claude`, `codex`, `gemini` and their like: an agent CLI run headless in its sandbox, its stream read, its word
 * kept beside how it ended. What follows from that is the coordinator's.
 */
import { randomUUID } from 'node:crypto';
import { type AgentConfig, type CliAgent, isCliAgent } from '../../config/config.ts';
import type { AgentCall, AgentResult, AgentRunner } from '../../types/agent.ts';
import type { CliFault } from '../../types/agent-cli.ts';
import { AppError } from '../../types/errors.ts';
import type { SandboxReport } from '../../types/job.ts';
import { credible } from '../../types/usage.ts';
import { type ConfinedOptions, runConfined } from '../confined.ts';
import type { Plugins } from '../plugins/plugins.ts';
import { type JournalEntry, limitsProblem, type SpawnExit } from '../spawner/spawner.ts';
import { takeUp } from '../take-up.ts';
import { type CliEnvironmentOptions, cliEnvironment } from './cli-environment.ts';
import { collectCli } from './collect.ts';
import { beyondCeiling } from './correction.ts';
import { costOf, type PriceOf, pricing } from './cost.ts';
import type { CliKind, LoginState } from './kind.ts';
import { type Launched, launchedOf, readLaunched } from './launched.ts';
import { type EvidenceOf, logInEvidence } from './log-in-evidence.ts';
import { loginFix } from './login-fix.ts';
import { homePlaces, makeLinks, makeProtected, makeWritable } from './places.ts';
import { ceilingOf, planLaunch } from './plan.ts';
import type { CliProbe } from './probe.ts';
import { recordOf } from './record.ts';
import { startRequest } from './start-request.ts';
import { CliStream } from './stream.ts';

export interface CliRunnerOptions extends ConfinedOptions, CliEnvironmentOptions {
  readonly plugins: Plugins;
  readonly probe: Pick<CliProbe, 'find' | 'unpack'>;
  readonly priceOf: PriceOf;
  /** Exists. */
  readonly stateDir: string;
}

export interface CliRunner extends Pick<AgentRunner, 'run'> {
  /** The result of an attempt that had ended before the daemon died. */
  recover(call: AgentCall, entry: JournalEntry): Promise<AgentResult>;
  /** Why the agent cannot be run now, if so. */
  available(agent: AgentConfig): Promise<AppError | undefined>;
  /** What its log-in rests on now; undefined: that cannot be told. */
  logInEvidence(agent: AgentConfig): Promise<string | undefined>;
}

interface FinishOptions {
  readonly signal?: AbortSignal;
  readonly evidence?: string | undefined;
  /** As it was known when it was started. */
  readonly login?: LoginState;
}

export function createCliRunner(options: CliRunnerOptions): CliRunner {
  const { plugins, probe, sandbox, spawner, redactor, priceOf } = options;

  /** Without it a new log-in is not noticed, which is no reason to run nothing. */
  const tellEvidence = async (of: EvidenceOf & { readonly kind: CliKind }): Promise<string | undefined> => {
    try {
      const { name, home, environment } = of.kind;
      const keys = (await of.kind.keyVariables?.({ env: of.env, home: of.env.HOME ?? '' })) ?? [];
      const kind = { name, home, environment: [...environment, ...keys] };
      return logInEvidence(options.stateDir, { ...of, kind });
    } catch {
      return undefined;
    }
  };

  const finish = async (
    kind: CliKind,
    call: AgentCall,
    launched: Launched,
    exit: SpawnExit,
    report: SandboxReport,
    { signal, evidence, login }: FinishOptions = {},
  ): Promise<AgentResult> => {
    const agent = asCli(call.agent);
    return takeUp(call, exit, report, signal, async () => {
      const {
        report: read,
        isAnswered,
        ...collected
      } = await collectCli({
        ...{ kind, call, exit, redactor },
        lastMessageFile: launched.lastMessageFile,
      });
      const said = credible({
        ...read,
        faults: read.faults.map((fault) => withLoginFix(fault, kind, login)),
      });
      const { usage } = said;
      const beyond = beyondCeiling(said, ceilingOf(agent, call));
      const redact = (text: string): string => redactor.redact(text);
      return {
        ...collected,
        ...(usage && { usage }),
        costUsd: costOf(said, { isAnswered, model: agent.cli.model, at: exit.endedAt }, priceOf),
        cli: {
          report: said,
          record: recordOf({ kind, agent, call, launched, report: said, redact }),
          ...(beyond && { beyond }),
          ...(evidence !== undefined && { logInEvidence: evidence }),
        },
      };
    });
  };

  return {
    run: async (call, signal) => {
      const agent = asCli(call.agent);
      const kind = await plugins.kindOf(agent);
      const { file, version } = await probe.find(kind, agent);
      const { env, login } = await cliEnvironment(options, kind, agent);
      const { backend } = await sandbox.reportOf(agent.sandbox);
      const isConfined = agent.sandbox.mode !== 'off' && backend !== 'none';
      const plan = planLaunch({
        ...{ kind, agent, call, version, env, isConfined, login },
        sessionId: randomUUID(),
      });
      const places = homePlaces(kind.home, env);
      const ready = makeWritable(places);
      const { HOME: home = '', PATH = '' } = env;
      for (const { path, place } of isConfined ? places : [])
        if (place.unpackedBy) await probe.unpack(file, place.unpackedBy, { place: path, home, path: PATH });
      makeLinks(plan.launch.links ?? []);
      const own = {
        ownPlaces: isConfined ? ready : [],
        ownProtected: isConfined ? [...makeProtected(places), ...plan.reads] : [],
      };
      // After what is made for it, before what it does itself: somebody may log in while it runs.
      const evidence = await tellEvidence({ kind, agent, env, login });
      const { exit, report } = await runConfined(
        options,
        pricing(call, agent.cli.model, priceOf),
        writing(agent, plan.writes),
        startRequest(call, agent, file, plan, env),
        signal,
        { ...own, read: (onEvent) => new CliStream(kind, onEvent) },
      );
      return finish(kind, call, launchedOf(plan), exit, report, { signal, evidence, login });
    },

    recover: async (call, entry) => {
      const agent = asCli(call.agent);
      const kind = await plugins.kindOf(agent);
      const report = await sandbox.reportOf(agent.sandbox);
      // What it was given then is to be kept out of what it wrote; what cannot be had any more was, or is, no secret here.
      await cliEnvironment(options, kind, agent).catch(() => {});
      return finish(kind, call, readLaunched(kind, call.workDir), entry.exit, report);
    },

    available: async (agent) => {
      try {
        const kind = await plugins.kindOf(asCli(agent));
        await probe.find(kind, asCli(agent));
      } catch (error) {
        if (error instanceof AppError) return error;
        throw error;
      }
      return (await sandbox.available(agent)) ?? limitsProblem(agent, spawner.limitsBackend);
    },

    logInEvidence: async (one) => {
      const agent = asCli(one);
      try {
        const kind = await plugins.kindOf(agent);
        const { env, login } = await cliEnvironment(options, kind, agent);
        return await tellEvidence({ kind, agent, env, login });
      } catch {
        // A plugin or a secret that is not there is told elsewhere.
        return undefined;
      }
    },
  };
}

function withLoginFix(fault: CliFault, kind: CliKind, login: LoginState | undefined): CliFault {
  return fault.class === 'auth' && fault.fix === undefined ? { ...fault, fix: loginFix(kind, login) } : fault;
}

/** What it may write to follows from what it may do; what its `sandbox` names comes on top. */
function writing(agent: CliAgent, places: readonly string[]): CliAgent {
  const { sandbox } = agent;
  if (sandbox.mode === 'off') return agent;
  return { ...agent, sandbox: { ...sandbox, write: [...new Set([...sandbox.write, ...places])] } };
}

function asCli(agent: AgentConfig): CliAgent {
  if (isCliAgent(agent)) return agent;
  throw new AppError('INTERNAL', `Agent "${agent.name}" of kind ${agent.kind} was handed to the CLI runner`, {
    fix: 'This is a fault in Sluice; please report it.',
  });
}
