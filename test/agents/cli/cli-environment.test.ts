/** What an agent CLI sees of the daemon's environment, and what is a secret from then on. */
import { expect, test } from 'vitest';
import { cliEnvironment } from '../../../src/agents/cli/cli-environment.ts';
import type { CliKind, LoginQuestion, LoginState } from '../../../src/agents/cli/kind.ts';
import { baseEnvironment } from '../../../src/agents/environment.ts';
import type { EnvEntry } from '../../../src/config/config.ts';

const daemonEnv = {
  ...{ PATH: '/bin', HOME: '/home/u', OWN_MODEL: 'm', OWN_API_KEY: 'key-of-mine', OTHER_KEY: 'not-its-own' },
  ...{ VENDOR_KEY: 'named-by-settings', SLUICE_TOKEN: 'never' },
};

async function environment(
  kind: Partial<Pick<CliKind, 'environment' | 'keyVariables' | 'loginVariables'>>,
  env: readonly EnvEntry[] = [],
  daemon: NodeJS.ProcessEnv = daemonEnv,
) {
  const secret: string[] = [];
  const secrets = {
    resolve: (text: string) => {
      secret.push(text);
      return text;
    },
    register: (value: string) => void secret.push(value),
  };
  const options = { secrets, daemonEnv: daemon, baseEnv: baseEnvironment(daemon) };
  const loginState = async ({ env: seen }: LoginQuestion): Promise<LoginState> => ({
    ...{ state: 'unknown', detail: Object.keys(seen).join(' ') },
  });
  const made = await cliEnvironment(options, { environment: [], loginState, ...kind }, { env });
  return { env: made.env, asked: made.login.detail, secret };
}

test('the small default, what its kind names, what its entry names; keys among them are secrets', async () => {
  const entries: readonly EnvEntry[] = [
    { kind: 'pass', name: 'OTHER_KEY' },
    { kind: 'pass', name: 'SLUICE_TOKEN' },
  ];
  expect(await environment({ environment: ['OWN_*'] })).toMatchObject({
    env: { PATH: '/bin', HOME: '/home/u', OWN_MODEL: 'm', OWN_API_KEY: 'key-of-mine' },
    secret: ['${env:OWN_API_KEY}'],
  });
  const more = await environment({ environment: ['OWN_MODEL'] }, entries);
  expect(more.env).toEqual({ PATH: '/bin', HOME: '/home/u', OWN_MODEL: 'm', OTHER_KEY: 'not-its-own' });
  expect(more.secret).toContain('${env:OTHER_KEY}');
});

test('a service without a home has that of its user', async () => {
  const { HOME: _, ...bare } = daemonEnv;
  expect((await environment({}, [], bare)).env.HOME).toMatch(/^\//);
});

test('keys that the person\u2019s settings name are handed over; what the configuration sets stays', async () => {
  const keyVariables = async () => ['VENDOR_KEY', 'OWN_API_KEY', 'MISSING_KEY'];
  const set: readonly EnvEntry[] = [{ kind: 'set', name: 'OWN_API_KEY', value: 'of the agent' } as EnvEntry];
  const { env, secret } = await environment({ keyVariables }, set);
  expect(env).toMatchObject({ VENDOR_KEY: 'named-by-settings', OWN_API_KEY: 'of the agent' });
  expect(env).not.toHaveProperty('MISSING_KEY');
  expect(secret).toContain('named-by-settings');
  expect(secret).not.toContain('key-of-mine');
});

test('what it logs in by is a secret', async () => {
  const loginVariables = async () => ({ OWN_TOKEN: 'gho_0123456789', OWN_HOST: 'example.com' });
  const { env, secret, asked } = await environment({ loginVariables });
  expect(env).toMatchObject({ OWN_TOKEN: 'gho_0123456789', OWN_HOST: 'example.com' });
  expect(secret).toEqual(['gho_0123456789']);
  // People look for it where it stands, and not in a variable that we made.
  expect(asked).toBe('PATH HOME');
});
