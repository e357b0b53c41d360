/** Whether opencode can log in, as far as variables and its own file say. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoginQuestion, LoginState } from '../kind.ts';

const keys = [
  'ANTHROPIC_API_KEY',
  'OPENAI_API_KEY',
  'OPENCODE_API_KEY',
  'OPENROUTER_API_KEY',
  'GEMINI_API_KEY',
  'GOOGLE_GENERATIVE_AI_API_KEY',
  'GROQ_API_KEY',
  'DEEPSEEK_API_KEY',
  'MISTRAL_API_KEY',
  'XAI_API_KEY',
];

export async function opencodeLoginState({ env, home }: LoginQuestion): Promise<LoginState> {
  const key = keys.find((name) => env[name]);
  if (key !== undefined) return { state: 'logged_in', detail: key };
  if (env.OPENCODE_CONFIG_CONTENT?.includes('"apiKey"'))
    return { state: 'logged_in', detail: 'OPENCODE_CONFIG_CONTENT' };
  const file = join(env.XDG_DATA_HOME ?? join(home, '.local/share'), 'opencode/auth.json');
  const providers = await providersIn(file);
  return providers.length > 0
    ? { state: 'logged_in', detail: `${file} (${providers.join(', ')})` }
    : // A provider in its settings may need no key at all: a model on this machine.
      { state: 'unknown', detail: `no key in the environment, nobody in ${file}` };
}

async function providersIn(file: string): Promise<readonly string[]> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof content === 'object' && content !== null ? Object.keys(content) : [];
  } catch {
    return [];
  }
}
