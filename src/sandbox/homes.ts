/** The homes of the user that runs us: where the account says, and where the environment says. */
import { userInfo } from 'node:os';
import { isAbsolute } from 'node:path';

export function homesOf(env: NodeJS.ProcessEnv): readonly string[] {
  const homes = new Set<string>();
  if (env.HOME !== undefined && isAbsolute(env.HOME)) homes.add(env.HOME);
  try {
    homes.add(userInfo().homedir);
  } catch {
    // A user id without an account has none.
  }
  homes.delete('/');
  homes.delete('/nonexistent');
  return [...homes];
}
