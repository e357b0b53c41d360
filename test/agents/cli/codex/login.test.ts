import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codexKeyVariables, codexLoginState } from '../../../../src/agents/cli/codex/login.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sluice-codex-login-'));
  await mkdir(join(home, '.codex'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const account = JSON.stringify({
  OPENAI_API_KEY: null,
  tokens: { id_token: 'x', access_token: 'y', refresh_token: 'z' },
});
const provider =
  'model_provider = "corp"\n[model_providers.corp]\nbase_url = "http://x/v1"\nenv_key = "CORP_KEY"\n';

async function state(env: Record<string, string>, files: Record<string, string> = {}) {
  for (const [name, content] of Object.entries(files)) await writeFile(join(home, '.codex', name), content);
  return codexLoginState({ env, home });
}

describe('logged in', () => {
  test.each([
    ['a key', { CODEX_API_KEY: 'k' }, {}, 'CODEX_API_KEY', 'key'],
    ['a key before the account', { CODEX_API_KEY: 'k' }, { 'auth.json': account }, 'CODEX_API_KEY', 'key'],
    [
      'the account before a key for others',
      { OPENAI_API_KEY: 'k' },
      { 'auth.json': account },
      'auth.json',
      'account',
    ],
    ['a key that was stored', {}, { 'auth.json': '{"OPENAI_API_KEY":"sk-1"}' }, 'auth.json', 'account'],
    ['a key for others, when there is nothing else', { OPENAI_API_KEY: 'k' }, {}, 'OPENAI_API_KEY', 'key'],
    [
      'a provider of the user',
      { CORP_KEY: 'k', CODEX_API_KEY: 'k' },
      { 'config.toml': provider },
      'CORP_KEY',
      'provider',
    ],
  ])('%s', async (_, env, files, detail, method) => {
    expect(await state(env, files)).toEqual({
      state: 'logged_in',
      detail: expect.stringContaining(detail),
      method,
    });
  });

  test('in another folder', async () => {
    const other = join(home, 'other');
    await mkdir(other);
    await writeFile(join(other, 'auth.json'), account);
    expect(await state({ CODEX_HOME: other })).toMatchObject({
      state: 'logged_in',
      detail: join(other, 'auth.json'),
    });
    expect(await state({ CODEX_HOME: 'relative' })).toMatchObject({ state: 'logged_out' });
  });
});

test('logged out: says what is missing, never what is there', async () => {
  const found = await state({}, { 'auth.json': '{"OPENAI_API_KEY":null,"tokens":null}' });
  expect(found.state).toBe('logged_out');
  expect(found.detail).toContain('CODEX_API_KEY');
  expect(await state({}, { 'config.toml': provider })).toMatchObject({
    state: 'logged_out',
    detail: 'missing: CORP_KEY',
    fix: expect.stringContaining('Set CORP_KEY'),
  });
});

test('unknown: a key store, a provider without a key', async () => {
  const stored = 'cli_auth_credentials_store = "keyring"\n';
  expect(await state({}, { 'config.toml': stored })).toMatchObject({ state: 'unknown' });
  const local = 'model_provider = "local"\n[model_providers.local]\nbase_url = "http://127.0.0.1:1/v1"\n';
  expect(await state({}, { 'config.toml': local })).toMatchObject({ state: 'unknown', method: 'provider' });
});

test.each<[string, string, readonly string[]]>([
  ['its provider', provider, ['CORP_KEY']],
  ['of several the one in use', `${provider}[model_providers.other]\nenv_key = "OTHER_KEY"\n`, ['CORP_KEY']],
  [
    'of a profile',
    `profile = "work"\n[profiles.work]\nmodel_provider = "corp"\n[model_providers]\ncorp = { env_key = "CORP_KEY" }\n`,
    ['CORP_KEY'],
  ],
  ['none in use', provider.replace('model_provider = "corp"', ''), []],
  ['no name of a variable', provider.replace('CORP_KEY', 'A=B'), []],
  ['settings that are broken', `${provider}[`, []],
  ['no settings', '', []],
])('variables that the settings name: %s', async (_, config, names) => {
  await writeFile(join(home, '.codex/config.toml'), config);
  expect(await codexKeyVariables({ env: {}, home })).toEqual(names);
});
