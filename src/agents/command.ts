/** Kind `command`: any program, called with an argument list, never through a shell. Its stdout is the result. */
import { join } from 'node:path';
import { type AgentConfig, isOwnAgent } from '../config/config.ts';
import type { Template } from '../expressions/expressions.ts';
import type { Approvals } from '../sandbox/approvals.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { AgentCall, AgentResult, AgentRunner } from '../types/agent.ts';
import { AppError } from '../types/errors.ts';
import type { SandboxReport } from '../types/job.ts';
import { CommandLookup } from './command-lookup.ts';
import { collectOutput, outputFiles } from './command-output.ts';
import { runConfined } from './confined.ts';
import { agentEnvironment, type Environment, searchPath, stateEnvironment } from './environment.ts';
import { interpolateWord, parseWord, placeholderValues } from './placeholders.ts';
import type { Redactor, SecretResolver } from './ports.ts';
import { promptOf } from './prompt-of.ts';
import {
  type JournalEntry,
  limitsProblem,
  type SpawnExit,
  type Spawner,
  type StartRequest,
} from './spawner/spawner.ts';
import { takeUp } from './take-up.ts';

export interface CommandRunnerOptions {
  readonly spawner: Spawner;
  readonly secrets: SecretResolver;
  readonly redactor: Redactor;
  readonly projectDir: string;
  /** The daemon's own environment, and what of it every command sees. */
  readonly daemonEnv: NodeJS.ProcessEnv;
  readonly baseEnv: Environment;
  readonly sandbox: Sandbox;
  readonly approvals: Approvals;
}

export interface CommandRunner extends Pick<AgentRunner, 'run'> {
  /** The result of an attempt that had ended before the daemon died. */
  recover(call: AgentCall, entry: JournalEntry): Promise<AgentResult>;
  /** Why the command cannot be run now, if so. */
  available(agent: AgentConfig): Promise<AppError | undefined>;
}

type CommandAgent = Extract<AgentConfig, { kind: 'command' }>;

export function createCommandRunner(options: CommandRunnerOptions): CommandRunner {
  const { spawner, secrets, redactor, projectDir, daemonEnv, baseEnv, sandbox } = options;
  const lookup = new CommandLookup();
  /** Of each command of the configuration. */
  const parsed = new WeakMap<readonly string[], readonly Template[]>();
  const wordsOf = ({ command }: CommandAgent): readonly Template[] => {
    const words = parsed.get(command) ?? command.map(parseWord);
    parsed.set(command, words);
    return words;
  };
  const finish = (
    call: AgentCall,
    exit: SpawnExit,
    report: SandboxReport,
    signal?: AbortSignal,
  ): Promise<AgentResult> =>
    takeUp(call, exit, report, signal, () => collectOutput(call.workDir, exit, redactor));
  return {
    run: async (call, signal) => {
      const agent = asCommand(call.agent);
      const env = await agentEnvironment(baseEnv, agent.env, daemonEnv, secrets);
      const { exit, report } = await runConfined(
        { ...options, lookup },
        call,
        agent,
        startRequest(call, agent, () => wordsOf(agent), env),
        signal,
      );
      return finish(call, exit, report, signal);
    },
    recover: async (call, entry) => {
      const { env, sandbox: confinement } = call.agent;
      // This process has resolved nothing yet: what it was given is to be kept out of what it wrote.
      await agentEnvironment(baseEnv, env, daemonEnv, secrets).catch(() => {});
      return finish(call, entry.exit, await sandbox.reportOf(confinement));
    },
    available: async (agent) =>
      available(lookup, asCommand(agent), searchPath(baseEnv, agent), projectDir) ??
      (await sandbox.available(agent)) ??
      limitsProblem(agent, spawner.limitsBackend),
  };
}

function startRequest(
  call: AgentCall,
  agent: CommandAgent,
  words: () => readonly Template[],
  env: Environment,
): StartRequest {
  const { input, workDir } = call;
  const prompt = promptOf(call);
  const values = placeholderValues(input, prompt, call.inputs);
  const { stdout, stderr } = outputFiles(workDir);
  const list = join(workDir, 'files');
  const promptFile = join(workDir, 'prompt');
  const guidanceFile = join(workDir, 'guidance');
  const { idleTimeoutMs, timeoutMs, maxOutputBytes } = agent;
  return {
    job: call.jobId,
    n: call.attempt,
    journal: call.journal,
    argv: agent.isLiteral ? agent.command : words().flatMap((word) => interpolateWord(word, values)),
    limits: agent.limits,
    env: {
      ...env,
      ...stateEnvironment(env, call.state),
      ...(call.inputs.length > 0 && {
        SLUICE_FILE: input.file,
        SLUICE_FILES: list,
        SLUICE_ROOT: input.rootDir,
      }),
      SLUICE_OUTPUT_DIR: call.outputDir,
      SLUICE_JOB_ID: call.jobId,
      SLUICE_SESSION_ID: call.sessionId,
      SLUICE_RULE: call.rule,
      SLUICE_DEPTH: String(call.depth),
      ...(prompt === undefined ? {} : { SLUICE_PROMPT_FILE: promptFile }),
      ...(call.guidance === undefined ? {} : { SLUICE_GUIDANCE_FILE: guidanceFile }),
    },
    cwd: call.projectDir,
    stdout,
    stderr,
    files: [
      ...(call.inputs.length > 0
        ? [[list, call.inputs.map(({ file }) => `${file}\0`).join('')] as const]
        : []),
      ...(prompt === undefined ? [] : [[promptFile, prompt] as const]),
      ...(call.guidance === undefined ? [] : [[guidanceFile, call.guidance] as const]),
    ],
    timeoutMs,
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    maxOutputBytes,
  };
}

function available(
  lookup: CommandLookup,
  { name, command }: CommandAgent,
  path: string,
  projectDir: string,
): AppError | undefined {
  const word = command[0] ?? '';
  // Decided by each file: nothing can be said before one is there.
  if (word.includes('${{')) return undefined;
  // An attempt of a session brings its own.
  if (word === 'sluice') return undefined;
  const found = lookup.find(word, path, projectDir);
  if ('file' in found) return undefined;
  const isStep = isOwnAgent(name);
  const place = isStep ? '`command` of the step' : `\`agents.${name}.command\``;
  const fix =
    found.code === 'EACCES'
      ? `${found.fix ?? 'Correct the path'}, or name another command in ${place}.`
      : `Install "${word}", or write its full path in ${place}. PATH is ${path}`;
  const message = isStep ? found.message : `Agent "${name}" cannot run: ${found.message}`;
  return new AppError('AGENT_UNAVAILABLE', message, { fix });
}

function asCommand(agent: AgentConfig): CommandAgent {
  if (agent.kind === 'command') return agent;
  throw new AppError(
    'INTERNAL',
    `Agent "${agent.name}" of kind ${agent.kind} was handed to the command runner`,
    {
      fix: 'This is a fault in Sluice; please report it.',
    },
  );
}
