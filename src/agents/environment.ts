/**
 * The environment of a command: an allow-list, never the daemon's own. What the daemon holds (tokens of other agents, the
 * service manager's sockets) must not reach a command that happens to print its environment.
 */
import type { AgentConfig, EnvEntry } from '../config/config.ts';
import type { AttemptState } from '../types/attempt-state.ts';
import { literal } from './placeholders.ts';
import type { SecretResolver } from './ports.ts';

const allowed = new Set(
  [
    'PATH HOME LANG LANGUAGE TZ TMPDIR USER LOGNAME SHELL',
    'http_proxy https_proxy no_proxy all_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY',
    'SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO',
  ].flatMap((names) => names.split(' ')),
);

/** Belong to the daemon alone, even where the configuration asks for them. */
const withheld =
  /^(NOTIFY_SOCKET|WATCHDOG_USEC|WATCHDOG_PID|LISTEN_FDS|LISTEN_PID|LISTEN_FDNAMES|SLUICE_.*)$/;

/** Where the daemon has no PATH (a bare service): what the system's own tools need. */
const fallbackPath = '/usr/local/bin:/usr/bin:/bin';

export type Environment = Readonly<Record<string, string>>;

/** What every command sees of the daemon's environment. Made once. */
export function baseEnvironment(daemon: NodeJS.ProcessEnv): Environment {
  const env: Record<string, string> = { PATH: fallbackPath };
  for (const [name, value] of Object.entries(daemon))
    if (value !== undefined && (allowed.has(name) || name.startsWith('LC_'))) env[name] = literal(value);
  return env;
}

/**
 * Adds what the agent's `env` names or sets.
 * @throws {AppError} `SECRET_UNRESOLVED`.
 */
export async function agentEnvironment(
  base: Environment,
  entries: readonly EnvEntry[],
  daemon: NodeJS.ProcessEnv,
  secrets: SecretResolver,
): Promise<Environment> {
  if (entries.length === 0) return base;
  const env: Record<string, string> = { ...base };
  for (const entry of entries) {
    if (withheld.test(entry.name)) continue;
    const value = entry.kind === 'set' ? await secrets.resolve(entry.value) : daemon[entry.name];
    if (value === undefined) continue;
    env[entry.name] = entry.kind === 'set' && entry.isLiteral ? value : literal(value);
  }
  return env;
}

/** What an attempt that belongs to a session gets besides: where its state is, and a `sluice` that reads and writes it. */
export function stateEnvironment(env: Environment, state: AttemptState | undefined): Environment {
  if (state === undefined) return {};
  const { socket, token, commandsDir } = state;
  return {
    PATH: `${commandsDir}:${env.PATH ?? fallbackPath}`,
    SLUICE_STATE_SOCKET: socket,
    SLUICE_STATE_TOKEN: token,
  };
}

/** The PATH on which an agent's command is looked for. A PATH that holds secrets is not one. */
export function searchPath(base: Environment, agent: Pick<AgentConfig, 'env'>): string {
  const own = agent.env.findLast((entry) => entry.name === 'PATH');
  return own?.kind === 'set' ? own.value : (base.PATH ?? fallbackPath);
}
