/** What an agent CLI sees of the daemon's environment: the small default, what its kind and its entry name, its log-in. */
import { homedir } from 'node:os';
import type { CliAgent } from '../../config/config.ts';
import { agentEnvironment, type Environment } from '../environment.ts';
import type { SecretResolver } from '../ports.ts';
import type { CliKind, LoginState } from './kind.ts';
import { isSecretVariable, secretsWithin } from './secret-names.ts';

export interface CliEnvironmentOptions {
  readonly secrets: SecretResolver;
  readonly daemonEnv: NodeJS.ProcessEnv;
  readonly baseEnv: Environment;
}

export interface CliEnvironment {
  readonly env: Environment;
  readonly login: LoginState;
}

type NamedKind = Pick<CliKind, 'environment' | 'keyVariables' | 'loginVariables' | 'loginState'>;

/**
 * Keys reach the commands that the CLI runs, and from there its output: all of them are known to the redaction afterwards.
 * @throws {AppError} `SECRET_UNRESOLVED`.
 */
export async function cliEnvironment(
  options: CliEnvironmentOptions,
  kind: NamedKind,
  agent: Pick<CliAgent, 'env'>,
): Promise<CliEnvironment> {
  const { secrets, daemonEnv, baseEnv } = options;
  const passed = Object.keys(daemonEnv)
    .filter((name) => isNamed(name, kind.environment))
    .map((name) => ({ kind: 'pass', name }) as const);
  const entries = [...passed, ...agent.env];
  for (const { kind: how, name } of entries) {
    if (how !== 'pass') continue;
    if (isSecretVariable(name, daemonEnv[name])) await secrets.resolve(`\${env:${name}}`);
    for (const value of secretsWithin(daemonEnv[name])) secrets.register(value);
  }
  const own = await agentEnvironment(baseEnv, entries, daemonEnv, secrets);
  // The environment of a service may have none, and without it no CLI finds its log-in.
  const home = own.HOME ?? homedir();
  const keys = await keysOf(options, kind, { ...own, HOME: home });
  const env = { ...own, HOME: home, ...keys };
  const handed = (await kind.loginVariables?.({ env, home })) ?? {};
  for (const [name, value] of Object.entries(handed))
    if (isSecretVariable(name, value)) secrets.register(value);
  // It is asked without what is handed over: that stands in its own files, and people look for it there.
  return { env: { ...env, ...handed }, login: await kind.loginState({ env, home }) };
}

/** Variables that the person's own settings say a key is in; what the configuration sets stays. */
async function keysOf(
  { secrets, daemonEnv }: CliEnvironmentOptions,
  kind: NamedKind,
  env: Environment,
): Promise<Environment> {
  const names = (await kind.keyVariables?.({ env, home: env.HOME ?? '' })) ?? [];
  const keys: Record<string, string> = {};
  for (const name of names) {
    const value = daemonEnv[name];
    if (env[name] !== undefined || value === undefined) continue;
    secrets.register(value);
    keys[name] = value;
  }
  return keys;
}

/** @param patterns Names of variables, or beginnings that end with `*`. */
export function isNamed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one));
}
