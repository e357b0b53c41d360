/**
 * How GitHub Copilot CLI logs in, as far as variables and its own `config.json` say. That file also holds the folders that
 * the person trusts, so that a launch does not get to see it: what of it is the log-in is handed over.
 */
import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { LoginQuestion, LoginState } from '../kind.ts';
import { type Json, listOf, objectOf, textOf } from '../reading/values.ts';

const tokens = ['COPILOT_GITHUB_TOKEN', 'GH_TOKEN', 'GITHUB_TOKEN'];
const keys = ['COPILOT_PROVIDER_BASE_URL', ...tokens];

/** Its own folder of the person's. Undefined: there is no home. */
export function copilotHome({ COPILOT_HOME: named, HOME }: LoginQuestion['env']): string | undefined {
  if (named !== undefined && isAbsolute(named)) return named;
  return HOME === undefined ? undefined : join(HOME, '.copilot');
}

export async function copilotLoginState({ env, home }: LoginQuestion): Promise<LoginState> {
  const key = keys.find((name) => env[name]);
  if (key !== undefined) return { state: 'logged_in', detail: key };
  const file = configFile({ env, home });
  const user = userIn(await configIn(file));
  return user
    ? { state: 'logged_in', detail: file, method: JSON.stringify(user) }
    : // The token itself may lie in the system's key store, which is not asked.
      { state: 'unknown', detail: `no token in the environment, nobody in ${file}` };
}

/** The token of that file, where there was no key store for it. One in a variable, and a model of one's own, come first. */
export async function copilotLoginVariables({
  env,
  home,
}: LoginQuestion): Promise<Readonly<Record<string, string>>> {
  if (keys.some((name) => env[name])) return {};
  const config = await configIn(configFile({ env, home }));
  const user = userIn(config);
  const token = user && tokenIn(config, user);
  if (token === undefined) return {};
  const { host } = user as User;
  const own = host.replace(/^https?:\/\//, '').replace(/\/$/, '');
  return { COPILOT_GITHUB_TOKEN: token, ...(own !== 'github.com' && { COPILOT_GH_HOST: own }) };
}

/** What its `config.json` says of who is logged in, and nothing else: the token is in the key store, or in a variable. */
export function configOf(method: string | undefined): string {
  const user = method === undefined ? {} : parsed(method);
  const { host, login } = user;
  if (!textOf(host) || !textOf(login)) return '{}\n';
  return `${JSON.stringify({ loggedInUsers: [user], lastLoggedInUser: { host, login } }, null, 2)}\n`;
}

interface User extends Json {
  readonly host: string;
  readonly login: string;
}

function configFile({ env, home }: LoginQuestion): string {
  return join(copilotHome(env) ?? join(home, '.copilot'), 'config.json');
}

/** Older versions write these names with `_`. */
function userIn(config: Json): User | undefined {
  const last = objectOf(config.lastLoggedInUser ?? config.last_logged_in_user);
  const users = listOf(config.loggedInUsers ?? config.logged_in_users).map(objectOf);
  const same = users.find(({ host, login }) => host === last.host && login === last.login);
  const user = same ?? (textOf(last.login) ? last : users[0]);
  return user && textOf(user.host) && textOf(user.login) ? (user as User) : undefined;
}

/** By `host:login`, and in today's version once more with the service behind it. */
function tokenIn(config: Json, { host, login }: User): string | undefined {
  const kept = { ...objectOf(config.copilotTokens ?? config.copilot_tokens), ...objectOf(config.authTokens) };
  const found = kept[`${host}:${login}:github`] ?? kept[`${host}:${login}`];
  return textOf(found) || textOf(objectOf(found).token) || undefined;
}

async function configIn(file: string): Promise<Json> {
  return parsed(await readFile(file, 'utf8').catch(() => ''));
}

/** Comments stand on lines of their own in it. */
function parsed(text: string): Json {
  try {
    return objectOf(JSON.parse(text.replace(/^[ \t]*\/\/.*$/gm, '')));
  } catch {
    return {};
  }
}
