/** What of an agent is in the key under which its results are kept, and what is not. */
import { expect, test } from 'vitest';
import { recipeOf } from '../../src/cache/recipe.ts';
import { loadConfig } from '../../src/config/load.ts';
import { project } from '../config/project.ts';

async function recipe(kind: string, body: string, rule = ''): Promise<string> {
  const dir = await project({
    'inbox/x': '',
    'lib/x': '',
    'config/orchestrator.yaml': `agents:\n  a: { kind: ${kind}, ${body} }\n  b: { kind: builtin }\nrouting_rules: [{ pattern: "**", agent: a, prompt: Look., ${rule} }]\n`,
  });
  const { config } = await loadConfig(`${dir}/config/orchestrator.yaml`);
  const [agent, first] = [config.agents.get('a'), config.rules[0]];
  if (!agent || !first) throw new Error('no agent');
  return recipeOf(agent, '2.1.328', first);
}

const base = 'model: m, permissions: { mode: edit, ceiling: edit }';

test.each([
  ['the kind', 'gemini', base],
  ['the model', 'claude', base.replace(': m', ': n')],
  ['the effort', 'claude', `${base}, effort: high`],
  ['turns', 'claude', `${base}, max_turns: 3`],
  ['tools', 'claude', `${base}, tools: [Read]`],
  ['the permission mode', 'claude', base.replace('mode: edit', 'mode: read')],
  ['the program', 'claude', `${base}, program: ./claude`],
  ['variables that are set', 'claude', `${base}, env: { A: b }`],
] as const)('matters: %s', async (_name, kind, body) => {
  expect(await recipe(kind, body)).not.toBe(await recipe('claude', base));
});

test.each([
  ['the ceiling', base.replace('ceiling: edit', 'ceiling: all')],
  ['folders that it may be given', base.replace('ceiling: edit', 'ceiling: edit, directories: [./lib]')],
  ['what happens without quota', `${base}, on_quota: pause`],
  ['limits', `${base}, timeout: 5m, limits: { memory: 1GiB }, max_load: 3, budget: { usd_per_day: 1 }`],
  ['who takes over', `${base}, fallback: [b], priority: 3, load: light, capabilities: [code_review]`],
  ['the sandbox', `${base}, sandbox: { write: [workspace] }`],
] as const)('does not matter: %s', async (_name, body) => {
  expect(await recipe('claude', body)).toBe(await recipe('claude', base));
});

test('the order of tools does not matter; the package and options of a plugin do', async () => {
  const tools = 'model: m, tools: [Read, Grep]';
  expect(await recipe('claude', tools)).toBe(
    await recipe('claude', tools.replace('Read, Grep', 'Grep, Read')),
  );
  const plugin = await recipe('plugin', 'plugin: x, options: { a: 1 }');
  expect(await recipe('plugin', 'plugin: x, options: { a: 2 }')).not.toBe(plugin);
  expect(await recipe('plugin', 'plugin: y, options: { a: 1 }')).not.toBe(plugin);
});

test('whether work is reviewed is not in its key', async () => {
  expect(await recipe('claude', base, 'review: false')).toBe(await recipe('claude', base));
});
