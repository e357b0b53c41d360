/** Whether Codex CLI can log in, as far as variables and its own file say. */
import type { LoginQuestion, LoginState } from '../kind.ts';

export async function codexLoginState({ env }: LoginQuestion): Promise<LoginState> {
  return env.CODEX_API_KEY
    ? { state: 'logged_in', detail: 'CODEX_API_KEY' }
    : { state: 'unknown', detail: '' };
}
