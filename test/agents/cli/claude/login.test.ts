/** By what it logs in, asked of real files. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { claudeLoginState } from '../../../../src/agents/cli/claude/login.ts';

const now = Date.parse('2026-11-20T12:00:00Z');

function home(files: Readonly<Record<string, unknown>> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-claude-login-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return dir;
}

const login = (claudeAiOauth: object) => ({ '.claude/.credentials.json': { claudeAiOauth } });

test.each([
  ['ANTHROPIC_API_KEY', 'logged_in'],
  ['ANTHROPIC_AUTH_TOKEN', 'logged_in'],
  ['CLAUDE_CODE_OAUTH_TOKEN', 'logged_in'],
  ['CLAUDE_CODE_USE_BEDROCK', 'unknown'],
  ['CLAUDE_CODE_USE_VERTEX', 'unknown'],
])('%s is %s', async (name, state) => {
  expect(await claudeLoginState({ env: { [name]: '1' }, home: home() }, now)).toEqual({
    state,
    detail: name,
  });
  // The same, kept in its settings.
  const dir = home({ '.claude/settings.json': { env: { [name]: '1' } } });
  expect((await claudeLoginState({ env: {}, home: dir }, now)).state).toBe(state);
});

test('a cloud that is switched off is none, an empty key neither', async () => {
  const env = { CLAUDE_CODE_USE_BEDROCK: '0', ANTHROPIC_API_KEY: '' };
  expect((await claudeLoginState({ env, home: home() }, now)).state).toBe('logged_out');
});

test.each([
  ['lasts', { accessToken: 'a', expiresAt: now + 1 }, 'logged_in'],
  ['has ended', { accessToken: 'a', expiresAt: now - 1 }, 'logged_out'],
  ['has ended and renews itself', { accessToken: 'a', refreshToken: 'r', expiresAt: now - 1 }, 'logged_in'],
  ['says no end', { accessToken: 'a' }, 'logged_in'],
  ['is empty', {}, 'logged_out'],
])("a subscription's log-in that %s", async (_, oauth, state) => {
  const found = await claudeLoginState({ env: {}, home: home(login(oauth)) }, now);
  expect(found.state).toBe(state);
  expect(JSON.stringify(found)).not.toContain('"a"');
});

test('a helper of its settings counts, and CLAUDE_CONFIG_DIR is where these are', async () => {
  const dir = home({ 'elsewhere/settings.json': { apiKeyHelper: 'pass claude' } });
  const folder = join(dir, 'elsewhere');
  const found = await claudeLoginState({ env: { CLAUDE_CONFIG_DIR: folder }, home: dir }, now);
  expect(found).toEqual({ state: 'logged_in', detail: `apiKeyHelper in ${join(folder, 'settings.json')}` });
  expect((await claudeLoginState({ env: {}, home: dir }, now)).state).toBe('logged_out');
});

test('files that are no JSON, or something else, are passed over', async () => {
  const dir = home({
    '.claude/settings.json': '{"env":',
    '.claude/.credentials.json': '[1]',
    '.claude.json': '"x"',
  });
  expect((await claudeLoginState({ env: {}, home: dir }, now)).state).toBe('logged_out');
});
