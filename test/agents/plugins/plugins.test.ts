/** Packages that bring an agent kind: where they are found, what of them is refused and in which words. */
import { describe, expect, test } from 'vitest';
import { builtinCliKinds } from '../../../src/agents/cli/kinds.ts';
import { pluginFingerprint } from '../../../src/agents/plugins/fingerprint.ts';
import { locatePlugin } from '../../../src/agents/plugins/locate.ts';
import { createPlugins } from '../../../src/agents/plugins/plugins.ts';
import type { AppError } from '../../../src/types/errors.ts';
import { agentOf, kindSource, Packages } from './packages.ts';

const refused = async (work: Promise<unknown>): Promise<AppError> =>
  work.then(
    () => {
      throw new Error('It was not refused');
    },
    (error: AppError) => error,
  );

describe('a kind that comes with Sluice', () => {
  test.each([...builtinCliKinds.keys()])('%s is itself', async (kind) => {
    const agent = { ...agentOf(''), kind };
    expect(await createPlugins({ projectDir: '/' }).kindOf(agent)).toBe(builtinCliKinds.get(kind));
  });
});

describe('where a package is found', () => {
  test('from the project upwards, then from where Sluice is', async () => {
    const packages = new Packages();
    packages.install('both', '', { version: '1.0.0' }, 'work/project');
    packages.install('both', '', { version: '2.0.0' }, 'lib');
    packages.install('above', '', {}, 'work');
    packages.install('@scope/global', '', {}, 'lib');
    const find = (name: string) =>
      locatePlugin(name, `${packages.dir}/work/project`, `${packages.dir}/lib/node_modules/sluice/dist`);
    expect(await find('both')).toMatchObject({ version: '1.0.0' });
    expect((await find('above')).dir).toBe(`${packages.dir}/work/node_modules/above`);
    expect((await find('@scope/global')).entry).toBe(
      `${packages.dir}/lib/node_modules/@scope/global/index.js`,
    );
  });

  test('a folder or a file of the project', async () => {
    const packages = new Packages();
    packages.write('kinds/own/package.json', '{"main":"main.cjs","version":"0.1.0"}');
    packages.write('kinds/own/main.cjs', '');
    const file = packages.write('kinds/one.js', '');
    const find = (path: string) => locatePlugin(path, packages.dir, '/');
    expect(await find('./kinds/own')).toMatchObject({
      version: '0.1.0',
      entry: `${packages.dir}/kinds/own/main.cjs`,
    });
    expect(await find('./kinds/one.js')).toMatchObject({ version: '0', entry: file });
    expect(await find(file)).toMatchObject({ entry: file });
  });

  test.each<[string, object, string | undefined]>([
    ['main', { exports: undefined, main: 'lib/a.js' }, 'lib/a.js'],
    ['main without extension', { exports: undefined, main: './lib/a' }, 'lib/a.js'],
    ['a folder as main', { exports: undefined, main: 'lib' }, 'lib/index.js'],
    ['nothing', { exports: undefined }, 'index.js'],
    ['exports as a text', { exports: './lib/a.js' }, 'lib/a.js'],
    ['exports of the entry', { exports: { '.': './lib/a.js', './b': './index.js' } }, 'lib/a.js'],
    ['conditions', { exports: { require: './index.js', import: './lib/a.js' } }, 'lib/a.js'],
    [
      'conditions in conditions',
      { exports: { '.': { types: './x.d.ts', node: { import: './lib/a.js' } } } },
      'lib/a.js',
    ],
    ['the package’s order', { exports: { default: './lib/a.js', import: './index.js' } }, 'lib/a.js'],
    ['a list', { exports: [null, './lib/a.js'] }, 'lib/a.js'],
    ['other entries only', { exports: { './b': './lib/a.js' } }, undefined],
    ['an entry that is not there', { exports: './gone.js' }, undefined],
    ['outside', { exports: '../other.js' }, undefined],
  ])('its entry: %s', async (_, manifest, entry) => {
    const packages = new Packages();
    packages.install('own', '', manifest);
    packages.write('node_modules/own/lib/a.js', '');
    packages.write('node_modules/own/lib/index.js', '');
    const found = locatePlugin('own', packages.dir, '/');
    if (entry !== undefined) expect((await found).entry).toBe(`${packages.dir}/node_modules/own/${entry}`);
    else expect(await refused(found)).toMatchObject({ code: 'PLUGIN_INVALID' });
  });

  test.each([
    ['own', 'AGENT_UNAVAILABLE', 'The plugin "own" is not installed', 'npm install own'],
    ['./own', 'AGENT_UNAVAILABLE', 'there is no', 'relative to the project folder'],
    ['', 'PLUGIN_INVALID', '"" is no name', 'npm install'],
    ['a/../../b', 'PLUGIN_INVALID', 'is no name', 'npm install'],
    ['node:fs', 'PLUGIN_INVALID', 'is no name', 'npm install'],
    ['.hidden', 'PLUGIN_INVALID', 'is no name', 'npm install'],
  ])('%j is refused: %s', async (named, code, message, fix) => {
    const packages = new Packages();
    const error = await refused(locatePlugin(named, packages.dir, '/nowhere'));
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(error.fix).toContain(fix);
  });

  test('a package.json that cannot be read is said so', async () => {
    const packages = new Packages();
    packages.write('node_modules/own/package.json', '{ "name": ');
    expect(await refused(locatePlugin('own', packages.dir, '/'))).toMatchObject({
      code: 'PLUGIN_INVALID',
      message: expect.stringContaining('node_modules/own/package.json'),
    });
  });
});

describe('what it exports', () => {
  const load = async (source: string, manifest: object = {}, loadTimeoutMs = 10_000) => {
    const packages = new Packages();
    packages.install('own', source, manifest);
    return createPlugins({ projectDir: packages.dir, loadTimeoutMs }).kindOf(agentOf('own'));
  };

  test.each([
    ['its default', `export default ${kindSource()}`],
    ['by name', `export const agentKind = ${kindSource()}; export default 7`],
    ['a function', `export default () => ${kindSource()}`],
    ['a function that takes time', `export const agentKind = async () => ${kindSource()}`],
    [
      'a function that uses what it is given',
      `export default ({ shellLine }) => ${kindSource({ resume: '(id) => shellLine(["own", id, "it\'s"])' })}`,
    ],
  ])('%s', async (_, source) => {
    const kind = await load(source);
    expect(kind).toMatchObject({ name: 'own', title: 'Own', programs: ['own'] });
    expect(kind.plugin).toMatchObject({ package: 'own', version: '1.2.3' });
    expect(kind.plugin?.fingerprint).toMatch(/^1\.2\.3:[0-9a-f]{16}$/);
  });

  test.each([
    ['CommonJS', `module.exports = ${kindSource()}`],
    ['CommonJS as compilers make it', `exports.__esModule = true; exports.default = ${kindSource()}`],
  ])('%s', async (_, source) => {
    expect((await load(source, { type: 'commonjs' })).name).toBe('own');
  });

  test.each([
    ['nothing', 'export const other = 1', 'it exports neither `agentKind` nor a default'],
    ['a number', 'export default 7', 'it is no object'],
    ['of no version', 'export default { name: "own" }', '`apiVersion: 1` is missing'],
    [
      'of a later version',
      `export default ${kindSource({ apiVersion: '2' })}`,
      'it is for version 2 of the interface, and this Sluice has 1',
    ],
    [
      'incomplete',
      `export default ${kindSource({ title: '""', launch: 'undefined', programs: '"own"' })}`,
      '`title` is no text; `programs` is no list of texts; `launch` is no function',
    ],
    [
      'with a name of ours',
      `export default ${kindSource({ name: '"claude"' })}`.replace('claude', 'codex'),
      'comes with Sluice',
    ],
    [
      'with a name that is none',
      `export default ${kindSource({ name: '"Own Kind"' })}`,
      '`name` is not made of',
    ],
    ['for no program', `export default ${kindSource({ programs: '[]' })}`, '`programs` names no program'],
    [
      'with all variables',
      `export default ${kindSource({ environment: '["*"]' })}`,
      '`environment` holds "*"',
    ],
    [
      'above the home',
      `export default ${kindSource({ home: '[{ path: "../x" }]' })}`,
      'no place below the home',
    ],
    [
      'that looks for log-ins elsewhere',
      `export default ${kindSource({ home: '[{ path: ".own", logIn: ["../../.ssh/id"] }]' })}`,
      '`logIn` of ".own" in `home` is no list of files in it',
    ],
    [
      'that has a file made above its place',
      `export default ${kindSource({ home: '[{ path: ".own", protected: [{ path: "../x", content: "" }] }]' })}`,
      '`protected` of ".own" in `home` is no list of files in it',
    ],
    [
      'whose place is wrong in several ways',
      `export default ${kindSource({ home: '[{ path: ".own", variable: "A B", isFile: 1, unpackedBy: "x" }, "y"]' })}`,
      '`variable` of ".own" in `home` is no name of a variable; `isFile` of ".own" in `home` is neither true nor false; `unpackedBy` of ".own" in `home` is no list of texts; `home` holds a place without path',
    ],
    [
      'with something else where a function may be',
      `export default ${kindSource({ keyVariables: '["KEY"]' })}`,
      '`keyVariables` is no function',
    ],
    ['that throws', 'throw new Error("no such luck")', 'cannot be loaded: no such luck'],
    ['that cannot be parsed', 'export default {', 'cannot be loaded'],
    ['that needs what is not there', 'import "nothing-of-this-name"', 'cannot be loaded'],
    [
      'a function that throws',
      'export default () => { throw new Error("not today") }',
      'cannot be loaded: not today',
    ],
    [
      'that cannot be looked at',
      'export default { apiVersion: 1, get name() { throw new Error("mine") } }',
      'it cannot be looked at: mine',
    ],
  ])('%s is refused', async (_, source, message) => {
    const error = await refused(load(source));
    expect(error).toMatchObject({ code: 'PLUGIN_INVALID', message: expect.stringContaining(message) });
    expect(error.message).toMatch(/^Agent "own" cannot run: The plugin "own"/);
    expect(error.fix).toContain('docs/plugins.md');
  });

  test('one that never finishes loading is given up', async () => {
    const error = await refused(load('await new Promise(() => { setTimeout(() => {}, 200) })', {}, 50));
    expect(error).toMatchObject({
      code: 'PLUGIN_INVALID',
      message: expect.stringContaining('within 0.05 s'),
    });
  });
});

test('it is loaded once, whoever asks and however many at once', async () => {
  const packages = new Packages();
  packages.install(
    'own',
    `globalThis.ownLoads = (globalThis.ownLoads ?? 0) + 1; export default ${kindSource()}`,
  );
  const plugins = createPlugins({ projectDir: packages.dir });
  const [first, second] = await Promise.all([plugins.kindOf(agentOf('own')), plugins.kindOf(agentOf('own'))]);
  expect([second, await plugins.kindOf(agentOf('own'))]).toEqual([first, first]);
  expect((globalThis as { ownLoads?: number }).ownLoads).toBe(1);
});

test('what was missing or wrong is looked for again', async () => {
  const packages = new Packages();
  const plugins = createPlugins({ projectDir: packages.dir });
  const ask = () => plugins.kindOf(agentOf('own'));
  expect((await refused(ask())).code).toBe('AGENT_UNAVAILABLE');
  packages.install('own', 'throw new Error("broken")');
  expect((await refused(ask())).code).toBe('PLUGIN_INVALID');
  packages.install('own', `export default ${kindSource()}`);
  expect((await ask()).name).toBe('own');
});

test('packages of the project that say that they bring a kind are found', async () => {
  const packages = new Packages();
  const keywords = ['sluice-agent-kind'];
  packages.write(
    'package.json',
    JSON.stringify({ dependencies: { own: '1', plain: '1', gone: '1' }, devDependencies: { broken: '1' } }),
  );
  packages.install('own', `export default ${kindSource()}`, { keywords });
  packages.install('broken', 'throw new Error("broken")', { keywords });
  packages.install('plain', 'throw new Error("never loaded")', { keywords: ['sluice'] });
  packages.install('not-asked-for', `export default ${kindSource()}`, { keywords });
  const { kinds, problems } = await createPlugins({ projectDir: packages.dir }).installed();
  expect(kinds.map(({ plugin }) => plugin?.package)).toEqual(['own']);
  expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining('The plugin "broken"')]);
});

test.each(['', '{', '[]', '{"dependencies":7}'])(
  'a project without packages has none: %j',
  async (manifest) => {
    const packages = new Packages();
    if (manifest !== '') packages.write('package.json', manifest);
    expect(await createPlugins({ projectDir: packages.dir }).installed()).toEqual({
      kinds: [],
      problems: [],
    });
  },
);

test('the fingerprint of a package that is not there, or cannot be loaded, is none: it does not run then', async () => {
  const packages = new Packages();
  expect(await pluginFingerprint('nothing-of-this-name', packages.dir)).toBe('absent');
  packages.write('node_modules/broken/package.json', '{"name":"broken","main":"missing.js"}');
  expect(await pluginFingerprint('broken', packages.dir)).toBe('absent');
  packages.write('node_modules/whole/package.json', '{"name":"whole","version":"1.2.3"}');
  packages.write('node_modules/whole/index.js', 'export default 1;');
  const before = await pluginFingerprint('whole', packages.dir);
  expect(before).toMatch(/^1\.2\.3:[0-9a-f]{16}$/);
  packages.write('node_modules/whole/index.js', 'export default 2;');
  expect(await pluginFingerprint('whole', packages.dir)).not.toBe(before);
});
