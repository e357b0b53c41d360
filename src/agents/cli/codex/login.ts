/** By what Codex CLI logs in: its account, a provider of the user's, or a key in a variable. */
import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { parse } from 'smol-toml';
import type { LoginQuestion, LoginState } from '../kind.ts';

export async function codexLoginState({ env, home }: LoginQuestion): Promise<LoginState> {
  const folder = folderOf({ env, home });
  const config = await read(join(folder, 'config.toml'));
  return (
    byProvider(config, env, join(folder, 'config.toml')) ??
    byVariable(env, ['CODEX_API_KEY']) ??
    byAccount(await read(join(folder, 'auth.json')), join(folder, 'auth.json')) ??
    (env.CODEX_ACCESS_TOKEN
      ? { state: 'logged_in', detail: 'CODEX_ACCESS_TOKEN', method: 'account' }
      : undefined) ??
    byKeyStore(config) ??
    // Codex itself does not look at this one: the launch hands it over.
    byVariable(env, ['OPENAI_API_KEY']) ?? {
      state: 'logged_out',
      detail: `missing: ${join(folder, 'auth.json')}, CODEX_API_KEY`,
    }
  );
}

/** The key of a provider that the user's settings name: another variable for each of them. */
export async function codexKeyVariables(o: LoginQuestion): Promise<readonly string[]> {
  const { key } = providerIn(await read(join(folderOf(o), 'config.toml'))) ?? {};
  return key === undefined ? [] : [key];
}

/** A provider that the user's settings name decides by itself. */
function byProvider(config: string, env: LoginQuestion['env'], file: string): LoginState | undefined {
  const provider = providerIn(config);
  if (provider === undefined) return undefined;
  const { name, key } = provider;
  const method = 'provider';
  if (key === undefined) return { state: 'unknown', detail: `provider "${name}" in ${file}`, method };
  return env[key]
    ? { state: 'logged_in', detail: key, method }
    : { state: 'logged_out', detail: `missing: ${key}`, method, fix: handOver(key) };
}

/** To a daemon, which may have another environment than a shell. */
export function handOver(key: string): string {
  return `Set ${key} in the environment of Sluice (a service has its own), or its value under \`env\` of the agent.`;
}

interface Provider {
  readonly name: string;
  /** The variable that holds its key; absent: none is named. */
  readonly key?: string;
}

/** @returns undefined: it is OpenAI, or nobody can say. */
function providerIn(config: string): Provider | undefined {
  const settings = settingsIn(config);
  const profile = tableIn(tableIn(settings, 'profiles'), textIn(settings, 'profile'));
  const name = textIn(profile, 'model_provider') ?? textIn(settings, 'model_provider');
  if (name === undefined || name === 'openai') return undefined;
  const key = textIn(tableIn(tableIn(settings, 'model_providers'), name), 'env_key');
  return { name, ...(key !== undefined && /^[A-Za-z_]\w*$/.test(key) && { key }) };
}

type Table = Readonly<Record<string, unknown>>;

/** Codex says itself what is wrong with its settings. */
function settingsIn(config: string): Table {
  try {
    return parse(config);
  } catch {
    return {};
  }
}

function tableIn(table: Table, name: string | undefined): Table {
  const value = name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
  return typeof value === 'object' && value !== null ? (value as Table) : {};
}

function textIn(table: Table, name: string): string | undefined {
  const value = Object.hasOwn(table, name) ? table[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function folderOf({ env, home }: LoginQuestion): string {
  const named = env.CODEX_HOME;
  return named !== undefined && isAbsolute(named) ? named : join(home, '.codex');
}

function byVariable(env: LoginQuestion['env'], names: readonly string[]): LoginState | undefined {
  const name = names.find((one) => env[one]);
  return name === undefined ? undefined : { state: 'logged_in', detail: name, method: 'key' };
}

function byAccount(auth: string, file: string): LoginState | undefined {
  return /"(?:OPENAI_API_KEY|(?:access|refresh)_token|agent_identity|personal_access_token)"\s*:\s*(?:"[^"]|\{)/.test(
    auth,
  )
    ? { state: 'logged_in', detail: file, method: 'account' }
    : undefined;
}

/** The log-in may lie in the system's key store, which is not asked. */
function byKeyStore(config: string): LoginState | undefined {
  return /^[ \t]*cli_auth_credentials_store[ \t]*=[ \t]*["'](?:keyring|auto)["']/m.test(config)
    ? { state: 'unknown', detail: 'the key store of the system', method: 'account' }
    : undefined;
}

function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
