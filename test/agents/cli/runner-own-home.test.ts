/** A CLI that gets a home of its job's own, as Copilot does: what of the person's it has there, and what stays behind. */
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SandboxConfig } from '../../../src/config/config.ts';
import { noSandbox } from '../../sandbox/rig.ts';
import { answers } from './fakes/fakes.ts';
import { cliAgent, openRunner } from './runner-rig.ts';

const rig = await openRunner();
const token = 'gho_0123456789abcdef0123456789abcdef0123';
const user = { host: 'https://github.com', login: 'a' };

test('the log-in is handed over, sessions lie at the person’s, folders that are trusted stay out', async () => {
  const personal = join(rig.home, '.copilot');
  mkdirSync(personal);
  const config = {
    ...{ authTokens: { 'https://github.com:a': { token } }, trustedFolders: [rig.projectDir] },
    ...{ loggedInUsers: [user], lastLoggedInUser: user },
  };
  writeFileSync(join(personal, 'config.json'), `// Managed.\n${JSON.stringify(config)}`);
  // It prints its token, and leaves a session.
  const [answer] = answers('copilot', 'My token is ${COPILOT_GITHUB_TOKEN}.') as [{ out: string }];
  const session = { file: `${personal}/session-state/s1.jsonl`, text: 'x' };
  const fake = rig.fake('copilot', { write: session }, answer);
  const { call, result, text } = await rig.run(cliAgent('copilot'));
  expect(result).toMatchObject({ cli: { report: { terminal: 'success' } } });

  const [seen] = fake.seen();
  const home = join(call.workDir, 'copilot');
  expect(seen?.env).toMatchObject({ COPILOT_HOME: home, COPILOT_GITHUB_TOKEN: token });
  expect(seen?.argv.join(' ')).not.toContain(token);
  // Made, since it was not there, and not only where it is confined.
  expect(realpathSync(join(home, 'session-state'))).toBe(realpathSync(join(personal, 'session-state')));
  expect(readdirSync(join(personal, 'session-state'))).toEqual(['s1.jsonl']);
  expect(result.cli?.record.resume).toMatch(/^cd .* && copilot --resume=/);

  expect(await text('result.md')).toBe('My token is [redacted].\n');
  const own = readFileSync(join(home, 'config.json'), 'utf8');
  expect(own).not.toContain('trustedFolders');
  expect(secretsIn(call.workDir, token)).toEqual([]);
});

test.skipIf(noSandbox !== undefined)(
  'in its sandbox it writes its own home and its sessions, and no program that the person runs, too',
  async () => {
    rmSync(join(rig.home, '.cache'), { recursive: true, force: true });
    const files = {
      state: '${COPILOT_HOME}/session-store.db',
      session: '${COPILOT_HOME}/session-state/s2.jsonl',
      program: '${HOME}/.cache/copilot/pkg/1.0.102/index.js',
      config: '${HOME}/.copilot/config.json',
    };
    const writes = Object.values(files).map((file) => ({ write: { file, text: 'x' } }));
    const sandbox: SandboxConfig = {
      ...{ mode: 'required', network: 'allow', blocked: [], confirm: [] },
      write: [join(rig.projectDir, 'fakes/seen')],
    };
    const fake = rig.fake('copilot', ...writes, ...answers('copilot'));
    const { result } = await rig.run(cliAgent('copilot', {}, { sandbox }));
    expect(result).toMatchObject({ cli: { report: { terminal: 'success' } } });
    const looks = fake.seen()[0]?.looks ?? {};
    expect(
      Object.fromEntries(Object.entries(files).map(([name, file]) => [name, looks[`write ${file}`]])),
    ).toMatchObject({
      ...{ state: 'written', session: 'written', program: { code: 'EROFS' } },
    });
    expect(readdirSync(join(rig.home, '.copilot/session-state'))).toContain('s2.jsonl');
    // It had unpacked itself before, where it could; what it wrote beside its sessions is gone.
    expect(readdirSync(join(rig.home, '.cache/copilot/pkg/1.0.102'))).toEqual([]);
    expect(readFileSync(join(rig.home, '.copilot/config.json'), 'utf8')).toContain('trustedFolders');
  },
);

test('a key that stands in the own file of Gemini is kept out of what it prints', async () => {
  mkdirSync(join(rig.home, '.gemini'));
  writeFileSync(join(rig.home, '.gemini/.env'), 'GEMINI_API_KEY=AIza-0123456789\n');
  const [answer] = answers('gemini', 'My key is ${GEMINI_API_KEY}.') as [{ out: string }];
  rig.fake('gemini', answer);
  const { call, text } = await rig.run(cliAgent('gemini'));
  expect(await text('result.md')).toBe('My key is [redacted].\n');
  expect(secretsIn(call.workDir, 'AIza-0123456789')).toEqual([]);
});

/** Files that hold it, also those of its home; links are not followed. */
function secretsIn(dir: string, secret: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => readFileSync(file, 'latin1').includes(secret));
}
