/** How each of the real agent CLIs is led to the stub of its model service: by variables, and files in a home of its own. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type CliName = 'claude' | 'codex' | 'gemini' | 'opencode' | 'copilot';

/** Of an agent of the kind, so that it asks the stub. */
export const stubAgents: Readonly<Record<CliName, Readonly<Record<string, unknown>>>> = {
  claude: {},
  codex: { env: ['STUB_API_KEY'] },
  gemini: { model: 'gemini-2.5-flash' },
  opencode: { model: 'stub/stub-model', env: ['OPENCODE_CONFIG_CONTENT'] },
  copilot: {},
};

/** The variables, and files of the home, by which each of them finds the stub. */
export const pointers: Readonly<
  Record<
    CliName,
    (url: string, scenario: string, home: string, projectDir: string) => Readonly<Record<string, string>>
  >
> = {
  claude: (url, scenario) => ({
    ANTHROPIC_BASE_URL: `${url}/s/${scenario}`,
    ANTHROPIC_API_KEY: 'stub-key-0000',
  }),
  codex(url, scenario, home, projectDir) {
    mkdirSync(join(home, '.codex'), { recursive: true });
    const provider = [
      'model_provider = "stub"',
      '[model_providers.stub]',
      'name = "stub"',
      `base_url = "${url}/s/${scenario}/v1"`,
      'env_key = "STUB_API_KEY"',
      'wire_api = "responses"',
      'request_max_retries = 1',
      'stream_max_retries = 1',
      // As a person who has worked here before has it: what lies in the project must not decide all the same.
      `[projects.${JSON.stringify(projectDir)}]`,
      'trust_level = "trusted"',
    ];
    const file = join(home, '.codex/config.toml');
    const text = `${provider.join('\n')}\n`;
    // Writing it again would look as if somebody had logged in.
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
    return { STUB_API_KEY: 'stub-key-0000' };
  },
  gemini: (url, scenario) => ({
    GOOGLE_GEMINI_BASE_URL: `${url}/s/${scenario}`,
    GEMINI_API_KEY: 'stub-key-0000',
  }),
  opencode: (url, scenario) => ({
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      provider: {
        stub: {
          npm: '@ai-sdk/openai-compatible',
          name: 'stub',
          options: { baseURL: `${url}/s/${scenario}/v1`, apiKey: 'stub-key-0000' },
          models: { 'stub-model': { name: 'stub-model' } },
        },
      },
    }),
  }),
  copilot: (url, scenario) => ({
    COPILOT_OFFLINE: 'true',
    COPILOT_PROVIDER_BASE_URL: `${url}/s/${scenario}/v1`,
    COPILOT_PROVIDER_API_KEY: 'stub-key-0000',
    COPILOT_MODEL: 'gpt-4.1',
  }),
};
