import { expect, test } from 'vitest';
import { isSecretVariable } from '../../../src/agents/cli/secret-names.ts';

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
