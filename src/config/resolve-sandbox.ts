/**
 * The `sandbox` of a command agent: what it may write to, reach and run. Paths are checked here, as they stand on disk:
 * a link in a path that looks harmless would open another place than the one a person read and agreed to.
 */
import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type { SandboxConfig } from './config.ts';
import { contains } from './contains.ts';
import { type Loose, projectPath, type Resolving, refuseReferences } from './resolving.ts';
import type { CommandAgentFile } from './schema-agents.ts';
import type { Path } from './source.ts';
import { splitCommand } from './split-command.ts';

type SandboxFile = Loose<NonNullable<CommandAgentFile['sandbox']>>;

/** What every agent gets that starts no program: there is nothing to confine. */
export const nothingToConfine: SandboxConfig = {
  mode: 'auto',
  write: [],
  network: 'none',
  blocked: [],
  confirm: [],
};

/**
 * @param at Path of the `sandbox`.
 * @param sandbox With the schema's defaults, also when it is not written.
 */
export async function resolveSandbox(
  context: Resolving,
  at: Path,
  sandbox: SandboxFile,
): Promise<SandboxConfig> {
  const { findings } = context;
  const written = findings.has(at);
  if (sandbox.mode === 'off') {
    for (const key of ['write', 'network', 'blocked', 'confirm'] as const)
      if (sandbox[key] !== undefined && findings.has([...at, key]))
        findings.add(
          'error',
          'CONFLICT',
          { path: [...at, key], key: true },
          `\`${key}\` has no effect: the sandbox is off`,
          `Remove \`${key}\`, or choose \`mode: required\` or \`mode: auto\`.`,
        );
    if (sandbox.reason === undefined && !findings.has([...at, 'reason']))
      findings.add(
        'error',
        'MISSING_KEY',
        { path: at, key: true },
        '`mode: off` says no `reason`',
        'Add `reason: "only reads, written by us"`: why that is acceptable here; the receipt repeats it.',
      );
    return { mode: 'off', reason: sandbox.reason ?? '' };
  }
  if (findings.has([...at, 'reason']))
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'reason'], key: true },
      '`reason` has no effect: the sandbox is not off',
      'Remove it, or write `mode: off`.',
    );
  const write = new Set<string>();
  for (const [index, entry] of (sandbox.write ?? []).entries()) {
    if (entry === undefined) continue;
    const found = await resolveWritable(context, [...at, 'write', index], entry);
    if (found !== undefined) write.add(found);
  }
  const blocked = resolveCommands(context, [...at, 'blocked'], sandbox.blocked ?? []);
  const confirm = resolveCommands(context, [...at, 'confirm'], sandbox.confirm ?? []);
  const refused = new Set(blocked.map((words) => words.join(' ')));
  for (const [index, words] of confirm.entries())
    if (refused.has(words.join(' ')))
      findings.error(
        'CONFLICT',
        [...at, 'confirm', index],
        `"${words.join(' ')}" is blocked, and to be confirmed`,
        'Keep it in one of the two lists; both have defaults, which a list of your own replaces.',
      );
  return {
    // Who writes a sandbox relies on it; without one it is what can be had.
    mode: sandbox.mode ?? (written ? 'required' : 'auto'),
    write: [...write],
    network: resolveNetwork(context, [...at, 'network'], sandbox.network ?? 'none'),
    blocked,
    confirm,
  };
}

/** @returns `workspace`, `project`, or an absolute path without links in it. */
async function resolveWritable(context: Resolving, at: Path, entry: string): Promise<string | undefined> {
  const { findings, projectDir } = context;
  if (entry === 'workspace') return entry;
  refuseReferences(context, at, entry);
  if (entry.includes('${{')) {
    findings.error(
      'BAD_PLACEHOLDER',
      at,
      '`${{ … }}` is not filled in here',
      'Write `workspace` for the tree that the file lies in; the folder of the job is always writable.',
    );
    return undefined;
  }
  const path = entry === 'project' ? projectDir : projectPath(context, entry);
  if (contains(join(projectDir, '.sluice'), path)) return coversState(context, at, entry, false);
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) {
    findings.error(
      'BAD_FILE',
      at,
      `"${entry}" does not exist`,
      `Create it (\`mkdir -p '${path}'\`), or correct the path; it is relative to the project folder.`,
    );
    return undefined;
  }
  const home = await realpath(homedir()).catch(() => homedir());
  if (contains(real, home)) {
    findings.error(
      'BAD_VALUE',
      at,
      real === home ? `"${entry}" is the home folder itself` : `"${entry}" holds the home folder`,
      'Name the folders in it that the agent needs.',
    );
    return undefined;
  }
  if (entry === 'project') return entry;
  const within = (await seemsToLieIn(projectDir, path)) ?? (await seemsToLieIn(homedir(), path));
  if (within ? !contains(within, real) : real !== path) {
    findings.error(
      'BAD_VALUE',
      at,
      `"${entry}" is or goes through a symbolic link and is really "${real}"`,
      `Write the real path if that is what you want: \`${real}\`.`,
    );
    return undefined;
  }
  const project = await realpath(projectDir).catch(() => projectDir);
  const state = join(project, '.sluice');
  if (contains(real, state) || contains(state, real))
    return coversState(context, at, entry, real === project);
  // Below a project that is reached by a link the path keeps its written form: it is the one that agents see.
  if (within === project) return resolve(projectDir, relative(project, real));
  return real;
}

function coversState({ findings }: Resolving, at: Path, entry: string, isProject: boolean): undefined {
  findings.error(
    'CONFLICT',
    at,
    `"${entry}" covers \`.sluice\`, where Sluice keeps its own state`,
    isProject
      ? 'Write `project`: the project folder without it.'
      : 'Name the folders that the agent needs; the folder of its job is always writable.',
  );
}

/** The real path of `folder` when `path`, as it is written, lies in it. */
async function seemsToLieIn(folder: string, path: string): Promise<string | undefined> {
  return contains(folder, path) ? realpath(folder).catch(() => folder) : undefined;
}

function resolveNetwork(
  { findings }: Resolving,
  at: Path,
  network: Loose<string | readonly string[]>,
): 'none' | 'allow' | readonly string[] {
  if (typeof network === 'string') return network === 'allow' ? 'allow' : 'none';
  const hosts = (network as readonly (string | undefined)[]).filter((host) => host !== undefined);
  for (const [index, host] of hosts.entries()) {
    const isWord = host === 'none' || host === 'allow';
    if (isHost(host) && !isWord) continue;
    const near = hostIn(host);
    findings.error(
      'BAD_VALUE',
      [...at, index],
      isWord ? `"${host}" stands among hosts` : `"${host}" is no host name`,
      isWord
        ? `Write \`network: ${host}\`, without brackets.`
        : `Write a name without scheme, port and path: \`${near ?? 'api.example.com'}\`; \`*.example.com\` stands for every name below.`,
    );
  }
  return hosts.length === 0 ? 'none' : hosts;
}

function isHost(text: string): boolean {
  return (
    text.length <= 253 &&
    /^(\*\.(?=.*\.))?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/.test(
      text,
    )
  );
}

function hostIn(text: string): string | undefined {
  const url = text.includes('://') ? text : `http://${text}`;
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  return isHost(host) ? host : undefined;
}

/** `git push` → `['git', 'push']`. */
function resolveCommands(
  { findings }: Resolving,
  at: Path,
  commands: readonly (string | undefined)[],
): readonly (readonly string[])[] {
  const found: (readonly string[])[] = [];
  for (const [index, command] of commands.entries()) {
    if (command === undefined) continue;
    const split = splitCommand(command);
    if ('problem' in split)
      findings.error(
        'BAD_VALUE',
        [...at, index],
        `"${command}" cannot be split into words: ${split.problem}`,
        'Write the first words of a command: `git push`.',
      );
    else if (split.words[0]?.includes('/') || split.words[0] === '')
      findings.error(
        'BAD_VALUE',
        [...at, index],
        `"${split.words[0]}" is a path`,
        'Write the name of the program as it is looked up on PATH.',
      );
    else found.push(split.words);
  }
  return found;
}
