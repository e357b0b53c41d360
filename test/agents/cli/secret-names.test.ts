import { expect, test } from 'vitest';
import { isSecretVariable, secretsWithin } from '../../../src/agents/cli/secret-names.ts';

test.each([
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_CUSTOM_HEADERS',
  'AWS_BEARER_TOKEN_BEDROCK',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CODEX_ACCESS_TOKEN',
  'COPILOT_PROVIDER_API_KEY',
  'GEMINI_API_KEY',
  'GH_TOKEN',
  'MY_PASSWORD',
  'azure_client_secret',
])('%s holds a secret', (name) => {
  expect(isSecretVariable(name, 'sk-0123456789')).toBe(true);
  expect(isSecretVariable(name, 'short')).toBe(false);
  expect(isSecretVariable(name, undefined)).toBe(false);
});

test.each([
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_MODEL',
  'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
  'CLAUDE_CODE_API_KEY_HELPER_TTL_MS',
  'GEMINI_API_KEY_AUTH_MECHANISM',
  'GOOGLE_CLOUD_PROJECT',
  'KEYBOARD_LAYOUT',
  'SSH_KEY_PATH',
  'TOKENIZER',
])('%s holds none', (name) => {
  expect(isSecretVariable(name, 'some-long-value')).toBe(false);
});

test.each<[string | undefined, readonly string[]]>([
  [undefined, []],
  ['sk-0123456789', []],
  ['{"provider":', []],
  ['[1]', []],
  [
    JSON.stringify({
      model: 'stub/model-with-a-name',
      provider: {
        own: {
          options: {
            baseURL: 'http://127.0.0.1/v1',
            apiKey: 'sk-0123456789',
            headers: { 'x-api-key': 'sk-header' },
          },
        },
        two: { options: { access_token: 'at-0123456789', clientSecret: 'short' } },
      },
      keybinds: { leader: 'ctrl+x-and-more' },
    }),
    ['sk-0123456789', 'sk-header', 'at-0123456789'],
  ],
])('settings as JSON: %#', (value, secrets) => {
  expect([...secretsWithin(value)].toSorted()).toEqual([...secrets].toSorted());
});
