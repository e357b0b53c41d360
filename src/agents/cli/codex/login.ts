/** By what Codex CLI logs in: its account, a provider of the user's, or a key in a variable. */
import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { LoginQuestion, LoginState } from '../kind.ts';

export async function codexLoginState({ env, home }: LoginQuestion): Promise<LoginState> {
  const named = env.CODEX_HOME;
  const folder = named !== undefined && isAbsolute(named) ? named : join(home, '.codex');
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

/** A provider that the user's settings name decides by itself; TOML is looked through, not parsed. */
function byProvider(config: string, env: LoginQuestion['env'], file: string): LoginState | undefined {
  const [, provider] = /^[ \t]*model_provider[ \t]*=[ \t]*["']([^"'\n]+)["']/m.exec(config) ?? [];
  if (provider === undefined || provider === 'openai') return undefined;
  const keys = [...config.matchAll(/\benv_key\s*=\s*["'](\w+)["']/g)].map(([, name]) => name as string);
  const present = keys.find((name) => env[name]);
  if (present !== undefined) return { state: 'logged_in', detail: present, method: 'provider' };
  if (keys.length === 1) return { state: 'logged_out', detail: `missing: ${keys[0]}`, method: 'provider' };
  return { state: 'unknown', detail: `provider "${provider}" in ${file}`, method: 'provider' };
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
