/**
 * What this machine has that could work: agent CLIs, their like from plugins, and some tools; in which state, and the entry
 * of a configuration that registers each. Asks programs for their version and help, costs nothing, sends nothing to a model.
 */
import { homedir } from 'node:os';
import type { CliKind, LoginState } from '../cli/kind.ts';
import { builtinCliKinds } from '../cli/kinds.ts';
import { type AskedKind, CliProbe, type LookedFor } from '../cli/probe.ts';
import { baseEnvironment, searchPath } from '../environment.ts';
import { createPlugins, type Plugins } from '../plugins/plugins.ts';
import { type Brought, loadPackages } from './brought.ts';
import { flagsOfLaunch } from './launch-flags.ts';
import { plainAgent } from './plain-agent.ts';
import { cliProposal, type Proposal, packageProposal } from './proposal.ts';
import { type Tool, tools } from './tools.ts';

/** What one program is good for, found or not. */
export interface Detection {
  /** Of an agent CLI its kind; of a tool its program's name: `claude`, `docker`. */
  readonly id: string;
  /** `Claude Code` */
  readonly title: string;
  /** An AI agent, not a tool. */
  readonly isAgentCli: boolean;
  /** What an agent of it is for, one line. */
  readonly purpose: string;
  readonly capabilities: readonly string[];
  readonly state: DetectionState;
  readonly proposal: Proposal;
}

export type DetectionState =
  | {
      readonly is: 'found';
      readonly file: string;
      readonly version: string;
      /** Absent: it needs none. `fix`: how a person logs in. */
      readonly login?: LoginState & { readonly fix: string };
      /** Flags that we would use and its help does not name. */
      readonly lacks: readonly string[];
    }
  /** It is there and cannot be used: broken, too old, its service does not answer. */
  | { readonly is: 'unusable'; readonly file?: string; readonly problem: string; readonly fix: string }
  /** `install`: a command line, or where it is told. `login`: how a person logs in then. */
  | { readonly is: 'missing'; readonly install: string; readonly login?: string };

export interface DetectOptions {
  /** On its PATH programs are looked for; its keys and home say who is logged in. */
  readonly env: NodeJS.ProcessEnv;
  readonly projectDir: string;
  /** Packages that bring kinds, as agents of the configuration name them; others of the project are found. */
  readonly packages?: readonly string[];
  /** What loads them. Default: from the project. */
  readonly plugins?: Pick<Plugins, 'kindOf' | 'installed'>;
  /** Ends what is being asked: what is not known by then is unusable. */
  readonly signal?: AbortSignal;
  /** How long one program may take to answer. Default: 30 s. */
  readonly timeoutMs?: number;
}

interface Asking extends DetectOptions {
  readonly probe: CliProbe;
  readonly signal: AbortSignal;
}

/** In a fixed order: agent CLIs, those of packages, tools. Never throws for what a program or a package does. */
export async function detectAgents(options: DetectOptions): Promise<readonly Detection[]> {
  const { signal = new AbortController().signal, packages = [] } = options;
  using probe = new CliProbe(options);
  const stop = () => probe[Symbol.dispose]();
  signal.addEventListener('abort', stop, { once: true });
  const asking: Asking = { ...options, probe, signal };
  try {
    const brought = await loadPackages(packages, options.plugins ?? createPlugins(options));
    return await Promise.all([
      ...[...builtinCliKinds.values()].map((kind) => detectCli(kind, cliProposal(kind), asking)),
      ...brought.map((one) => detectPackage(one, asking)),
      ...tools.map((tool) => detectTool(tool, asking)),
    ]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function detectCli(kind: CliKind, proposal: Proposal, asking: Asking): Promise<Detection> {
  const looked = await asking.probe.look(kind, plainAgent(kind.name));
  return {
    ...{ id: kind.name, title: kind.title, isAgentCli: true },
    purpose: `an AI agent: ${kind.capabilities.join(', ').replaceAll('_', ' ')}`,
    capabilities: kind.capabilities,
    state: looked.is === 'found' ? await foundCli(kind, looked, asking) : notFound(kind, looked),
    proposal,
  };
}

async function detectPackage(brought: Brought, asking: Asking): Promise<Detection> {
  const name = brought.package ?? 'plugin';
  if ('kind' in brought) return detectCli(brought.kind, cliProposal(brought.kind, name), asking);
  return {
    ...{ id: name, title: name, isAgentCli: true, purpose: 'an agent kind of a package', capabilities: [] },
    state: { is: 'unusable', problem: brought.problem, fix: brought.fix },
    proposal: packageProposal(name),
  };
}

async function foundCli(
  kind: CliKind,
  { file, version }: Extract<LookedFor, { is: 'found' }>,
  { env }: Asking,
): Promise<DetectionState> {
  // A plugin may do anything.
  const login = await kind
    .loginState({ env, home: env.HOME ?? homedir() })
    .catch((): LoginState => ({ state: 'unknown', detail: '' }));
  const known = version.flags;
  const lacks = known === undefined ? [] : flagsOfLaunch(kind, version).filter((flag) => !known.has(flag));
  return {
    is: 'found',
    file,
    version: version.text,
    login: { ...login, fix: login.fix ?? kind.login },
    lacks,
  };
}

async function detectTool(tool: Tool, asking: Asking): Promise<Detection> {
  const looked = await asking.probe.look(tool, plainAgent(tool.name));
  return {
    ...{ id: tool.name, title: tool.title, isAgentCli: false },
    ...{ purpose: tool.purpose, capabilities: tool.capabilities },
    state: looked.is === 'found' ? await foundTool(tool, looked, asking) : notFound(tool, looked),
    proposal: tool.proposal(asking.env),
  };
}

async function foundTool(
  { title, needs, service }: Tool,
  { file, version }: Extract<LookedFor, { is: 'found' }>,
  { env, signal }: Asking,
): Promise<DetectionState> {
  const lacks = needs?.flags.filter((flag) => version.flags?.has(flag) === false) ?? [];
  if (needs !== undefined && lacks.length > 0) {
    const problem = `${title} ${version.text} ("${file}") does not know ${lacks.join(', ')}`;
    return { is: 'unusable', file, problem, fix: needs.fix };
  }
  const path = searchPath(baseEnvironment(env), { env: [] });
  const problem = await service?.({ file, path, env, signal });
  if (problem !== undefined) return { is: 'unusable', file, ...problem };
  return { is: 'found', file, version: version.text, lacks: [] };
}

function notFound(
  { install, login }: Pick<AskedKind, 'install'> & { readonly login?: string },
  looked: Exclude<LookedFor, { is: 'found' }>,
): DetectionState {
  const { is, file, message, fix } = looked;
  if (is === 'missing') return { is, install, ...(login !== undefined && { login }) };
  return { is, ...(file !== undefined && { file }), problem: message, fix };
}
