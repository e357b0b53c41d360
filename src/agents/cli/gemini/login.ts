/**
 * By what Gemini CLI logs in: what the user chose in `~/.gemini/settings.json`, or what variables say. Since it runs in a
 * home of its own, the launch repeats that choice there and links to the files that hold the log-in.
 */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { HomePlace, LaunchRequest, LoginQuestion, LoginState } from '../kind.ts';

const credentials = 'oauth_creds.json';
const linked = [credentials, 'google_accounts.json', 'gemini-credentials.json', 'installation_id'];

export const loginFiles: readonly HomePlace[] = [
  ...linked.map((name) => ({ path: `.gemini/${name}`, isFile: true })),
  { path: '.gemini/.env', isFile: true, isReadOnly: true },
  // Of Vertex AI.
  {
    path: '.config/gcloud/application_default_credentials.json',
    variable: 'GOOGLE_APPLICATION_CREDENTIALS',
    isFile: true,
    isReadOnly: true,
  },
];

/** Path in a home of ours → the user's file. */
export function loginLinks(
  home: string,
  userHome: string | undefined,
): readonly (readonly [string, string])[] {
  if (userHome === undefined) return [];
  return [
    ...linked.map((name) => [join(home, '.gemini', name), join(userHome, '.gemini', name)] as const),
    // In a folder that is not trusted it reads this one, and takes keys from it alone.
    [join(home, '.env'), join(userHome, '.gemini', '.env')],
  ];
}

/** Keys that only its file holds. It would read them there itself; as variables they are known to the redaction. */
export async function geminiLoginVariables({
  env,
  home,
}: LoginQuestion): Promise<Readonly<Record<string, string>>> {
  const kept = parseEnv(await read(join(home, '.gemini/.env')));
  return Object.fromEntries(
    ['GEMINI_API_KEY', 'GOOGLE_API_KEY'].flatMap((name) => {
      const value = kept[name];
      return value && !env[name] ? [[name, value]] : [];
    }),
  );
}

/** What `security.auth.selectedType` is to be. */
export function loginMethod({ login, env }: Pick<LaunchRequest, 'login' | 'env'>): string {
  return login?.method ?? methodOf(env) ?? 'oauth-personal';
}

export async function geminiLoginState({ env, home }: LoginQuestion): Promise<LoginState> {
  const folder = join(home, '.gemini');
  const chosen = chosenIn(await read(join(folder, 'settings.json')));
  const keyFile = join(folder, '.env');
  const kept = await read(keyFile);
  const has = (name: string): string | undefined => {
    if (env[name]) return name;
    const line = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=\\s*["']?\\w`, 'm');
    return line.test(kept) ? `${name} in ${keyFile}` : undefined;
  };
  const keyFrom = has('GEMINI_API_KEY');
  const byKey =
    keyFrom === undefined
      ? undefined
      : ({ state: 'logged_in', detail: keyFrom, method: 'gemini-api-key' } as const);
  const method = chosen ?? methodOf(env);
  switch (method) {
    case 'oauth-personal':
      return (
        (await byFile(join(folder, credentials), env)) ??
        byKey ??
        loggedOut(join(folder, credentials), method)
      );
    case 'vertex-ai':
      return byVertex(has);
    case 'gemini-api-key':
      if (byKey) return byKey;
      // It may lie in the system's key store, which is not asked.
      return (await isThere(join(folder, 'gemini-credentials.json')))
        ? { state: 'unknown', detail: join(folder, 'gemini-credentials.json'), method }
        : loggedOut('GEMINI_API_KEY', method);
    case undefined:
      return (
        byKey ?? (await byFile(join(folder, credentials), env)) ?? loggedOut(`GEMINI_API_KEY, ${folder}`)
      );
    default:
      return byKey ?? { state: 'unknown', detail: `${method} in ${join(folder, 'settings.json')}`, method };
  }
}

/** What the variables alone choose, as the CLI itself does. */
function methodOf(env: LoginQuestion['env']): string | undefined {
  if (env.GOOGLE_GENAI_USE_GCA === 'true') return 'oauth-personal';
  if (env.GOOGLE_GENAI_USE_VERTEXAI === 'true') return 'vertex-ai';
  return env.GEMINI_API_KEY ? 'gemini-api-key' : undefined;
}

/** Settings may hold comments: they are looked through, not parsed. The second is the name of older versions. */
function chosenIn(settings: string): string | undefined {
  const [, found] = /"(?:selectedType|selectedAuthType)"\s*:\s*"([\w-]+)"/.exec(settings) ?? [];
  // It forwards to a gateway of its own making; headless it refuses that.
  return found === 'gateway' ? undefined : found;
}

async function byFile(file: string, env: LoginQuestion['env']): Promise<LoginState | undefined> {
  const method = 'oauth-personal';
  if (env.GOOGLE_GENAI_USE_GCA && env.GOOGLE_CLOUD_ACCESS_TOKEN)
    return { state: 'logged_in', detail: 'GOOGLE_CLOUD_ACCESS_TOKEN', method };
  return /"(?:refresh|access)_token"\s*:\s*"[^"]/.test(await read(file))
    ? { state: 'logged_in', detail: file, method }
    : undefined;
}

function byVertex(has: (name: string) => string | undefined): LoginState {
  const method = 'vertex-ai';
  const key = has('GOOGLE_API_KEY');
  if (key) return { state: 'logged_in', detail: key, method };
  const project = has('GOOGLE_CLOUD_PROJECT');
  return project && has('GOOGLE_CLOUD_LOCATION')
    ? { state: 'logged_in', detail: project, method }
    : loggedOut('GOOGLE_API_KEY, or GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION', method);
}

function loggedOut(missing: string, method?: string): LoginState {
  return { state: 'logged_out', detail: `missing: ${missing}`, ...(method !== undefined && { method }) };
}

async function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
