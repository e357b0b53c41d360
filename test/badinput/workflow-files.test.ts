/** What can lie where a workflow file should: each is refused with a sentence in its own file, in reasonable time, or passed over. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, type Diagnostic, loadConfig, loadWorkflowFile } from '../../src/config/load.ts';
import { project } from '../config/project.ts';

const step = '{ name: a, type: custom_command, command: "true" }';
const good = `name: Good\nsteps: [${step}]\n`;

async function prepared(files: Record<string, string | Uint8Array> = {}, config = 'version: 1\n') {
  const dir = await project({
    'inbox/x': '',
    'config/orchestrator.yaml': config,
    'workflows/good.yaml': good,
    ...files,
  });
  const load = () => loadConfig(join(dir, 'config/orchestrator.yaml'));
  const errors = async (): Promise<readonly Diagnostic[]> => {
    try {
      await load();
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.diagnostics.filter(({ severity }) => severity === 'error');
    }
  };
  return { dir, load, errors };
}

test.each<[string, string | Uint8Array, RegExp]>([
  ['nothing', '', /is empty/],
  ['only comments', '# later\n', /is empty/],
  ['a binary file', new Uint8Array([0x7f, 0x45, 0, 1]), /binary file/],
  ['no UTF-8', new Uint8Array([0x6e, 0xff, 0xfe]), /not valid UTF-8/],
  ['more than 1 MiB', `# ${'x'.repeat(1 << 20)}\n`, /larger than 1 MiB/],
  ['brackets without end', '['.repeat(50_000), /nested too deeply|never closed/],
  [
    'an anchor that is used a million times',
    `a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [${Array(100).fill('*a').join(',')}]\nc: &c [${Array(100).fill('*b').join(',')}]\nd: [${Array(100).fill('*c').join(',')}]\n`,
    /expands to more/,
  ],
  ['two documents', `${good}---\n${good}`, /more than one YAML document/],
  ['tabs', 'name: X\nsteps:\n\t- name: a\n', /tab/],
  ['a merge conflict', `<<<<<<< HEAD\n${good}=======\n`, /./],
  ['another program’s configuration', 'on: push\njobs: { build: { runs-on: x } }\n', /./],
  ['an orchestrator configuration', 'version: 1\nrouting_rules: []\n', /unknown key "version"|no `name`/],
])('%s', async (_name, content, message) => {
  const { dir, errors } = await prepared({ 'workflows/bad.yaml': content });
  const began = performance.now();
  const found = await errors();
  expect(performance.now() - began).toBeLessThan(90_000);
  expect(found.length).toBeGreaterThan(0);
  expect(found.some((one) => message.test(one.message))).toBe(true);
  for (const one of found) {
    expect(one.file).toBe(join(dir, 'workflows/bad.yaml'));
    expect(one.fix).not.toBe('');
    expect(one.snippet.length).toBeLessThan(400);
  }
});

test('folders, links that lead nowhere and pipes are no workflows; a pipe does not make it wait', async () => {
  const { dir, load } = await prepared();
  mkdirSync(join(dir, 'workflows/folder.yaml'));
  symlinkSync(join(dir, 'nowhere'), join(dir, 'workflows/link.yaml'));
  symlinkSync(join(dir, 'workflows'), join(dir, 'workflows/again'));
  execFileSync('mkfifo', [join(dir, 'workflows/pipe.yaml')]);
  expect((await load()).config.workflows.map(({ name }) => name)).toEqual(['Good']);
});

test('a file and a folder that cannot be read', async () => {
  const { dir, errors } = await prepared(
    { 'workflows/secret.yaml': good, 'workflows/deep/x.yaml': good },
    'workflows: ["workflows/**/*.yaml"]\n',
  );
  chmodSync(join(dir, 'workflows/secret.yaml'), 0);
  chmodSync(join(dir, 'workflows/deep'), 0);
  try {
    const messages = (await errors()).map(({ message }) => message);
    // Root reads everything: then the names are taken.
    expect(messages.some((message) => /cannot be read|is taken/.test(message))).toBe(true);
  } finally {
    chmodSync(join(dir, 'workflows/deep'), 0o755);
  }
});

test.each(['/**', '../../../../../../../**/*.yaml', '**/*.yaml', '~/**/*.nothing'])(
  'a pattern that is too wide ends: %s',
  async (pattern) => {
    const { errors } = await prepared({}, `workflows: ["${pattern}"]\n`);
    const began = performance.now();
    const found = await errors();
    expect(performance.now() - began).toBeLessThan(90_000);
    for (const { code, fix } of found) {
      expect(code).not.toBe('UNREADABLE');
      expect(fix).not.toBe('');
    }
  },
);

test('names that steer a terminal, or leave a folder, are refused and shown harmless', async () => {
  const names = ['"../../etc"', '"a\\u001b[31mb"', '"."', '" "', '"\\u0000"', `"${'x'.repeat(101)}"`];
  const { errors } = await prepared({
    'workflows/bad.yaml': `name: Bad\nsteps:\n${names.map((name) => `  - { name: ${name}, type: approval, message: x }\n`).join('')}`,
  });
  const found = await errors();
  expect(found.map(({ line, code }) => `${line} ${code}`)).toEqual(
    names.map((_, index) => `${index + 3} BAD_VALUE`),
  );
  const isControl = (char: string) => char !== '\n' && char.charCodeAt(0) < 32;
  for (const { message, snippet } of found) expect([...message, ...snippet].filter(isControl)).toEqual([]);
});

test('a thousand mistakes are told, not more than can be read, and quickly', async () => {
  const steps = Array.from(
    { length: 1_000 },
    (_, n) => `  - { name: s${n}, type: custom_command, command: ["true", "\${{ steps.nope${n}.result }}"] }`,
  );
  const { errors } = await prepared({ 'workflows/bad.yaml': `name: Bad\nsteps:\n${steps.join('\n')}\n` });
  const began = performance.now();
  const found = await errors();
  expect(performance.now() - began).toBeLessThan(90_000);
  expect(found).toHaveLength(1_000);
  expect(new Set(found.map(({ line }) => line)).size).toBe(1_000);
});

test('a chain, a fan and a grid of thousands of steps load', async () => {
  const line = (name: string, needs: string) =>
    `  - { name: ${name}, type: custom_command, command: "true", needs: [${needs}] }`;
  const chain = Array.from({ length: 2_000 }, (_, n) => line(`s${n}`, n === 0 ? '' : `s${n - 1}`));
  const fan = [
    ...Array.from({ length: 2_000 }, (_, n) => line(`s${n}`, '')),
    line('end', Array.from({ length: 2_000 }, (_, n) => `s${n}`).join(', ')),
  ];
  const { load } = await prepared({
    'workflows/chain.yaml': `name: Chain\nsteps:\n${chain.join('\n')}\n`,
    'workflows/fan.yaml': `name: Fan\nsteps:\n${fan.join('\n')}\n`,
  });
  const began = performance.now();
  const { config } = await load();
  expect(performance.now() - began).toBeLessThan(90_000);
  expect(config.workflows.map(({ steps }) => steps.length)).toEqual([2_000, 2_001, 1]);
});

test('a file that is named but gone, or a folder, is told as what it is', async () => {
  const { dir, load } = await prepared();
  const { config } = await load();
  await expect(loadWorkflowFile(join(dir, 'none.yaml'), config)).rejects.toMatchObject({
    code: 'CONFIG_NOT_FOUND',
  });
  await expect(loadWorkflowFile(join(dir, 'workflows'), config)).rejects.toThrow(/this is a folder/);
  writeFileSync(join(dir, 'half.yaml'), 'name: Half\nsteps: [{ name: a, type: custom_command, command: "tr');
  await expect(loadWorkflowFile(join(dir, 'half.yaml'), config)).rejects.toThrow(
    /half\.yaml:2:\d+ {2}the .* is never closed/,
  );
});
