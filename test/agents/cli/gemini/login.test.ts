/** By what it logs in, told from variables and files alone. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { geminiLoginState, geminiLoginVariables } from '../../../../src/agents/cli/gemini/login.ts';

const selected = (type: string) => `{ // mine\n "security": {"auth": {"selectedType": "${type}"}} }`;
const tokens = '{"access_token":"a","refresh_token":"r","expiry_date":1}';

test.each<[string, Record<string, string>, Record<string, string>, string, string?]>([
  ['nothing', {}, {}, 'logged_out'],
  ['a key', { GEMINI_API_KEY: 'k' }, {}, 'logged_in', 'gemini-api-key'],
  [
    'a key in its own file',
    {},
    { '.gemini/.env': 'A=1\nexport GEMINI_API_KEY="k"\n' },
    'logged_in',
    'gemini-api-key',
  ],
  ['an empty key there', {}, { '.gemini/.env': 'GEMINI_API_KEY=\n' }, 'logged_out'],
  ['an account', {}, { '.gemini/oauth_creds.json': tokens }, 'logged_in', 'oauth-personal'],
  ['a torn account', {}, { '.gemini/oauth_creds.json': '{' }, 'logged_out'],
  [
    'an account that was chosen, and a key',
    { GEMINI_API_KEY: 'k' },
    { '.gemini/settings.json': selected('oauth-personal'), '.gemini/oauth_creds.json': tokens },
    'logged_in',
    'oauth-personal',
  ],
  [
    'an account that was chosen and is gone, and a key',
    { GEMINI_API_KEY: 'k' },
    { '.gemini/settings.json': selected('oauth-personal') },
    'logged_in',
    'gemini-api-key',
  ],
  [
    'a key that was chosen and is not there',
    {},
    { '.gemini/settings.json': selected('gemini-api-key') },
    'logged_out',
    'gemini-api-key',
  ],
  [
    'settings of an older version',
    {},
    { '.gemini/settings.json': '{"selectedAuthType":"oauth-personal"}', '.gemini/oauth_creds.json': tokens },
    'logged_in',
    'oauth-personal',
  ],
  ['Vertex AI without a project', { GOOGLE_GENAI_USE_VERTEXAI: 'true' }, {}, 'logged_out', 'vertex-ai'],
  [
    'Vertex AI with a key',
    { GOOGLE_GENAI_USE_VERTEXAI: 'true', GOOGLE_API_KEY: 'k' },
    {},
    'logged_in',
    'vertex-ai',
  ],
  [
    'Vertex AI with a project',
    { GOOGLE_CLOUD_PROJECT: 'p', GOOGLE_CLOUD_LOCATION: 'l' },
    { '.gemini/settings.json': selected('vertex-ai') },
    'logged_in',
    'vertex-ai',
  ],
  [
    'a gateway, which it refuses headless',
    { GEMINI_API_KEY: 'k' },
    { '.gemini/settings.json': selected('gateway') },
    'logged_in',
    'gemini-api-key',
  ],
  ['another way', {}, { '.gemini/settings.json': selected('cloud-shell') }, 'unknown', 'cloud-shell'],
])('%s', async (_, env, files, state, method) => {
  const home = mkdtempSync(join(tmpdir(), 'sluice-gemini-login-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), content);
  }
  const found = await geminiLoginState({ env, home });
  expect(found).toMatchObject({ state, detail: expect.stringMatching(/./) });
  expect(found.method).toBe(method);
  expect(JSON.stringify(found)).not.toContain('"k"');
});

test('a key that only its file holds is handed over', async () => {
  const home = mkdtempSync(join(tmpdir(), 'sluice-gemini-login-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  expect(await geminiLoginVariables({ env: {}, home })).toEqual({});
  mkdirSync(join(home, '.gemini'));
  const lines = ['# mine', 'export GEMINI_API_KEY="key # one" # and more', 'GOOGLE_API_KEY=key-two', 'A=1'];
  writeFileSync(join(home, '.gemini/.env'), `${lines.join('\n')}\n`);
  const both = { GEMINI_API_KEY: 'key # one', GOOGLE_API_KEY: 'key-two' };
  expect(await geminiLoginVariables({ env: {}, home })).toEqual(both);
  expect(await geminiLoginVariables({ env: { GOOGLE_API_KEY: 'other' }, home })).toEqual({
    GEMINI_API_KEY: 'key # one',
  });
});
