/** What of a person's Copilot log-in is handed over to a home of the job's own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { copilotKind } from '../../../../src/agents/cli/copilot/copilot.ts';
import { launchRequest } from '../launch-request.ts';

const user = { host: 'https://github.com', login: 'a', kind: 'githubDotCom' };
const last = { host: 'https://github.com', login: 'a' };
const other = { host: 'https://github.com', login: 'b' };
const company = { host: 'https://company.ghe.com', login: 'a' };

test.each<[string, object, object]>([
  [
    'as it is written today',
    {
      authTokens: {
        'https://github.com:b': { token: 'of-b' },
        'https://github.com:a': { token: 'old' },
        'https://github.com:a:github': { token: 'token-of-a' },
      },
      ...{ loggedInUsers: [other, user], lastLoggedInUser: last },
    },
    { COPILOT_GITHUB_TOKEN: 'token-of-a' },
  ],
  [
    'as older versions write it',
    { copilot_tokens: { 'https://github.com:a': 'token-of-a' }, logged_in_users: [user] },
    { COPILOT_GITHUB_TOKEN: 'token-of-a' },
  ],
  [
    'of a company',
    {
      authTokens: { 'https://company.ghe.com:a': { token: 'token-of-a' } },
      ...{ loggedInUsers: [company], lastLoggedInUser: company },
    },
    { COPILOT_GITHUB_TOKEN: 'token-of-a', COPILOT_GH_HOST: 'company.ghe.com' },
  ],
  ['in a key store', { loggedInUsers: [user], lastLoggedInUser: last }, {}],
  [
    'of somebody else',
    { authTokens: { 'https://github.com:b': { token: 'of-b' } }, loggedInUsers: [user] },
    {},
  ],
  ['nobody', {}, {}],
  ['in another form', { authTokens: 'token', loggedInUsers: { login: 1 }, lastLoggedInUser: [] }, {}],
])('its token: %s', async (_, config, handed) => {
  const home = withConfig(`// This file is managed automatically.\n${JSON.stringify(config, null, 2)}`);
  expect(await copilotKind.loginVariables?.({ env: { HOME: home }, home })).toEqual(handed);
});

test('a token in a variable, or a model of one’s own, needs none', async () => {
  const home = withConfig(
    JSON.stringify({ authTokens: { 'https://github.com:a': { token: 'x' } }, loggedInUsers: [user] }),
  );
  for (const more of [{ GH_TOKEN: 't' }, { COPILOT_PROVIDER_BASE_URL: 'http://127.0.0.1:1' }])
    expect(await copilotKind.loginVariables?.({ env: { HOME: home, ...more }, home })).toEqual({});
});

test('whoever is logged in stands in the job’s own home, without folders that are trusted and without a secret', async () => {
  const config = {
    ...{ authTokens: { 'https://github.com:a': { token: 'secret-of-a' } }, trustedFolders: ['/project'] },
    ...{ loggedInUsers: [user], lastLoggedInUser: last },
  };
  const home = withConfig(JSON.stringify(config));
  const login = await copilotKind.loginState({ env: { HOME: home }, home });
  expect(login).toMatchObject({ state: 'logged_in', detail: join(home, '.copilot/config.json') });
  const { files } = copilotKind.launch(launchRequest({ login, env: { HOME: home } }));
  expect(JSON.parse(files[0]?.[1] ?? '')).toEqual({ loggedInUsers: [user], lastLoggedInUser: last });
  expect(JSON.stringify([login, files])).not.toContain('secret-of-a');
});

function withConfig(text: string): string {
  const home = mkdtempSync(join(tmpdir(), 'sluice-login-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  mkdirSync(join(home, '.copilot'));
  writeFileSync(join(home, '.copilot/config.json'), text);
  return home;
}
