/** What an agent CLI is started with: its program, what it may do, and the tools named for it, within its ceiling. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { holds } from '../types/access.ts';
import type { Access } from '../types/agent-cli.ts';
import { fsPath } from '../types/path-bytes.ts';
import type { CliSettings, EnvEntry } from './config.ts';
import { warnUnlessFound } from './resolve-command.ts';
import { type FolderAdvice, resolveFolder } from './resolve-folder.ts';
import { type Loose, projectPath, type Resolving, refuseReferences } from './resolving.ts';
import type { CliAgentFile, PluginAgentFile } from './schema-cli-agents.ts';
import type { Path } from './source.ts';
import { nearest } from './suggest.ts';
import { accessOfTool } from './tool-access.ts';

type CliFile = Loose<CliAgentFile | PluginAgentFile>;

/** Bounds and permissions that a CLI has no words for. */
const noTurns = ['max_turns', 'Remove it; `timeout` and `budget` bound an attempt.'] as const;
const noTools = ['tools', 'Remove it; `permissions` say what it may do.'] as const;
const noWords: Readonly<Record<string, readonly (typeof noTurns | typeof noTools)[]>> = {
  codex: [noTools, noTurns],
  copilot: [noTurns],
};

function refuseWithoutEffect({ findings }: Resolving, at: Path, agent: CliFile): void {
  for (const [key, fix] of noWords[agent.kind ?? ''] ?? []) {
    // No tools are what it has anyway.
    if (agent[key] === undefined || (key === 'tools' && agent.tools?.length === 0)) continue;
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, key], key: true },
      `\`${key}\` has no effect: ${agent.kind} has nothing like it`,
      fix,
    );
  }
}

/** Packages that come with Sluice, or lie beside it, are no packages of the project: only what is nowhere is told. */
function warnUnlessInstalled(context: Resolving, at: Path, plugin: string): void {
  const { findings, projectDir } = context;
  if (/^(?:\.{0,2}\/|~\/)/.test(plugin)) {
    if (existsSync(fsPath(projectPath(context, plugin)))) return;
    findings.warning(
      'COMMAND_NOT_FOUND',
      at,
      `there is no plugin at "${plugin}"`,
      'Correct the path (relative to the project folder).',
    );
    return;
  }
  const places = [projectDir, import.meta.dirname].flatMap(foldersAbove);
  if (places.some((dir) => existsSync(fsPath(join(dir, 'node_modules', plugin, 'package.json'))))) return;
  findings.warning(
    'COMMAND_NOT_FOUND',
    at,
    `the plugin "${plugin}" is not installed`,
    `Run \`npm install ${plugin}\` in ${projectDir}.`,
  );
}

function foldersAbove(dir: string): readonly string[] {
  const above = dirname(dir);
  return above === dir ? [dir] : [dir, ...foldersAbove(above)];
}

/** In their own words, which change: only what is near to one is a slip. */
const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** What is allowed, and hardly meant. */
function warnOfSlips({ findings }: Resolving, at: Path, agent: CliFile): void {
  const { effort, sandbox } = agent;
  // Most of them work on with a word that they do not know, and say nothing.
  const meant = effort === undefined || efforts.includes(effort) ? undefined : nearest(effort, efforts);
  if (meant !== undefined)
    findings.warning(
      'BAD_VALUE',
      [...at, 'effort'],
      `"${effort}" is none of the words that agent CLIs usually know for \`effort\``,
      `did you mean "${meant}"? Usual: ${efforts.join(', ')}.`,
    );
  if (sandbox?.network === 'none')
    findings.warning(
      'CONFLICT',
      [...at, 'sandbox', 'network'],
      'with `network: none` it cannot reach the service of its model',
      'Write `network: allow`, or a list of its hosts.',
    );
}

const givable: FolderAdvice = {
  placeholder: 'The folder that the file lies in is always given.',
  project: 'Remove it: the agent works in the project folder.',
};

/** @param at Path of the agent. */
export async function resolveCli(
  context: Resolving,
  at: Path,
  agent: CliFile,
  env: readonly EnvEntry[],
): Promise<CliSettings> {
  // Kinds that come with Sluice are the names of their programs.
  const program = agent.program ?? (agent.kind === 'plugin' ? undefined : agent.kind);
  if (program !== undefined && context.findings.has(at))
    await warnUnlessFound(
      context,
      [...at, agent.program === undefined ? 'kind' : 'program'],
      program,
      env,
      'Install it; `sluice agents detect` says how. Or write `program: /its/whole/path`.',
    );
  if (agent.kind === 'plugin' && agent.plugin !== undefined)
    warnUnlessInstalled(context, [...at, 'plugin'], agent.plugin);
  refuseWithoutEffect(context, at, agent);
  for (const key of ['program', 'model', 'effort'] as const)
    if (agent[key] !== undefined) refuseReferences(context, [...at, key], agent[key]);
  warnOfSlips(context, at, agent);
  if (agent.kind === 'plugin') refuseDeep(context, [...at, 'options'], agent.options);
  const permissions = await resolvePermissions(context, [...at, 'permissions'], agent.permissions);
  const tools = (agent.tools ?? []).filter((tool) => tool !== undefined);
  checkTools(context, at, agent, permissions.ceiling);
  if (agent.on_quota === 'fallback' && (agent.fallback ?? []).length === 0)
    context.findings.add(
      'warning',
      'CONFLICT',
      { path: [...at, 'on_quota'], key: true },
      '`on_quota: fallback` has no effect: the agent names no `fallback`',
      'Add `fallback: [NAME]`, who takes over meanwhile; or remove it: its jobs wait then.',
    );
  return {
    ...(agent.program !== undefined && { program: agent.program }),
    ...(agent.kind === 'plugin' && {
      plugin: { package: agent.plugin ?? '', options: agent.options ?? {} },
    }),
    ...(agent.model !== undefined && { model: agent.model }),
    ...(agent.effort !== undefined && { effort: agent.effort }),
    ...(agent.max_turns !== undefined && { maxTurns: agent.max_turns }),
    tools: [...new Set(tools)],
    permissions,
    onQuota: agent.on_quota ?? 'wait',
  };
}

/** Options are shown where the configuration is. */
function refuseDeep(context: Resolving, at: Path, value: unknown): void {
  if (typeof value === 'string') refuseReferences(context, at, value);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Array.isArray(value) ? value.entries() : Object.entries(value))
      refuseDeep(context, [...at, key], inner);
}

/** @param at Of `permissions`. */
async function resolvePermissions(
  context: Resolving,
  at: Path,
  { mode = 'read', ceiling = mode, directories = [] }: NonNullable<CliFile['permissions']> = {},
): Promise<CliSettings['permissions']> {
  const { findings } = context;
  if (!holds(ceiling, mode))
    findings.error(
      'CONFLICT',
      [...at, findings.has([...at, 'mode']) ? 'mode' : 'ceiling'],
      `the agent would be started with more (\`mode: ${mode}\`) than its \`ceiling: ${ceiling}\` allows`,
      `Write \`mode: ${ceiling}\`, or raise the ceiling: \`ceiling: ${mode}\`.`,
    );
  const found = new Set<string>();
  for (const [index, entry] of directories.entries()) {
    if (entry === undefined) continue;
    const folder = await resolveFolder(context, [...at, 'directories', index], entry, givable);
    if (folder !== undefined) found.add(folder);
  }
  return { mode, ceiling, directories: [...found] };
}

function checkTools({ findings }: Resolving, at: Path, agent: CliFile, ceiling: Access): void {
  for (const [index, tool] of (agent.tools ?? []).entries()) {
    const needed = tool === undefined ? undefined : accessOfTool(agent.kind ?? '', tool);
    if (needed === undefined || holds(ceiling, needed)) continue;
    findings.error(
      'CONFLICT',
      [...at, 'tools', index],
      `the tool "${tool}" needs \`permissions: { ceiling: ${needed} }\`, and the ceiling is \`${ceiling}\``,
      needed === 'all'
        ? `Name the commands that it may run, such as \`${tool?.replace(/\(.*/s, '')}(npm test:*)\`, or write \`permissions: { ceiling: all }\`.`
        : `Remove it, or write \`permissions: { ceiling: ${needed} }\`.`,
    );
  }
}
