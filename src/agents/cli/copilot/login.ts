/** Whether GitHub Copilot CLI can log in, as far as variables and its own file say. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoginQuestion, LoginState } from '../kind.ts';

const keys = ['COPILOT_PROVIDER_BASE_URL', 'COPILOT_GITHUB_TOKEN', 'GH_TOKEN', 'GITHUB_TOKEN'];

export async function copilotLoginState({ env, home }: LoginQuestion): Promise<LoginState> {
  const key = keys.find((name) => env[name]);
  if (key !== undefined) return { state: 'logged_in', detail: key };
  const file = join(env.COPILOT_HOME ?? join(home, '.copilot'), 'config.json');
  return (await namesSomebody(file))
    ? { state: 'logged_in', detail: file }
    : // The token itself may lie in the system's key store, which is not asked.
      { state: 'unknown', detail: `no token in the environment, nobody in ${file}` };
}

/** Its `config.json` has comments: it is looked through, not parsed. */
async function namesSomebody(file: string): Promise<boolean> {
  try {
    return /"(?:lastLoggedInUser|loggedInUsers|last_logged_in_user|logged_in_users)"\s*:\s*(?:\[\s*)?\{/.test(
      await readFile(file, 'utf8'),
    );
  } catch {
    return false;
  }
}
