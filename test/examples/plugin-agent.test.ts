/** An agent kind that a package brings, run by the built program: its work, its denial and its faults. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kindSource } from '../agents/plugins/packages.ts';
import { Example } from './example.ts';

interface Receipt {
  readonly state: string;
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
  readonly attempts: readonly {
    readonly cli?: { readonly kind: string; readonly flags: readonly string[] };
  }[];
}

const receipt = (example: Example, path: string): Receipt =>
  JSON.parse(example.read(`processed/files/inbox/${path}/receipt.json`)) as Receipt;

const configuration = (agents: string, rules: string) =>
  `version: 1\nwatch: [{ path: ./inbox }]\nrouting_rules:\n${rules}agents:\n${agents}`;

test('plugin-agent: the parrot repeats what it is told', async () => {
  const example = new Example('plugin-agent');
  const { code, stdout, stderr } = await example.call('run');
  expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('1 succeeded'), expect.anything()]);
  expect(example.read('processed/files/inbox/hello.txt/result.md')).toBe('REPEAT WHAT HELLO.TXT IS FOR.\n');
  expect(receipt(example, 'hello.txt').attempts[0]?.cli).toMatchObject({
    kind: 'parrot',
    flags: ['--json', '--may', 'read', '--loud'],
  });
});

test('plugin-agent: what it is denied is given to it once, within its ceiling', async () => {
  const example = new Example('plugin-agent');
  example.write(
    'config/orchestrator.yaml',
    configuration(
      '  parrot: { kind: plugin, plugin: ./, permissions: { ceiling: edit }, sandbox: { mode: auto, write: [project] } }\n',
      '  - { pattern: "*.txt", agent: parrot, prompt: "Repeat this.\\nwrite told.txt" }\n',
    ),
  );
  const { code } = await example.call('run');
  const { state, attempts } = receipt(example, 'hello.txt');
  expect([code, state]).toEqual([0, 'succeeded']);
  expect(attempts.map(({ cli }) => cli?.flags[2])).toEqual(['read', 'edit']);
  expect(example.read('told.txt')).toBe('Repeat this.\n');
});

test('plugin-agent: plugins that fail take nobody with them', async () => {
  const example = new Example('plugin-agent');
  const plugin = (name: string, changed: Readonly<Record<string, string>>) => {
    const programs = JSON.stringify([join(example.dir, 'parrot.js')]);
    example.write(
      `${name}.js`,
      `export default ${kindSource({ name: JSON.stringify(name), programs, ...changed })}`,
    );
    return `  ${name}: { kind: plugin, plugin: ./${name}.js, sandbox: { mode: auto } }\n`;
  };
  chmodSync(join(example.dir, 'parrot.js'), 0o755);
  const agents = [
    plugin('launching', { launch: '() => { throw new Error("no launch today"); }' }),
    plugin('reading', { read: '() => ({ line() { throw new Error("cannot read"); } })' }),
    '  parrot: { kind: plugin, plugin: ./, sandbox: { mode: auto } }\n',
  ];
  const rules = ['launching', 'reading', 'parrot'].map(
    (name) => `  - { pattern: "${name}.txt", agent: ${name}, prompt: "Go." }\n`,
  );
  for (const name of ['launching', 'reading', 'parrot']) example.write(`inbox/${name}.txt`, 'x');
  example.write('config/orchestrator.yaml', configuration(agents.join(''), rules.join('')));
  expect((await example.call('run')).code).toBe(1);
  expect(receipt(example, 'launching.txt')).toMatchObject({
    ...{ state: 'failed', reason: 'spawn_failed' },
    message: 'The plugin "./launching.js" 0 failed at a launch: no launch today',
    fix: expect.stringContaining('sluice/plugin/contract'),
  });
  expect(receipt(example, 'reading.txt')).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('failed while it read: cannot read'),
  });
  expect(receipt(example, 'parrot.txt').state).toBe('succeeded');
});

test('plugin-agent: jobs wait for a package that is not installed, or is no agent kind', async () => {
  const example = new Example('plugin-agent');
  example.write('wrong.js', 'export default { apiVersion: 9 }');
  example.write('inbox/wrong.txt', 'x');
  example.write(
    'config/orchestrator.yaml',
    configuration(
      '  gone: { kind: plugin, plugin: sluice-kind-gone }\n  wrong: { kind: plugin, plugin: ./wrong.js }\n',
      '  - { pattern: "wrong.txt", agent: wrong, prompt: "Go." }\n  - { pattern: "*.txt", agent: gone, prompt: "Go." }\n',
    ),
  );
  const { code, stdout, stderr } = await example.call('run');
  expect(code).toBe(1);
  const said = `${stdout}${stderr}`;
  expect(said).toContain('npm install sluice-kind-gone');
  expect(said).toContain('version 9 of the interface');
});
