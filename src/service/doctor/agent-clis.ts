/**
 * Is the program of each agent CLI there, of a version that can be used, and does it have a log-in? Programs are asked for
 * their version and help as the daemon does it; nothing is sent to a model. A log-in that cannot be seen may be there all
 * the same: in the key store of the system, or by what a cloud knows of this machine.
 */
import type { LoginState } from '../../agents/cli/kind.ts';
import { type CliLook, lookAtCli } from '../../agents/cli/look.ts';
import { CliProbe } from '../../agents/cli/probe.ts';
import { createPlugins } from '../../agents/plugins/plugins.ts';
import { type CliAgent, type Config, isCliAgent } from '../../config/config.ts';
import { AppError } from '../../types/errors.ts';
import { type Check, fail, good, warn } from './check.ts';
import { elsewhere } from './commands.ts';
import type { Surroundings } from './surroundings.ts';
import { setVariable } from './variables.ts';

type Look = (agent: CliAgent, env: NodeJS.ProcessEnv) => Promise<CliLook>;

export async function checkAgentClis(
  { agents, projectDir }: Pick<Config, 'agents' | 'projectDir'>,
  surroundings: Surroundings,
): Promise<Check[]> {
  const clis = [...agents.values()].filter(isCliAgent);
  if (clis.length === 0) return [];
  using probe = new CliProbe({ env: surroundings.env, projectDir });
  const plugins = createPlugins({ projectDir });
  const look: Look = (agent, env) => lookAtCli({ plugins, probe, env }, agent);
  return await Promise.all(clis.map((agent) => checkAgentCli(agent, projectDir, surroundings, look)));
}

async function checkAgentCli(
  agent: CliAgent,
  projectDir: string,
  surroundings: Surroundings,
  look: Look,
): Promise<Check> {
  const name = `agent ${agent.name}`;
  let found: CliLook;
  try {
    found = await look(agent, surroundings.env);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return fail(name, error.message, whereElse(agent, projectDir, surroundings) ?? error.fix);
  }
  const { title, version, file, login, loginFix } = found;
  const what = `${title} ${version} (${file})`;
  if (login.state === 'logged_in') return good(name, `${what}, logged in by ${login.detail}`);
  const inShell = surroundings.asService ? (await look(agent, surroundings.shellEnv)).login : login;
  if (inShell.state === 'logged_in') {
    const { detail } = inShell;
    const fix = isVariable(detail) ? setVariable(detail, surroundings) : loginFix;
    return warn(name, `${what} is logged in by ${detail} in your shell, which a service does not have`, fix);
  }
  return warn(name, `${what}${unseen(login)}`, loginFix);
}

function unseen({ state, detail }: LoginState): string {
  return state === 'unknown'
    ? `: whether it is logged in cannot be seen (${detail})`
    : ` is not logged in, as far as can be seen (${detail})`;
}

/** A service has another PATH than the terminal that asks. */
function whereElse(
  { name, kind, cli: { program } }: CliAgent,
  projectDir: string,
  surroundings: Surroundings,
): string | undefined {
  if (!surroundings.asService || program?.includes('/') || kind === 'plugin') return undefined;
  return elsewhere(
    program ?? kind,
    surroundings,
    projectDir,
    (file) =>
      `Write \`agents.${name}.program: ${file}\`, or run \`sluice service install\` in a shell that finds it: the service then gets its PATH.`,
  );
}

function isVariable(detail: string): boolean {
  return /^[A-Z][A-Z0-9_]*$/.test(detail);
}
