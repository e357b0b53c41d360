/**
 * Confinement of commands: what can be had on this machine, and how each attempt is started. Everything is tried before it
 * is relied upon, and tried again while it fails, so that installing what is missing is all that is needed.
 */
import { join } from 'node:path';
import { type AgentConfig, isCliAgent, type SandboxConfig } from '../config/config.ts';
import { contains } from '../config/contains.ts';
import type { Conditions } from '../types/condition.ts';
import { AppError } from '../types/errors.ts';
import type { SandboxReport } from '../types/job.ts';
import { approvalsDir } from './approvals.ts';
import { bwrapPrefix } from './bwrap.ts';
import type { Confinement, ConfineRequest, SetupFault } from './confinement.ts';
import { gitPlaces } from './git-places.ts';
import { hostsFault, hostsProblem, hostsStart, needsHosts } from './hosts.ts';
import type { Mount } from './mounts.ts';
import { OwnerOnlyFinder } from './owner-only.ts';
import { attempt, findTool, type Probed, probeBwrap } from './probe.ts';
import type { Remedy } from './remedy.ts';
import { plainReport } from './report.ts';
import { approvalsVariable } from './shim-script.ts';
import { ShimFolders, type Shims } from './shims.ts';
import {
  hiddenMounts,
  type Surroundings,
  surroundingsOf,
  type View,
  ViewProblem,
  type ViewRequest,
  viewOf,
} from './view.ts';

export interface SandboxOptions {
  readonly projectDir: string;
  readonly stateDir: string;
  readonly conditions: Conditions;
  /** PATH of the daemon. */
  readonly path: string;
  /** Homes of the user that runs the daemon: hidden. */
  readonly homes: readonly string[];
  /** Never written by a confined command, also inside of `write`: results, the configuration. */
  readonly protectedPaths: () => readonly string[];
  readonly now: () => number;
}

type Raised = Parameters<Conditions['raise']>[0];
type Confined = Exclude<SandboxConfig, { mode: 'off' }>;

/** A failed try is repeated after this time: what was missing may have been installed. */
const probeAgainMs = 10_000;
const scratchBytes = 1 << 30;
const surroundingsMs = 3_000;
const surroundingsKept = 50;

export class Sandbox {
  readonly #options: SandboxOptions;
  readonly #finder = new OwnerOnlyFinder();
  readonly #shims: ShimFolders;
  #probed: { readonly result: Promise<Probed>; until: number } | undefined;
  readonly #known = new Map<string, { readonly around: Surroundings; readonly at: number }>();
  #followed = new Set<string>();

  constructor(options: SandboxOptions) {
    const { projectDir } = options;
    // Where agents may write, nothing is taken from that is run outside (`node_modules/.bin`, `.venv/bin`).
    const folders = options.path.split(':').filter((folder) => !contains(projectDir, folder));
    this.#options = { ...options, path: folders.join(':') };
    this.#shims = new ShimFolders(options.stateDir, options.now);
  }

  /** Tries what these agents need and raises, or clears, the conditions that say so; for those that are gone too. */
  async follow(agents: Iterable<AgentConfig>): Promise<void> {
    const commands = [...agents].filter((agent) => agent.kind === 'command' || isCliAgent(agent));
    const gone = this.#followed.difference(new Set(commands.map(({ name }) => name)));
    for (const name of gone) this.#show(name, undefined);
    this.#followed = new Set(commands.map(({ name }) => name));
    for (const agent of commands) await this.available(agent);
  }

  /** `SANDBOX_UNAVAILABLE` when the agent must be confined and cannot be; keeps its condition up to date. */
  async available({ name, sandbox }: AgentConfig): Promise<AppError | undefined> {
    const problem = sandbox.mode === 'off' ? undefined : await this.#problem(sandbox);
    const isExperimental = sandbox.mode !== 'off' && problem === undefined && needsHosts(sandbox);
    const isBare = sandbox.mode === 'auto' && problem !== undefined;
    this.#show(name, isExperimental ? experimental(name) : isBare ? unconfined(name, problem) : undefined);
    if (sandbox.mode !== 'required' || problem === undefined) return undefined;
    const { message, fix } = problem;
    return new AppError('SANDBOX_UNAVAILABLE', `Agent "${name}" must be confined and cannot be: ${message}`, {
      fix,
    });
  }

  /** What stands in the receipt of an attempt that was started before the daemon was, by what can be had now. */
  async reportOf(sandbox: SandboxConfig): Promise<SandboxReport> {
    if (sandbox.mode === 'off') return plainReport(sandbox);
    const problem = await this.#problem(sandbox);
    return problem === undefined ? confinedReport(sandbox) : unconfinedReport(sandbox, problem.message);
  }

  /** How to start this attempt. Never throws for what cannot be confined. */
  async confine(sandbox: SandboxConfig, request: ConfineRequest): Promise<Confinement> {
    if (sandbox.mode === 'off') {
      const { argv, env } = request;
      return { kind: 'run', argv, env, report: plainReport(sandbox), sandboxed: false };
    }
    const problem = await this.#problem(sandbox);
    const shims = this.#shims.of(sandbox, request.env.PATH ?? '');
    if (problem === undefined) return this.#wrap(sandbox, request, shims);
    const { message, fix } = problem;
    const report = unconfinedReport(sandbox, message);
    if (sandbox.mode === 'required') return { kind: 'refused', message, fix, report };
    return { kind: 'run', argv: request.argv, env: withShims(request, shims), report, sandboxed: false };
  }

  async #wrap(sandbox: Confined, request: ConfineRequest, shims: Shims | undefined): Promise<Confinement> {
    let view: View;
    try {
      const wanted = this.#viewRequest(sandbox, request, shims);
      view = viewOf(this.#surroundings(wanted), wanted);
    } catch (error) {
      if (!(error instanceof ViewProblem)) throw error;
      const { message, fix } = error;
      return { kind: 'refused', message, fix, report: unconfinedReport(sandbox, message) };
    }
    const found = [
      await this.#finder.find(view.places, this.#options.protectedPaths()),
      ...(view.copied.length > 0 ? [await this.#finder.find(view.copied)] : []),
    ];
    const hidden = found.flatMap((ownerOnly) => hiddenMounts(ownerOnly, view));
    const mounts: Mount[] = [...view.mounts, ...hidden, ...(shims?.mounts ?? [])];
    const report = {
      ...confinedReport(sandbox),
      ...(found.every(({ isComplete }) => isComplete) ? {} : { reason: notAllLookedAt }),
    };
    const env = withShims(request, shims);
    if (needsHosts(sandbox)) {
      const start = hostsStart({ mounts, network: sandbox.network, request, env });
      const faultOf = async (stderrTail: string): Promise<SetupFault | undefined> => {
        const fault = hostsFault(stderrTail);
        return fault && { kind: 'refused', ...fault };
      };
      return { kind: 'run', ...start, report, sandboxed: false, faultOf };
    }
    const probed = await this.#probe();
    if ('problem' in probed) return { kind: 'refused', ...probed.problem, report };
    const { file, bounds } = probed.bwrap;
    const prefix = bwrapPrefix({
      ...{ bwrap: file, mounts, cwd: request.cwd },
      network: sandbox.network === 'allow' ? 'allow' : 'none',
      ...(bounds ? { scratchBytes } : {}),
    });
    return {
      kind: 'run',
      argv: [...prefix, ...request.argv],
      env: { ...env, TMPDIR: view.tmp, ...(view.home === undefined ? { HOME: view.tmp } : {}) },
      report,
      sandboxed: true,
      faultOf: (stderrTail) => this.#faultOf(stderrTail, prefix, request),
    };
  }

  #viewRequest(sandbox: Confined, request: ConfineRequest, shims: Shims | undefined): ViewRequest {
    const { projectDir, stateDir, homes, protectedPaths } = this.#options;
    const { workDir, env, argv, commandFile, rootDirs, inputs, state } = request;
    const { ownPlaces = [], ownProtected = [] } = request;
    // A copy of the tree lies in the job's own folder, all of which is writable.
    const isCopy = contains(workDir, request.workspaceDir);
    const tree = isCopy ? undefined : request.workspaceDir;
    const approvals = approvalsDir(workDir);
    const write = sandbox.write.flatMap((name) =>
      name === 'workspace' ? (tree ?? []) : name === 'project' ? projectDir : name,
    );
    return {
      ...{ projectDir, stateDir, rootDirs, workDir, inputs, write, ownPlaces, commandFile },
      ...(isCopy ? { copyDir: request.workspaceDir } : { workspaceDir: request.workspaceDir }),
      protectedPaths: [...protectedPaths(), ...ownProtected, ...(shims ? [join(approvals, 'answers')] : [])],
      gitPaths: [projectDir, ...rootDirs, ...write].flatMap(gitPlaces),
      shownPaths: [
        ...(shims ? [shims.dir] : []),
        ...(state ? [state.socket, state.commandsDir, ...state.parts] : []),
      ],
      programs: state ? [state.node] : [],
      home: env.HOME,
      homes: [...new Set([...homes, ...(env.HOME?.startsWith('/') ? [env.HOME] : [])])],
      path: env.PATH ?? '',
      words: argv.slice(1),
    };
  }

  /** Looked at anew every few seconds: two dozen folders on PATH, and what links in them point to. */
  #surroundings(wanted: ViewRequest): Surroundings {
    const { projectDir, rootDirs, home, homes, path, commandFile, programs } = wanted;
    const request = { projectDir, rootDirs, home, homes, path, commandFile, programs };
    const key = JSON.stringify(request);
    const known = this.#known.get(key);
    const now = this.#options.now();
    if (known !== undefined && now >= known.at && now < known.at + surroundingsMs) return known.around;
    if (this.#known.size >= surroundingsKept) this.#known.clear();
    const around = surroundingsOf(request);
    this.#known.set(key, { around, at: now });
    return around;
  }

  async #faultOf(
    stderrTail: string,
    prefix: readonly string[],
    request: ConfineRequest,
  ): Promise<SetupFault | undefined> {
    const said = /^bwrap: (.*)\n?$/.exec(stderrTail)?.[1];
    if (said === undefined) return undefined;
    const refusal = /^execvp (.*): (.*)$/.exec(said);
    if (refusal !== null) return notStarted(request.commandFile, refusal[2] ?? '');
    // The command could have said so itself: the same confinement is tried with one that says nothing.
    const nothing = findTool('true', this.#options.path);
    if (nothing === undefined || (await attempt([...prefix, nothing])).ok) return undefined;
    this.#finder.forget();
    this.#known.clear();
    this.#probed = undefined;
    const probed = await this.#probe();
    if (!('bwrap' in probed)) return { kind: 'refused', ...probed.problem };
    // What it was to hide or show has been removed since it was looked at.
    const fix = 'Run the job again; if it stays so, please report it.';
    return { kind: 'again', message: `The sandbox could not be set up: ${said}`, fix };
  }

  /** Why these agents cannot be confined as they are to be. */
  async #problem(sandbox: Confined): Promise<Remedy | undefined> {
    if (process.platform === 'darwin') return hostsProblem(this.#options.path);
    const probed = await this.#probe();
    if ('problem' in probed) return probed.problem;
    return needsHosts(sandbox) ? hostsProblem(this.#options.path) : undefined;
  }

  #probe(): Promise<Probed> {
    const { now, path } = this.#options;
    if (this.#probed === undefined || now() >= this.#probed.until) {
      const probing = { result: probeBwrap(path), until: Number.POSITIVE_INFINITY };
      this.#probed = probing;
      const again = () => {
        probing.until = now() + probeAgainMs;
      };
      probing.result.then((probed) => void ('bwrap' in probed || again()), again);
    }
    return this.#probed.result;
  }

  /** Raises this one, and clears what else was said of the agent. */
  #show(agent: string, condition: Raised | undefined): void {
    const { conditions } = this.#options;
    for (const code of ['SANDBOX_NONE', 'SANDBOX_EXPERIMENTAL'] as const)
      if (code !== condition?.code) conditions.clear(code, agent);
    if (condition !== undefined) conditions.raise(condition);
  }
}

function withShims({ env, workDir }: ConfineRequest, shims: Shims | undefined): ConfineRequest['env'] {
  if (shims === undefined) return env;
  return { ...env, PATH: `${shims.dir}:${env.PATH ?? ''}`, [approvalsVariable]: approvalsDir(workDir) };
}

function confinedReport(sandbox: Confined): SandboxReport {
  const { mode, network } = sandbox;
  return { mode, backend: needsHosts(sandbox) ? 'sandbox-runtime' : 'bwrap', network };
}

const notAllLookedAt =
  'files that only their owner may read were looked for among the first 50,000 files only';

function unconfined(agent: string, { message, fix }: Remedy): Raised {
  return {
    code: 'SANDBOX_NONE',
    subject: agent,
    message: `agent "${agent}" runs without confinement: ${message}`,
    fix: `${fix} Or say that it is meant so: \`sandbox: { mode: off, reason: "…" }\`.`,
  };
}

function experimental(agent: string): Raised {
  return {
    code: 'SANDBOX_EXPERIMENTAL',
    subject: agent,
    message: `agent "${agent}" is confined by sandbox-runtime, which is experimental: its host list can be got around by a host that serves others`,
    fix: 'Nothing needs to be done; `network: none` or `network: allow` use the built-in sandbox (Linux).',
  };
}

function unconfinedReport({ mode }: Confined, reason: string): SandboxReport {
  return { mode, backend: 'none', reason };
}

function notStarted(commandFile: string, why: string): SetupFault {
  const codes: Readonly<Record<string, string>> = {
    'No such file or directory': 'ENOENT',
    'Permission denied': 'EACCES',
    'Exec format error': 'ENOEXEC',
    'Argument list too long': 'E2BIG',
  };
  const message = `"${commandFile}" cannot be run in the sandbox (${why}): it, or the interpreter that its first line names, cannot be seen there`;
  return { kind: 'not_started', code: codes[why] ?? 'EINVAL', message };
}
