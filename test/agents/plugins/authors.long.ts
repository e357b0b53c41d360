/** What authors get: types that hold in TypeScript and in JavaScript, a contract that any runner runs, an example that works. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { writeDeclarations } from '../../../scripts/declarations.ts';
import { createPlugins } from '../../../src/agents/plugins/plugins.ts';
import { anyDisk } from '../../daemon/agents.ts';
import { makeProject } from '../../daemon/project.ts';
import { launchRequest } from '../cli/launch-request.ts';
import { agentOf, kindSource, Packages } from './packages.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../../..');
const example = join(repository, 'examples/plugin-agent');

const typescript = `
import { type AgentPlugin, type CliReader, event, findFault, type PluginTools } from 'sluice/plugin';
import { agentKindContract, type ContractCheck } from 'sluice/plugin/contract';

class Reader implements CliReader {
  hasEnded = false;
  line() { return [event('status', { text: 'x' })]; }
  end() { return { terminal: 'none' as const, faults: [], denials: [], text: '', costUsd: null }; }
}
export const made = (tools: PluginTools): AgentPlugin => ({
  apiVersion: 1, name: 'own', title: 'Own', programs: ['own'], install: '', login: '', capabilities: [],
  minimumVersion: '1', versionArgs: [], helpArgs: [], environment: [], home: [],
  loginState: async ({ env }) => ({ state: env.KEY ? 'logged_in' : 'logged_out', detail: 'KEY' }),
  launch: ({ prompt, access }) => ({ args: access === 'all' ? ['-y'] : [], env: {}, files: [], stdin: prompt }),
  read: () => new Reader(),
  resume: (id, cwd) => tools.shellLine(['own', id, cwd]),
});
export const checks: readonly ContractCheck[] = agentKindContract(made(undefined as never), { recordings: [] });
// @ts-expect-error an access that does not exist
findFault('x', [{ pattern: /x/, class: 'bad luck' }], 0);
// @ts-expect-error a version that this is not
export const other: AgentPlugin['apiVersion'] = 2;
`;

test('a plugin in TypeScript, and the example in JavaScript, are checked against the types that are shipped', async () => {
  const packages = new Packages();
  const installed = 'node_modules/sluice';
  packages.write(`${installed}/package.json`, readFileSync(join(repository, 'package.json'), 'utf8'));
  writeDeclarations(join(repository, 'src'), join(packages.dir, installed, 'dist/types'), [
    'agents/plugins/author',
    'agents/cli/contract/contract',
  ]);
  packages.write('plugin.ts', typescript);
  cpSync(join(example, 'index.js'), join(packages.dir, 'index.js'));
  packages.write('package.json', '{"type":"module"}');
  symlinkSync(join(repository, 'node_modules/@types'), join(packages.dir, 'node_modules/@types'));
  const tsc = join(repository, 'node_modules/typescript/bin/tsc');
  const options = [
    '--noEmit',
    '--strict',
    '--checkJs',
    '--allowJs',
    '--module',
    'nodenext',
    '--types',
    'node',
  ];
  const lib = ['--target', 'esnext', '--exactOptionalPropertyTypes', 'plugin.ts', 'index.js'];
  const printed = await run(process.execPath, [tsc, ...options, ...lib], { cwd: packages.dir }).catch(
    (error: { stdout: string }) => error,
  );
  expect(printed.stdout).toBe('');
});

test('the example, installed as a package, is loaded by its name', async () => {
  const packages = new Packages();
  const folder = join(packages.dir, 'node_modules/sluice-kind-example');
  cpSync(example, folder, { recursive: true });
  packages.write('package.json', '{"dependencies":{"sluice-kind-example":"^1.0.0"}}');
  const plugins = createPlugins({ projectDir: packages.dir });
  const kind = await plugins.kindOf(agentOf('sluice-kind-example'));
  expect(kind).toMatchObject({ name: 'parrot', programs: [join(folder, 'parrot.js')] });
  expect((await plugins.installed()).kinds).toEqual([kind]);
  const { args } = kind.launch(launchRequest({ access: 'edit', options: { loud: true } }));
  expect(args).toEqual(['--json', '--may', 'edit', '--loud']);
});

test("the example's own tests pass, with Node's runner", async () => {
  const packages = new Packages();
  cpSync(example, packages.dir, { recursive: true });
  mkdirSync(join(packages.dir, 'node_modules'));
  symlinkSync(repository, join(packages.dir, 'node_modules/sluice'));
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap'], {
    cwd: packages.dir,
    env,
  });
  expect(stdout).toMatch(/^# pass \d\d$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
});

test('a plugin is handed what authors can import', async () => {
  const packages = new Packages();
  packages.install(
    'own',
    `export default (tools) => ${kindSource({ title: 'Object.keys(tools).sort().join(" ")' })}`,
  );
  const { title } = await createPlugins({ projectDir: packages.dir }).kindOf(agentOf('own'));
  expect(title.split(' ')).toEqual(
    expect.arrayContaining([
      'amountOf',
      'comeBack',
      'event',
      'findFault',
      'serviceFault',
      'shellLine',
      'toolCall',
    ]),
  );
});

test('what a plugin leaves running keeps no command that is over', async () => {
  const project = makeProject(`
watch: [{ path: ./inbox }]
routing_rules: [{ name: all, pattern: "**", agent: own }]
agents:
  own: { kind: plugin, plugin: own }
${anyDisk}`);
  project.write('node_modules/own/package.json', '{"name":"own","version":"1.0.0","exports":"./index.mjs"}');
  project.write(
    'node_modules/own/index.mjs',
    `setInterval(() => {}, 1000);\nexport default ${kindSource()};\n`,
  );
  project.write('inbox/a.txt', 'a');
  const { code, stdout } = await project.sluice('run', '--json');
  // Its program is not installed.
  expect([code, stdout]).toEqual([1, expect.stringContaining('agent_unavailable')]);
});
