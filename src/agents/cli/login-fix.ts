/** What a person does about an agent that its service did not let in, where its kind has no better word for it. */
import type { CliKind, LoginState } from './kind.ts';

/** @param login What it was known to log in by. Only a kind that names its `method` knows which key was used. */
export function loginFix({ login: how }: Pick<CliKind, 'login'>, login: LoginState | undefined): string {
  const { state, detail = '', method, fix } = login ?? {};
  if (fix !== undefined) return fix;
  if (state !== 'logged_in' || method === undefined || !/^[A-Z][A-Z0-9_]*(?:KEY|TOKEN)$/.test(detail))
    return how;
  const correct = `The key in ${detail} is not accepted: correct it.`;
  return method === 'provider' ? correct : `${correct} Or another way: ${how}`;
}
