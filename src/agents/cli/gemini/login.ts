/** Whether Gemini CLI can log in, as far as variables and its own files say. */
import type { LoginQuestion, LoginState } from '../kind.ts';

export async function geminiLoginState({ env }: LoginQuestion): Promise<LoginState> {
  return env.GEMINI_API_KEY
    ? { state: 'logged_in', detail: 'GEMINI_API_KEY' }
    : { state: 'unknown', detail: '' };
}
