/** What the log-in of an agent CLI rests on: changes when that does, with nothing else, and is no oracle. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CliKind } from '../../../src/agents/cli/kind.ts';
import { builtinCliKinds } from '../../../src/agents/cli/kinds.ts';
import { logInEvidence } from '../../../src/agents/cli/log-in-evidence.ts';
import type { CliAgent } from '../../../src/config/config.ts';

function rig(name: string, own: readonly string[] = []) {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-evidence-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const stateDir = join(dir, 'state');
  const home = join(dir, 'home');
  for (const one of [stateDir, home]) mkdirSync(one);
  const kind = (builtinCliKinds as ReadonlyMap<string, CliKind>).get(name) as CliKind;
  const agent = {
    ...{ name: 'a', kind: name, cli: { tools: [] } },
    env: own.map((one) => ({ kind: 'pass', name: one })),
  } as unknown as CliAgent;
  const state = { env: { HOME: home, PATH: '/bin' } as Record<string, string>, stateDir, agent };
  return {
    ...{ home, stateDir, state },
    write(path: string, text = 'a') {
      mkdirSync(join(home, path, '..'), { recursive: true });
      writeFileSync(join(home, path), text);
    },
    set(name: string, value: string) {
      state.env[name] = value;
    },
    async look(): Promise<string> {
      const { env } = state;
      const login = await kind.loginState({ env, home });
      return logInEvidence(state.stateDir, { kind, agent: state.agent, env, login });
    },
  };
}

type Rig = ReturnType<typeof rig>;

test.each<[string, string, boolean, (rig: Rig) => void]>([
  ['codex', 'nothing', false, () => {}],
  ['codex', 'a log-in', true, ({ write }) => write('.codex/auth.json')],
  ['codex', 'its settings', true, ({ write }) => write('.codex/config.toml')],
  ['codex', 'a session', false, ({ write }) => write('.codex/sessions/one.jsonl')],
  ['codex', 'a key', true, ({ set }) => set('CODEX_API_KEY', 'sk-one')],
  ['codex', 'another variable', false, ({ set }) => set('LANG', 'C')],
  ['codex', 'one that the agent names', true, ({ set }) => set('MY_KEY', 'sk-one')],
  ['codex', 'another home', true, ({ set, home }) => set('HOME', join(home, 'sub'))],
  ['codex', 'another folder of its own', true, ({ set }) => set('CODEX_HOME', '/elsewhere')],
  [
    'codex',
    'its entry',
    true,
    ({ state }) => Object.assign(state, { agent: { ...state.agent, maxLoad: 2 } }),
  ],
  ['claude', 'a log-in', true, ({ write }) => write('.claude/.credentials.json', '{}')],
  ['claude', 'a session', false, ({ write }) => write('.claude/projects/x/one.jsonl')],
  ['claude', 'what a person did', process.platform === 'darwin', ({ write }) => write('.claude.json', '{}')],
  ['claude', 'a key of its service', true, ({ set }) => set('ANTHROPIC_AUTH_TOKEN', 'x')],
  ['gemini', 'a log-in', true, ({ write }) => write('.gemini/oauth_creds.json')],
  ['gemini', 'something else there', false, ({ write }) => write('.gemini/tmp/x')],
  ['opencode', 'a log-in', true, ({ write }) => write('.local/share/opencode/auth.json')],
  ['opencode', 'a session', false, ({ write }) => write('.local/share/opencode/opencode.db')],
  ['copilot', 'a token', true, ({ set }) => set('GH_TOKEN', 'x')],
])('%s: %s changes it: %s', async (name, _what, isChange, act) => {
  const one = rig(name, ['MY_KEY']);
  const before = await one.look();
  act(one);
  expect((await one.look()) !== before).toBe(isChange);
});

test('the same content at another time is a change, and the same file at the same time is none', async () => {
  const { write, home, look } = rig('codex');
  write('.codex/auth.json', '{}');
  const file = join(home, '.codex/auth.json');
  utimesSync(file, 1_000, 1_000);
  const before = await look();
  utimesSync(file, 2_000, 1_000);
  expect(await look()).toBe(before);
  utimesSync(file, 1_000, 1_001);
  expect(await look()).not.toBe(before);
});

test('without the key nobody can try values against it; another project has another one', async () => {
  const [one, two] = [rig('codex'), rig('codex')];
  one.state.env.CODEX_API_KEY = 'sk-short';
  const evidence = await one.look();
  expect(evidence).toMatch(/^[\w-]{43}$/);
  const key = join(one.stateDir, 'log-in.key');
  expect(statSync(key).mode & 0o777).toBe(0o600);
  const before = readFileSync(key);
  await one.look();
  expect(readFileSync(key).equals(before)).toBe(true);
  one.state.stateDir = two.stateDir;
  expect(await one.look()).not.toBe(evidence);
  // Torn, it is made again: evidence has changed then, which costs one try.
  writeFileSync(key, 'x');
  one.state.stateDir = one.stateDir;
  expect(await one.look()).not.toBe(evidence);
  expect(readFileSync(key)).toHaveLength(32);
});
