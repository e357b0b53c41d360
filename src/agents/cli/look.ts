/** What can be said of an agent CLI before it is started: its program, version and log-in. Nothing is sent to a model. */
import { homedir } from 'node:os';
import type { CliAgent } from '../../config/config.ts';
import type { Plugins } from '../plugins/plugins.ts';
import type { LoginState } from './kind.ts';
import type { CliProbe } from './probe.ts';

export interface CliLook {
  /** `Claude Code` */
  readonly title: string;
  readonly file: string;
  readonly version: string;
  readonly login: LoginState;
  /** How a person logs in. */
  readonly loginFix: string;
}

export interface LookOptions {
  readonly plugins: Pick<Plugins, 'kindOf'>;
  readonly probe: Pick<CliProbe, 'find'>;
  readonly env: NodeJS.ProcessEnv;
}

/** @throws {AppError} `AGENT_UNAVAILABLE`, `PLUGIN_INVALID`: why it cannot be started. */
export async function lookAtCli({ plugins, probe, env }: LookOptions, agent: CliAgent): Promise<CliLook> {
  const kind = await plugins.kindOf(agent);
  const { file, version } = await probe.find(kind, agent);
  // A reference to a secret is not resolved: that something is set is what matters here.
  const own = agent.env.flatMap((entry) => (entry.kind === 'set' ? [[entry.name, entry.value]] : []));
  const seen: NodeJS.ProcessEnv = { ...env, ...Object.fromEntries(own) };
  const login = await kind.loginState({ env: seen, home: seen.HOME ?? homedir() });
  return {
    title: kind.title,
    file,
    version: version.text,
    login,
    loginFix: login.fix ?? kind.login,
  };
}
