/** One command run inside its sandbox, with what belongs to that: approvals, the tripwire, a sandbox that cannot be made. */
import { rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentConfig } from '../config/config.ts';
import { type Approvals, approvalsDir } from '../sandbox/approvals.ts';
import type { Confinement, SetupFault } from '../sandbox/confinement.ts';
import { plainReport } from '../sandbox/report.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { refusedFile } from '../sandbox/shim-script.ts';
import type { AgentCall, AgentEvent, AttemptOutcome } from '../types/agent.ts';
import type { SandboxReport } from '../types/job.ts';
import { fsPath } from '../types/path-bytes.ts';
import type { CommandLookup } from './command-lookup.ts';
import { outputFiles, readTail } from './command-output.ts';
import { type LiveOptions, watchLive } from './live/watch-live.ts';
import { readPlain } from './plain-file.ts';
import type { Redactor } from './ports.ts';
import type { SpawnExit, Spawner, StartRequest } from './spawner/spawner.ts';

export interface ConfinedOptions {
  readonly spawner: Spawner;
  readonly lookup: CommandLookup;
  readonly redactor: Redactor;
  readonly sandbox: Sandbox;
  readonly approvals: Approvals;
  /** See `LiveOptions`. */
  readonly lingerMs?: number | undefined;
}

/** Files come and go between the look at them and the start; after so many starts in vain it is something else. */
const maxSetups = 3;
const maxCommandBytes = 1_024;

/** What an agent CLI needs besides. */
export interface OwnNeeds {
  readonly ownPlaces: readonly string[];
  readonly ownProtected: readonly string[];
  /** How its output is heard while it runs. */
  readonly read: NonNullable<LiveOptions['read']>;
}

/** @returns how it ended, with outcome `unconfinable` when it could not be confined as it must be. */
export async function runConfined(
  options: ConfinedOptions,
  call: AgentCall,
  agent: AgentConfig,
  request: StartRequest,
  signal: AbortSignal,
  needs?: OwnNeeds,
): Promise<{ readonly exit: SpawnExit; readonly report: SandboxReport }> {
  const { sandbox, approvals, lookup } = options;
  // The spawner finds the command, or says why not.
  if (agent.sandbox.mode === 'off')
    return {
      exit: await runOnce(options, call, agent, request, signal, needs),
      report: plainReport(agent.sandbox),
    };
  const { jobId, attempt, workDir, inputs, rootDirs, input, workspaceDir = input.rootDir } = call;
  const startedAt = Date.now();
  const found = lookup.find(request.argv[0] ?? '', request.env.PATH ?? '', request.cwd);
  if ('code' in found) {
    // Not left to the spawner: a file that appears meanwhile would be run without confinement.
    const { code, message } = found;
    const report = await sandbox.reportOf(agent.sandbox);
    return { exit: notRun({ kind: 'spawn_failed', code, message }, startedAt), report };
  }
  const mayAsk = agent.sandbox.blocked.length + agent.sandbox.confirm.length > 0;
  using _asking = mayAsk ? await approvals.watch({ jobId, attempt, agent: agent.name, workDir }) : undefined;
  for (let setups = 1; ; setups += 1) {
    const confinement = await sandbox.confine(agent.sandbox, {
      ...{ agent: agent.name, jobId, attempt, argv: request.argv, env: request.env, cwd: request.cwd },
      ...{ commandFile: found.file, workDir, rootDirs, workspaceDir, inputs: inputs.map(({ file }) => file) },
      ...(call.state && { state: call.state }),
      ...(needs && { ownPlaces: needs.ownPlaces, ownProtected: needs.ownProtected }),
    });
    const { report } = confinement;
    if (confinement.kind === 'refused') return { exit: notRun(unconfinable(confinement), startedAt), report };
    const start = { ...request, ...startOf(confinement) };
    const exit = await runOnce(options, call, agent, start, signal, needs);
    const fault = await faultOf(options, confinement, exit, workDir);
    if (fault?.kind === 'again' && setups < maxSetups && !signal.aborted) continue;
    return { exit: fault === undefined ? exit : { ...exit, outcome: outcomeOf(fault) }, report };
  }
}

async function runOnce(
  { spawner, redactor, lingerMs }: ConfinedOptions,
  call: AgentCall,
  agent: AgentConfig,
  request: StartRequest,
  signal: AbortSignal,
  needs: OwnNeeds | undefined,
): Promise<SpawnExit> {
  const ending = new AbortController();
  using watch = watchLive({
    stdoutFile: request.stdout,
    agent,
    onSpent: call.onSpent,
    onEvent: call.onEvent && redacting(call.onEvent, redactor),
    ...(needs && { read: needs.read }),
    lingerMs,
    onEnd: (reason) => ending.abort(reason),
    blocked: agent.sandbox.mode === 'off' ? undefined : agent.sandbox.blocked,
    redact: (text) => redactor.redact(text),
  });
  // Awaited here: the watch ends when this function does.
  const exit = await spawner.run(request, watch ? AbortSignal.any([signal, ending.signal]) : signal);
  if (call.onEvent) await watch?.flush();
  return exit;
}

/** What is heard while it runs goes to people and reviewers at once. */
function redacting(
  onEvent: NonNullable<AgentCall['onEvent']>,
  redactor: Pick<Redactor, 'redact'>,
): NonNullable<AgentCall['onEvent']> {
  return (event) => {
    const text = JSON.stringify(event);
    const clean = redactor.redact(text);
    onEvent(clean === text ? event : (parsed(clean) ?? { type: event.type, payload: {} }));
  };
}

/** A secret of digits alone may have been taken out of a number. */
function parsed(text: string): AgentEvent | undefined {
  try {
    return JSON.parse(text) as AgentEvent;
  } catch {
    return undefined;
  }
}

function startOf({ argv, env, sandboxed }: Extract<Confinement, { kind: 'run' }>) {
  return { argv, env, ...(sandboxed ? { sandboxed } : {}) };
}

async function faultOf(
  { redactor }: ConfinedOptions,
  confinement: Extract<Confinement, { kind: 'run' }>,
  exit: SpawnExit,
  workDir: string,
): Promise<SetupFault | undefined> {
  const { outcome, stdoutBytes, stderrBytes } = exit;
  if (confinement.faultOf === undefined || outcome.kind !== 'exited' || outcome.exitCode !== 1)
    return undefined;
  if (stdoutBytes > 0 || stderrBytes === 0) return undefined;
  return confinement.faultOf(await readTail(outputFiles(workDir).stderr, redactor));
}

function outcomeOf(fault: SetupFault): AttemptOutcome {
  if (fault.kind !== 'not_started') return unconfinable(fault);
  const { code, message } = fault;
  return { kind: 'spawn_failed', code, message };
}

function unconfinable({ message, fix }: { readonly message: string; readonly fix: string }): AttemptOutcome {
  return { kind: 'unconfinable', message, fix };
}

function notRun(outcome: AttemptOutcome, startedAt: number): SpawnExit {
  return { outcome, startedAt, endedAt: Date.now(), stdoutBytes: 0, stderrBytes: 0 };
}

/** A command that failed after something it called was refused: that is why, as far as anybody can know. */
export async function refusedOutcome(outcome: AttemptOutcome, workDir: string): Promise<AttemptOutcome> {
  const dir = approvalsDir(workDir);
  const [command = ''] = readPlain(join(dir, refusedFile), maxCommandBytes).split('\n', 1);
  await removeRequests(dir);
  if (command === '' || outcome.kind !== 'exited' || outcome.exitCode === 0) return outcome;
  return { kind: 'refused_command', command };
}

/** Mostly nobody has asked. */
async function removeRequests(dir: string): Promise<void> {
  try {
    for (const empty of [join(dir, 'answers'), dir]) rmdirSync(fsPath(empty));
  } catch {
    await rm(fsPath(dir), { recursive: true, force: true });
  }
}
