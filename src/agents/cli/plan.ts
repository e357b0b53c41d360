/**
 * What one attempt of an agent CLI is started with: the configuration's settings and what a correction widens, never
 * beyond the ceiling; the launch as it would be without the correction tells what that changed.
 */
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { CliAgent } from '../../config/config.ts';
import { contains } from '../../config/contains.ts';
import type { AgentCall } from '../../types/agent.ts';
import type { Access, CliRecord, Correction } from '../../types/agent-cli.ts';
import { fsPath } from '../../types/path-bytes.ts';
import { unliteral } from '../placeholders.ts';
import { promptOf } from '../prompt-of.ts';
import { atLeast, boundCorrection, type Ceiling, isEmpty } from './correction.ts';
import type { CliKind, CliVersion, Launch, LaunchRequest, LoginState } from './kind.ts';
import { buildPrompt, withPlainNames } from './prompt.ts';

export interface Plan {
  readonly launch: Launch;
  readonly cwd: string;
  /** Where its sandbox lets it write besides the folder of the job. Absolute. */
  readonly writes: readonly string[];
  /** What its sandbox shows besides, read-only: folders that would otherwise be hidden with what is around them. Absolute. */
  readonly reads: readonly string[];
  readonly record: Omit<CliRecord, 'denials' | 'next' | 'fault' | 'model' | 'sessionId' | 'resume'>;
}

export function planLaunch(o: {
  readonly kind: CliKind;
  readonly agent: CliAgent;
  readonly call: AgentCall;
  readonly version: CliVersion;
  readonly env: Readonly<Record<string, string>>;
  readonly sessionId: string;
  readonly isConfined: boolean;
  readonly login: LoginState;
}): Plan {
  const { kind, agent, call, version } = o;
  const { cli, budget } = agent;
  const correction = boundCorrection(call.correction ?? {}, ceilingOf(agent, call), version.text);
  const cwd = cwdOf(call);
  const asked = promptOf(withPlainNames(call));
  const request = (given: Correction): LaunchRequest => {
    const access: Access = atLeast(cli.permissions.mode, given.access);
    return {
      version,
      ...(cli.model !== undefined && { model: cli.model }),
      ...(cli.effort !== undefined && { effort: cli.effort }),
      ...(cli.maxTurns !== undefined && { maxTurns: cli.maxTurns }),
      tools: [...new Set([...cli.tools, ...(given.tools ?? [])])],
      access,
      cwd,
      directories: directoriesOf(call, cwd, access, given),
      prompt: buildPrompt(call, {
        prompt: asked === undefined ? undefined : unliteral(asked),
        description: agent.description,
        outputDir: access === 'read' ? undefined : call.outputDir,
        tokensPerTask: agent.tokensPerTask,
        isPromptOnly: call.step !== undefined && call.input.file === join(call.workDir, 'prompt.md'),
      }),
      ...(call.schema && { schema: { file: join(call.workDir, 'schema.json'), schema: call.schema.schema } }),
      ...(budget?.usdPerRun !== undefined && { maxUsd: budget.usdPerRun }),
      sessionId: o.sessionId,
      workDir: call.workDir,
      skipGitCheck: given.skipGitCheck === true,
      login: o.login,
      withoutFlags: given.withoutFlags ?? [],
      isConfined: o.isConfined,
      isRoot: process.getuid?.() === 0,
      env: o.env,
      options: cli.plugin?.options ?? {},
    };
  };
  const plainParts = (): readonly string[] => {
    const plainly = request({});
    return partsOf(kind.launch(plainly), o.isConfined ? writesOf(call, plainly) : []);
  };
  const given = request(correction);
  const launch = kind.launch(given);
  const flags = flagsOf(launch);
  const writes = writesOf(call, given);
  const parts = partsOf(launch, o.isConfined ? writes : []);
  const plain = isEmpty(correction) ? undefined : plainParts();
  return {
    launch,
    cwd,
    writes,
    reads: readsOf(call, given, writes),
    record: {
      kind: kind.name,
      version: version.text,
      flags,
      ...(plain && {
        correction: { ...correction, added: without(parts, plain), removed: without(plain, parts) },
      }),
    },
  };
}

export function ceilingOf(
  { cli }: Pick<CliAgent, 'cli'>,
  call: Pick<AgentCall, 'projectDir' | 'rootDirs' | 'workspaceDir'>,
): Ceiling {
  const { projectDir, rootDirs, workspaceDir } = call;
  return {
    permissions: cli.permissions,
    places: [projectDir, ...rootDirs, ...(workspaceDir === undefined ? [] : [workspaceDir])],
  };
}

/**
 * The project folder. Where the agent works on a copy of another tree, the copy: relative paths must not lead it to the tree
 * that was copied. As a real path, since CLIs look up settings of a folder by that.
 */
function cwdOf({ projectDir, workspaceDir }: AgentCall): string {
  const dir = workspaceDir === undefined || contains(workspaceDir, projectDir) ? projectDir : workspaceDir;
  const place = fsPath(dir);
  return typeof place === 'string' && existsSync(place) ? realpathSync(place) : dir;
}

function directoriesOf(call: AgentCall, cwd: string, access: Access, given: Correction): readonly string[] {
  // The folder that it was not let write to may be one that it was about to make.
  if (access !== 'read') for (const dir of given.directories ?? []) makeFolder(dir);
  const wanted = [
    ...(call.inputs.length > 0 ? [call.input.rootDir] : []),
    ...(access === 'read' ? [] : [call.outputDir]),
    ...(given.directories ?? []),
  ];
  return [...new Set(wanted)].filter((dir) => !contains(cwd, dir) && existsSync(fsPath(dir)));
}

/** An agent that works on a copy writes to the copy, in the folder of the job, and not to the tree that was copied. */
function writesOf(
  { projectDir, rootDirs, workDir, workspaceDir }: AgentCall,
  { access, cwd, directories }: LaunchRequest,
): readonly string[] {
  if (access === 'read') return [];
  const copied = workspaceDir === undefined ? [] : [projectDir, ...rootDirs];
  return [cwd, ...directories].filter((dir) => ![workDir, ...copied].some((one) => contains(one, dir)));
}

/** The project and the roots are there anyway. */
function readsOf(
  { projectDir, rootDirs, workDir }: AgentCall,
  { directories }: LaunchRequest,
  writes: readonly string[],
): readonly string[] {
  const known = [projectDir, ...rootDirs, workDir, ...writes];
  return directories.filter((dir) => !known.some((one) => contains(one, dir)));
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(fsPath(dir), { recursive: true });
  } catch {
    // Then it is not given, and the attempt says so.
  }
}

/** As it is shown: without the prompt, where that is an argument. */
function flagsOf({ args }: Launch): readonly string[] {
  return args.map(shown);
}

/**
 * All in which two launches can differ, as texts: each flag with its values; variables, since some CLIs are told by them what
 * they may do; and the folders that our sandbox lets it write to, as `sandbox.write` would name them, since a CLI that runs
 * without a sandbox of its own has no flags for them.
 */
function partsOf(launch: Launch, writes: readonly string[]): readonly string[] {
  const parts: string[] = [];
  for (const word of flagsOf(launch))
    if (word.startsWith('-') || parts.length === 0) parts.push(word);
    else parts.push(`${parts.pop()} ${word}`);
  return [
    ...parts,
    ...Object.entries(launch.env).map(([name, value]) => `${name}=${shown(value)}`),
    ...writes.map((path) => `sandbox.write=${path}`),
  ];
}

function shown(word: string): string {
  return word.length > 300 ? `<${word.length} characters>` : word;
}

function without(a: readonly string[], b: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const word of b) left.set(word, (left.get(word) ?? 0) + 1);
  return a.filter((word) => {
    const count = left.get(word) ?? 0;
    left.set(word, count - 1);
    return count <= 0;
  });
}
