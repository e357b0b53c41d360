/** Whether opencode and Copilot can log in, as far as variables and files say. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copilotKind } from '../../../src/agents/cli/copilot/copilot.ts';
import type { LoginState } from '../../../src/agents/cli/kind.ts';
import { loginFix } from '../../../src/agents/cli/login-fix.ts';
import { opencodeKind } from '../../../src/agents/cli/opencode/opencode.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sluice-login-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function put(path: string, text: string): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test.each([
  [opencodeKind, { ANTHROPIC_API_KEY: 'k' }, 'ANTHROPIC_API_KEY'],
  [
    opencodeKind,
    { OPENCODE_CONFIG_CONTENT: '{"provider":{"a":{"options":{"apiKey":"k"}}}}' },
    'OPENCODE_CONFIG_CONTENT',
  ],
  [copilotKind, { GH_TOKEN: 't' }, 'GH_TOKEN'],
  [copilotKind, { COPILOT_PROVIDER_BASE_URL: 'http://127.0.0.1:1' }, 'COPILOT_PROVIDER_BASE_URL'],
])('a variable says so: %#', async (kind, env, detail) => {
  expect(await kind.loginState({ env, home })).toEqual({ state: 'logged_in', detail });
});

test.each([
  [opencodeKind, '.local/share/opencode/auth.json', '{"anthropic":{"type":"api"}}', ' (anthropic)'],
])('its own file says so: %#', async (kind, path, text, more) => {
  const file = put(path, text);
  expect(await kind.loginState({ env: {}, home })).toEqual({ state: 'logged_in', detail: `${file}${more}` });
});

test.each([
  [opencodeKind, '.local/share/opencode/auth.json', '{'],
  [opencodeKind, '.local/share/opencode/auth.json', '{}'],
  [copilotKind, '.copilot/config.json', '{"loggedInUsers":[]}'],
  [copilotKind, 'nothing', ''],
])('otherwise nobody knows: %#', async (kind, path, text) => {
  put(path, text);
  expect((await kind.loginState({ env: {}, home })).state).toBe('unknown');
});

const how = 'Run `it login`.';
const corrects = 'The key in CORP_KEY is not accepted: correct it.';
test.each<[string, LoginState | undefined, string]>([
  ['nothing is known', undefined, how],
  ['an account', { state: 'logged_in', detail: '/home/x/auth.json', method: 'account' }, how],
  ['one of many keys', { state: 'logged_in', detail: 'CORP_KEY' }, how],
  [
    'its key',
    { state: 'logged_in', detail: 'CORP_KEY', method: 'key' },
    `${corrects} Or another way: ${how}`,
  ],
  ['that of its provider', { state: 'logged_in', detail: 'CORP_KEY', method: 'provider' }, corrects],
  ['a way of its own', { state: 'logged_out', detail: '', fix: 'Set CORP_KEY.' }, 'Set CORP_KEY.'],
])('not let in, what helps: %s', (_, login, fix) => {
  expect(loginFix({ login: how }, login)).toBe(fix);
});
