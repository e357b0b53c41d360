/**
 * Kinds `claude`, `codex`, `gemini` and their like: an agent CLI run headless in its sandbox, its stream read, its word
 * kept beside how it ended. What follows from that is the coordinator's.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentConfig, type CliAgent, isCliAgent } from '../../config/config.ts';
import type { AgentCall, AgentResult, AgentRunner } from '../../types/agent.ts';
import type { CliFault, CliRecord, CliReport, Correction, FaultClass } from '../../types/agent-cli.ts';
import { AppError, messageOf } from '../../types/errors.ts';
import type { SandboxReport, Usage } from '../../types/job.ts';
import { fsPath } from '../../types/path-bytes.ts';
import { outputFiles } from '../command-output.ts';
import { type ConfinedOptions, refusedOutcome, runConfined } from '../confined.ts';
import { agentEnvironment, type Environment, stateEnvironment } from '../environment.ts';
import { isFullDisk, uncollected } from '../output-faults.ts';
import { literal } from '../placeholders.ts';
import type { Plugins } from '../plugins/plugins.ts';
import type { SecretResolver } from '../ports.ts';
import { type JournalEntry, limitsProblem, type SpawnExit, type StartRequest } from '../spawner/spawner.ts';
import { collectCli } from './collect.ts';
import { beyondCeiling, boundCorrection, correctionFor, wantedCorrection } from './correction.ts';
import type { CliKind, LoginState } from './kind.ts';
import { type EvidenceOf, logInEvidence } from './log-in-evidence.ts';
import { loginFix } from './login-fix.ts';
import { readPlain } from './plain-file.ts';
import { ceilingOf, homePlaces, type Plan, planLaunch } from './plan.ts';
import type { CliProbe } from './probe.ts';
import { isSecretVariable } from './secret-names.ts';
import { CliStream } from './stream.ts';

export interface CliRunnerOptions extends ConfinedOptions {
  readonly secrets: SecretResolver;
  readonly daemonEnv: NodeJS.ProcessEnv;
  readonly baseEnv: Environment;
  readonly plugins: Plugins;
  readonly probe: Pick<CliProbe, 'find' | 'unpack'>;
  /** What tokens of a model cost at a time, in US dollars; null: nobody knows. */
  readonly priceOf: (model: string | undefined, usage: Usage, at: number) => number | null;
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

/** What of a launch has to be known when its attempt is taken up after a crash. */
interface Launched {
  readonly record: Plan['record'];
  readonly cwd: string;
  readonly lastMessageFile?: string;
}

interface FinishOptions {
  readonly signal?: AbortSignal;
  readonly evidence?: string | undefined;
  /** As it was known when it was started. */
  readonly login?: LoginState;
}

const fullDiskRetryMs = 2_000;
const launchedName = 'launch.json';
const maxLaunchedBytes = 4 << 20;
const maxShownDenials = 10;

export function createCliRunner(options: CliRunnerOptions): CliRunner {
  const { secrets, daemonEnv, baseEnv, plugins, probe, sandbox, spawner, redactor, priceOf } = options;

  /** What the person's own settings say that its key is in; what the configuration sets stays. */
  const keysOf = async (kind: CliKind, env: Environment): Promise<Environment> => {
    const names = (await kind.keyVariables?.({ env, home: env.HOME ?? '' })) ?? [];
    const keys: Record<string, string> = {};
    for (const name of names) {
      const value = daemonEnv[name];
      if (env[name] !== undefined || value === undefined) continue;
      secrets.register(value);
      keys[name] = value;
    }
    return keys;
  };

  const environmentOf = async (kind: CliKind, agent: CliAgent): Promise<Environment> => {
    const passed = namesIn(daemonEnv, kind.environment).map((name) => ({ kind: 'pass', name }) as const);
    const entries = [...passed, ...agent.env];
    // Keys reach the commands that it runs, and from there its output: they are known to the redaction.
    for (const { kind: how, name } of entries)
      if (how === 'pass' && isSecretVariable(name, daemonEnv[name])) await secrets.resolve(`\${env:${name}}`);
    const own = await agentEnvironment(baseEnv, entries, daemonEnv, secrets);
    // A bare service has none in its environment, and none of them finds its log-in without.
    const home = own.HOME ?? homedir();
    const keys = await keysOf(kind, { ...own, HOME: home });
    const env = { ...own, HOME: home, ...keys };
    const login = (await kind.loginVariables?.({ env, home })) ?? {};
    for (const [name, value] of Object.entries(login))
      if (isSecretVariable(name, value)) secrets.register(value);
    return { ...env, ...login };
  };

  /** Without it nothing is noticed: no reason to start nothing. */
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
    const { startedAt, endedAt, limits = {}, cpuMs, peakMemoryBytes, survivors } = exit;
    for (;;)
      try {
        const isPlain = call.agent.sandbox.mode === 'off';
        const outcome = isPlain ? exit.outcome : await refusedOutcome(exit.outcome, call.workDir);
        const {
          report: read,
          isAnswered,
          ...collected
        } = await collectCli({
          ...{ kind, call, exit, redactor },
          lastMessageFile: launched.lastMessageFile,
        });
        const said = { ...read, faults: read.faults.map((fault) => withLoginFix(fault, kind, login)) };
        const { usage } = said;
        const beyond = beyondCeiling(said, ceilingOf(asCli(call.agent), call));
        return {
          ...{ outcome, startedAt, endedAt, limits, sandbox: report },
          ...collected,
          ...(usage && { usage }),
          costUsd:
            said.costUsd ??
            (usage
              ? priceOf(said.model ?? modelOf(call), usage, endedAt)
              : isFree(said, isAnswered)
                ? 0
                : null),
          ...(cpuMs === undefined ? {} : { cpuMs }),
          ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
          ...(survivors === undefined ? {} : { survivors }),
          cli: {
            report: said,
            record: recordOf(kind, call, launched, said, (text) => redactor.redact(text)),
            ...(beyond && { beyond }),
            ...(evidence !== undefined && { logInEvidence: evidence }),
          },
        };
      } catch (error) {
        // The work is done and paid for: it is taken up when there is space again.
        if (!signal || signal.aborted || !isFullDisk(error)) throw uncollected(error, call.workDir);
        await sleep(fullDiskRetryMs, undefined, { signal }).catch(() => {});
      }
  };

  return {
    run: async (call, signal) => {
      const agent = asCli(call.agent);
      const kind = await plugins.kindOf(agent);
      const { file, version } = await probe.find(kind, agent);
      const env = await environmentOf(kind, agent);
      const { backend } = await sandbox.reportOf(agent.sandbox);
      const isConfined = agent.sandbox.mode !== 'off' && backend !== 'none';
      const login = await kind.loginState({ env, home: env.HOME ?? '' });
      const plan = planLaunch({
        ...{ kind, agent, call, version, env, isConfined, login },
        sessionId: randomUUID(),
      });
      const { lastMessageFile } = plan.launch;
      const launched = {
        record: plan.record,
        cwd: plan.cwd,
        ...(lastMessageFile !== undefined && { lastMessageFile }),
      };
      const places = homePlaces(kind.home, env);
      const ready = places.filter(({ place }) => !place.isReadOnly).flatMap(madeReady);
      const { HOME: home = '', PATH = '' } = env;
      for (const { path, place } of isConfined ? places : [])
        if (place.unpackedBy) await probe.unpack(file, place.unpackedBy, { place: path, home, path: PATH });
      makeLinks(plan.launch.links ?? []);
      const own = {
        ownPlaces: isConfined ? ready : [],
        ownProtected: isConfined ? [...places.flatMap(protectedIn), ...plan.reads] : [],
      };
      // After what is made for it, before what it does itself: somebody may log in while it runs.
      const evidence = await tellEvidence({ kind, agent, env, login });
      const { exit, report } = await runConfined(
        options,
        pricing(call, priceOf),
        writing(agent, plan.writes),
        startRequest(call, agent, file, plan, launched, env),
        signal,
        { ...own, read: (onEvent) => new CliStream(kind, onEvent) },
      );
      return finish(kind, call, launched, exit, report, { signal, evidence, login });
    },

    recover: async (call, entry) => {
      const agent = asCli(call.agent);
      const kind = await plugins.kindOf(agent);
      const report = await sandbox.reportOf(agent.sandbox);
      // What it was given then is to be kept out of what it wrote; what cannot be had any more was, or is, no secret here.
      await environmentOf(kind, agent).catch(() => {});
      return finish(kind, call, readLaunched(kind, call), entry.exit, report);
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
        const env = await environmentOf(kind, agent);
        return await tellEvidence({
          kind,
          agent,
          env,
          login: await kind.loginState({ env, home: env.HOME ?? '' }),
        });
      } catch {
        // A plugin or a secret that is not there is told elsewhere.
        return undefined;
      }
    },
  };
}

function startRequest(
  call: AgentCall,
  agent: CliAgent,
  file: string,
  { launch, cwd }: Plan,
  launched: Launched,
  env: Environment,
): StartRequest {
  const { workDir, schema } = call;
  const { stdout, stderr } = outputFiles(workDir);
  const stdin = join(workDir, 'stdin');
  const temporary = join(workDir, 'tmp');
  for (const dir of [temporary, ...launch.files.map(([path]) => dirname(path))])
    mkdirSync(fsPath(dir), { recursive: true, mode: 0o700 });
  const { idleTimeoutMs, timeoutMs, maxOutputBytes, limits } = agent;
  return {
    ...{ job: call.jobId, n: call.attempt, journal: call.journal },
    argv: [file, ...launch.args],
    limits,
    env: {
      ...env,
      TMPDIR: temporary,
      ...launch.env,
      ...stateEnvironment(env, call.state),
      SLUICE_JOB_ID: call.jobId,
      SLUICE_SESSION_ID: call.sessionId,
      SLUICE_RULE: call.rule,
      SLUICE_DEPTH: String(call.depth),
      SLUICE_OUTPUT_DIR: call.outputDir,
    },
    cwd,
    ...{ stdout, stderr },
    ...(launch.stdin !== undefined && { stdin }),
    // Texts, not paths: characters in them that stand for bytes in a path mean themselves.
    files: [
      ...launch.files,
      ...(launch.stdin === undefined ? [] : [[stdin, launch.stdin] as const]),
      ...(schema ? [[join(workDir, 'schema.json'), JSON.stringify(schema.schema)] as const] : []),
      [join(workDir, launchedName), JSON.stringify(launched)] as const,
    ].map(([path, text]) => [path, literal(text)] as const),
    timeoutMs,
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    maxOutputBytes,
  };
}

/** Refused before its model said a word: that is known to cost nothing. */
function isFree({ terminal, faults: [fault] }: CliReport, isAnswered: boolean): boolean {
  return !isAnswered && terminal !== 'success' && fault !== undefined && refusals.has(fault.class);
}

const refusals: ReadonlySet<FaultClass> = new Set([
  'setup',
  'flags',
  'auth',
  'model',
  'context',
  'quota',
  'rate',
]);

function withLoginFix(fault: CliFault, kind: CliKind, login: LoginState | undefined): CliFault {
  return fault.class === 'auth' && fault.fix === undefined ? { ...fault, fix: loginFix(kind, login) } : fault;
}

function recordOf(
  kind: CliKind,
  call: AgentCall,
  { record, cwd }: Launched,
  report: CliReport,
  redact: (text: string) => string,
): CliRecord {
  const { sessionId, denials, faults, model } = report;
  const agent = asCli(call.agent);
  const ceiling = ceilingOf(agent, call);
  const given = boundCorrection(call.correction ?? {}, ceiling, record.version);
  // To leave out what it was not given would change nothing.
  const curable = faults.filter(
    ({ cure }) => cure?.kind !== 'without_flag' || record.flags.includes(cure.flag),
  );
  const lacking = { ...report, faults: curable };
  const next = correctionFor(lacking, ceiling, given);
  const wanted = next ? undefined : wantedCorrection(lacking, ceiling, given);
  const fault = report.terminal === 'success' ? undefined : faults[0];
  const named = model ?? agent.cli.model;
  // A copy goes with its job; the sessions are found from the project, too.
  const place = call.workspaceDir === undefined ? cwd : call.projectDir;
  const resume = sessionId === undefined ? undefined : kind.resume(sessionId, place);
  return {
    ...record,
    flags: record.flags.map(redact),
    ...(record.correction && {
      correction: {
        ...record.correction,
        added: record.correction.added.map(redact),
        removed: record.correction.removed.map(redact),
      },
    }),
    ...(named !== undefined && { model: named }),
    ...(sessionId !== undefined && { sessionId }),
    ...(resume !== undefined && { resume }),
    ...(fault && { fault: fault.class }),
    denials: denials.slice(0, maxShownDenials).map(({ message }) => redact(message).slice(0, 300)),
    ...(next && { next: ofVersion(next, record.version) }),
    ...(wanted && { wanted: ofVersion(wanted, record.version) }),
  };
}

function ofVersion(correction: Correction, version: string | undefined): Correction {
  return correction.withoutFlags && version !== undefined ? { ...correction, version } : correction;
}

/** After a crash what it was started with is read back; an agent may have changed that file, so nothing is decided by it. */
function readLaunched(kind: CliKind, { workDir }: AgentCall): Launched {
  try {
    const read = JSON.parse(readPlain(join(workDir, launchedName), maxLaunchedBytes)) as Launched;
    if (Array.isArray(read.record.flags) && typeof read.cwd === 'string') {
      const { lastMessageFile } = read;
      const isOurs = lastMessageFile !== undefined && dirname(lastMessageFile) === workDir;
      return { record: read.record, cwd: read.cwd, ...(isOurs && { lastMessageFile }) };
    }
  } catch {
    // It was not written, or is no more what it was.
  }
  return { record: { kind: kind.name, flags: [] }, cwd: '' };
}

/** What it may write to follows from what it may do; what its `sandbox` names comes on top. */
function writing(agent: CliAgent, places: readonly string[]): CliAgent {
  const { sandbox } = agent;
  if (sandbox.mode === 'off') return agent;
  return { ...agent, sandbox: { ...sandbox, write: [...new Set([...sandbox.write, ...places])] } };
}

/** Folders are made: the CLI would make them, and what is not there cannot be shown. */
function madeReady({ path, place }: ReturnType<typeof homePlaces>[number]): string[] {
  if (place.isFile) return existsSync(fsPath(path)) ? [path] : [];
  try {
    mkdirSync(fsPath(path), { recursive: true, mode: 0o700 });
  } catch {
    return [];
  }
  return [path];
}

function protectedIn({ path, place }: ReturnType<typeof homePlaces>[number]): string[] {
  if (place.isReadOnly) return existsSync(fsPath(path)) ? [path] : [];
  return (place.protected ?? []).map((one) => {
    const file = join(path, one.path);
    try {
      if (one.content === undefined) mkdirSync(fsPath(file), { recursive: true, mode: 0o700 });
      else writeFileSync(fsPath(file), one.content, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (!existsSync(fsPath(file)))
        throw new AppError('INTERNAL', `Cannot make "${file}": ${messageOf(error)}`, {
          fix: 'Check the permissions of that folder.',
        });
    }
    return file;
  });
}

function makeLinks(links: NonNullable<Plan['launch']['links']>): void {
  for (const [path, target] of links) {
    if (!existsSync(fsPath(target))) continue;
    mkdirSync(fsPath(dirname(path)), { recursive: true, mode: 0o700 });
    rmSync(fsPath(path), { force: true });
    symlinkSync(fsPath(target), fsPath(path));
  }
}

/** @param patterns Names, or beginnings that end with `*`. */
function namesIn(env: NodeJS.ProcessEnv, patterns: readonly string[]): readonly string[] {
  return Object.keys(env).filter((name) =>
    patterns.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one)),
  );
}

/** Few of them say what they cost while they run; a bound in money needs to know. */
function pricing(call: AgentCall, priceOf: CliRunnerOptions['priceOf']): AgentCall {
  const { onSpent } = call;
  if (!onSpent) return call;
  return {
    ...call,
    onSpent: (spent) =>
      onSpent(
        spent.costUsd === null && spent.usage
          ? { ...spent, costUsd: priceOf(modelOf(call), spent.usage, Date.now()) }
          : spent,
      ),
  };
}

function modelOf({ agent }: AgentCall): string | undefined {
  return isCliAgent(agent) ? agent.cli.model : undefined;
}

function asCli(agent: AgentConfig): CliAgent {
  if (isCliAgent(agent)) return agent;
  throw new AppError('INTERNAL', `Agent "${agent.name}" of kind ${agent.kind} was handed to the CLI runner`, {
    fix: 'This is a fault in Sluice; please report it.',
  });
}
