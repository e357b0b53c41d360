/** By what Claude Code logs in, as it looks for it itself: variables, its settings, the file of a subscription's log-in. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoginQuestion, LoginState } from '../kind.ts';
import { amountOf, type Json, objectOf, textOf } from '../reading/values.ts';

type Env = Readonly<Record<string, unknown>>;

const keys = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'];
/** These log in by what their cloud knows of this machine, which is not asked. */
const clouds = [
  ...[
    'CLAUDE_CODE_USE_BEDROCK',
    'CLAUDE_CODE_USE_VERTEX',
    'CLAUDE_CODE_USE_FOUNDRY',
    'CLAUDE_CODE_USE_MANTLE',
  ],
  ...['CLAUDE_CODE_USE_ANTHROPIC_AWS', 'CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD', 'CLAUDE_CODE_USE_GATEWAY'],
];

/** @param now Epoch milliseconds: log-ins end. */
export async function claudeLoginState({ env, home }: LoginQuestion, now = Date.now()): Promise<LoginState> {
  const folder = env.CLAUDE_CONFIG_DIR || join(home, '.claude');
  const settingsFile = join(folder, 'settings.json');
  const settings = await readJson(settingsFile);
  const kept = objectOf(settings.env);
  const found =
    byVariables(env, '') ??
    byVariables(kept, ` in ${settingsFile}`) ??
    (textOf(settings.apiKeyHelper) ? loggedIn(`apiKeyHelper in ${settingsFile}`) : undefined);
  if (found) return found;
  return (await bySubscription(join(folder, '.credentials.json'), now)) ?? (await byAccount(env, home));
}

function byVariables(env: Env, where: string): LoginState | undefined {
  const cloud = clouds.find((name) => /^(?:1|true|yes|on)$/i.test(textOf(env[name]) ?? ''));
  if (cloud !== undefined) return { state: 'unknown', detail: `${cloud}${where}` };
  const key = keys.find((name) => env[name]);
  return key === undefined ? undefined : loggedIn(`${key}${where}`);
}

async function bySubscription(file: string, now: number): Promise<LoginState | undefined> {
  const { accessToken, refreshToken, expiresAt } = objectOf((await readJson(file)).claudeAiOauth);
  if (!accessToken && !refreshToken) return undefined;
  // With a refresh token it renews itself.
  const end = amountOf(expiresAt);
  if (refreshToken || end === undefined || end > now) return loggedIn(file);
  return { state: 'logged_out', detail: `${file} expired at ${new Date(end).toISOString()}` };
}

/** Elsewhere than on Linux the log-in is in the key store of the system, which would ask the user. */
async function byAccount(env: LoginQuestion['env'], home: string): Promise<LoginState> {
  const file = join(env.CLAUDE_CONFIG_DIR || home, '.claude.json');
  const { primaryApiKey, oauthAccount } = await readJson(file);
  if (textOf(primaryApiKey)) return loggedIn(file);
  if (process.platform === 'darwin' && Object.keys(objectOf(oauthAccount)).length > 0)
    return { state: 'unknown', detail: `the key store, of the account in ${file}` };
  return { state: 'logged_out', detail: 'missing: ANTHROPIC_API_KEY, or a log-in by `claude` and `/login`' };
}

function loggedIn(detail: string): LoginState {
  return { state: 'logged_in', detail };
}

async function readJson(file: string): Promise<Json> {
  try {
    return objectOf(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}
