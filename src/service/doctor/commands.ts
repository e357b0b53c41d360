/**
 * Is each agent's command there, on the PATH it will really be looked for? In a terminal much is found that a service
 * does not have: folders that a shell's start files add, shims of version managers, functions and aliases.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { baseEnvironment, searchPath } from '../../agents/environment.ts';
import { findCommand } from '../../agents/find-command.ts';
import { type AgentConfig, type Config, isOwnAgent } from '../../config/config.ts';
import { type Check, fail, good, shellWord, warn } from './check.ts';
import { versionManagerOf } from './machine.ts';
import type { Surroundings } from './surroundings.ts';

export async function checkCommands(config: Config, surroundings: Surroundings): Promise<Check[]> {
  const agents = [...config.agents.values()]
    .filter(({ name }) => !isOwnAgent(name))
    .filter((agent) => agent.kind === 'command');
  return Promise.all(agents.map((agent) => checkCommand(agent, config.projectDir, surroundings)));
}

async function checkCommand(
  agent: AgentConfig & { kind: 'command' },
  projectDir: string,
  surroundings: Surroundings,
): Promise<Check> {
  const name = `agent ${agent.name}`;
  const command = agent.command[0] as string;
  if (command.includes('${')) return good(name, `its command \`${command}\` is known only when it runs`);
  const path = searchPath(baseEnvironment(surroundings.env), agent);
  const found = findCommand(command, path, projectDir);
  if (!('file' in found))
    return fail(
      name,
      ...(await explainMissing({
        agent: agent.name,
        command,
        projectDir,
        surroundings,
        refusal: found.message,
      })),
    );
  const interpreter = interpreterOf(found.file);
  if (interpreter !== undefined && !('file' in findCommand(interpreter, path, projectDir))) {
    return fail(
      name,
      `\`${command}\` (${found.file}) is a script for \`${interpreter}\`, which is not on ${surroundings.pathOf}`,
      elsewhere(
        interpreter,
        surroundings,
        projectDir,
        (file) => `Name the interpreter: \`agents.${agent.name}.command: [${file}, ${found.file}, …]\`.`,
      ) ?? `Install \`${interpreter}\`, or add its folder: \`agents.${agent.name}.env: { PATH: "…" }\`.`,
    );
  }
  const manager = versionManagerOf(found.file);
  if (manager !== undefined && (surroundings.asService || /shims|multishells/.test(found.file))) {
    return warn(
      name,
      `\`${command}\` is ${found.file}, which ${manager} manages: what it runs depends on variables and files of your shell`,
      `Write the program itself, which \`${manager} which ${basename(command)}\` prints: \`agents.${agent.name}.command: [/path/of/it, …]\`.`,
    );
  }
  return good(name, `\`${command}\` is ${found.file}`);
}

/** @returns message and fix. */
async function explainMissing(o: {
  readonly agent: string;
  readonly command: string;
  readonly projectDir: string;
  readonly surroundings: Surroundings;
  readonly refusal: string;
}): Promise<readonly [string, string]> {
  const { agent, command, projectDir, surroundings, refusal } = o;
  const set = (file: string) => `\`agents.${agent}.command: [${file}, …]\``;
  if (command.includes('/')) return [refusal, `ls -l ${shellWord(command)}   # then correct ${set('…')}`];
  const file = elsewhere(command, surroundings, projectDir, (path) => path);
  if (file !== undefined) {
    const store = surroundings.asService
      ? ', or run `sluice service install` in a shell that finds it: the service then gets its PATH'
      : '';
    return [
      `\`${command}\` is ${file}, which is not on ${surroundings.pathOf}`,
      `Write ${set(file)}${store}.`,
    ];
  }
  const kind = await shellMeaning(command, surroundings.shellEnv);
  if (kind !== undefined) {
    return [
      `\`${command}\` is ${kind} of your shell, which only the shell can run`,
      `Put what it does into a script, \`chmod +x\` it, and write its path: ${set('/path/of/the/script')}.`,
    ];
  }
  return [
    `\`${command}\` is on no folder of ${surroundings.pathOf}, nor where programs usually are`,
    `Install it, or write where it is: ${set('/path/of/it')}.`,
  ];
}

/** Looks on the terminal's PATH and in the folders that shells' start files usually add. */
export function elsewhere<T>(
  command: string,
  { shellEnv }: Surroundings,
  cwd: string,
  then: (file: string) => T,
): T | undefined {
  const home = shellEnv.HOME;
  const usual =
    home === undefined
      ? []
      : [
          '.local/bin',
          'bin',
          '.npm-global/bin',
          '.cargo/bin',
          'go/bin',
          '.bun/bin',
          '.volta/bin',
          '.asdf/shims',
          '.pyenv/shims',
          '.local/share/mise/shims',
        ].map((dir) => join(home, dir));
  const nvm =
    home === undefined
      ? []
      : listOf(join(home, '.nvm/versions/node'))
          .toReversed()
          .map((version) => join(home, '.nvm/versions/node', version, 'bin'));
  const path = [
    ...(shellEnv.PATH ?? '').split(':').filter(Boolean),
    ...usual,
    ...nvm,
    '/opt/homebrew/bin',
    '/snap/bin',
  ].join(':');
  const found = findCommand(command, path, cwd);
  return 'file' in found ? then(found.file) : undefined;
}

/** The program a script names after `#!/usr/bin/env`: it is looked for on PATH as the command was. */
function interpreterOf(file: string): string | undefined {
  const bytes = Buffer.alloc(256);
  try {
    const fd = openSync(file, 'r');
    try {
      const read = readSync(fd, bytes, 0, bytes.length, 0);
      const line = bytes.toString('latin1', 0, read).split('\n', 1)[0] as string;
      return /^#!\s*\S*\/env\s+(?:-S\s+)?(?:\w+=\S*\s+)*([^\s-]\S*)/.exec(line)?.[1];
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** A function or an alias? Asks an interactive shell, in a session of its own so that it can not touch the terminal. */
async function shellMeaning(
  command: string,
  env: NodeJS.ProcessEnv,
): Promise<'a function' | 'an alias' | undefined> {
  if (env[`BASH_FUNC_${command}%%`] !== undefined) return 'a function';
  if (!/\/(?:bash|zsh)$/.test(env.SHELL ?? '')) return undefined;
  const { execa } = await import('execa');
  const { stdout } = await execa(env.SHELL as string, ['-ic', 'type -- "$1"', 'sluice', command], {
    env: { ...env, LC_ALL: 'C' },
    extendEnv: false,
    detached: true,
    reject: false,
    stdin: 'ignore',
    timeout: 3_000,
    forceKillAfterDelay: 500,
  });
  const said = String(stdout ?? '');
  if (/is aliased to|is an alias for/.test(said)) return 'an alias';
  return /is a (?:shell )?function/.test(said) ? 'a function' : undefined;
}

function listOf(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
