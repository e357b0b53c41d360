/** Workflow files are part of the configuration: one that changes, comes or goes is taken over, a broken one changes nothing. */
import { mkdtempSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createConditionBoard } from '../../src/conditions/board.ts';
import type { Config } from '../../src/config/config.ts';
import { type ConfigChange, loadConfig } from '../../src/config/load.ts';
import { type ReloadOptions, watchConfig } from '../../src/engine/reload.ts';

const flow = (name: string, command = 'true') =>
  `name: ${name}\nsteps: [{ name: a, type: custom_command, command: "${command}" }]\n`;

type Write = (path: string, content: string) => Promise<void>;

/** @param meanwhile Done when the configuration has been read, and nobody looks at its files yet. */
async function watched(files: Record<string, string>, meanwhile?: (write: Write) => Promise<void>) {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-reload-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const write: Write = async (path, content) => {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  };
  for (const [path, content] of Object.entries({ 'inbox/.keep': '', ...files })) await write(path, content);
  const file = join(dir, 'config/orchestrator.yaml');
  const loaded = await loadConfig(file);
  await meanwhile?.(write);
  let config: Config = loaded.config;
  const told: string[] = [];
  const conditions = createConditionBoard({ now: Date.now });
  const quiet = { info: () => {}, warn: () => {} };
  const watch = watchConfig({
    loaded,
    load: loadConfig,
    engine: {
      config: () => config,
      conditions,
      ledger: {
        audit: {
          append: async ({ type, data }: { type: string; data: unknown }) => {
            const paths = Array.isArray(data)
              ? (data as ConfigChange[]).map(({ path }) => path).join(' ')
              : '';
            told.push(`${type} ${paths}`.trim());
          },
        },
      },
    } as unknown as ReloadOptions['engine'],
    log: { log: quiet, setLevel: () => {}, setMaxBytes: () => {} } as unknown as ReloadOptions['log'],
    notifier: { reloading: () => {}, ready: () => {} },
    apply: async (next) => {
      config = next;
    },
  });
  onTestFinished(() => watch[Symbol.asyncDispose]());
  const until = (what: string, check: () => boolean) =>
    vi.waitFor(() => expect(check(), what).toBe(true), { timeout: 60_000, interval: 50 });
  return {
    dir,
    write,
    told,
    conditions,
    until,
    names: () => config.workflows.map(({ name }) => name),
    config: () => config,
  };
}

test('what is saved while the daemon starts is taken over, and is told once', async () => {
  const files = { 'config/orchestrator.yaml': 'version: 1\n', 'workflows/a.yaml': flow('A') };
  const project = await watched(files, (write) => write('workflows/a.yaml', flow('A', 'false')));
  expect(JSON.stringify(project.config().workflows)).toContain('"true"');
  await project.until('it is taken over', () => project.told.length > 0);
  expect(JSON.stringify(project.config().workflows)).toContain('"false"');
  await project.write('workflows/b.yaml', flow('B'));
  await project.until('what comes later, too', () => project.names().join() === 'A,B');
  expect(project.told).toEqual(['config_reload workflows.A.steps.a.command', 'config_reload workflows.B']);
});

test('a file that changes, one that appears in a folder that was not there, and one that goes', async () => {
  const project = await watched({ 'config/orchestrator.yaml': 'version: 1\n' });
  await project.write('workflows/a.yaml', flow('A'));
  await project.until('the new file is there', () => project.names().join() === 'A');
  await project.write(
    'workflows/b.json',
    JSON.stringify({ name: 'B', steps: [{ name: 'a', type: 'approval', message: '?' }] }),
  );
  await project.until('the second file is there', () => project.names().join() === 'A,B');
  // Editors save by rename.
  await project.write('workflows/.a.yaml.swp', flow('A', 'false'));
  await rename(join(project.dir, 'workflows/.a.yaml.swp'), join(project.dir, 'workflows/a.yaml'));
  await project.until('the change is there', () =>
    JSON.stringify(project.config().workflows).includes('"false"'),
  );
  await rm(join(project.dir, 'workflows/a.yaml'));
  await project.until('the file is gone', () => project.names().join() === 'B');
  expect(project.told).toEqual([
    'config_reload workflows.A',
    'config_reload workflows.B',
    'config_reload workflows.A.steps.a.command',
    'config_reload workflows.A',
  ]);
});

test('a new file that is broken changes nothing, says where, and is taken up as soon as it is mended in place', async () => {
  const project = await watched({
    'config/orchestrator.yaml': 'version: 1\n',
    'workflows/a.yaml': `${flow('A').replace('command: "true"', 'command: "true", expect: { json_schema: s.json }')}`,
    's.json': '{}',
  });
  const broken = () => project.conditions.list().filter(({ code }) => code === 'CONFIG_INVALID');
  await project.write('workflows/new.yaml', flow('New').replace('name: a', 'nmae: a'));
  await project.until('it is said', () => broken().length === 1);
  expect(broken()[0]?.message).toContain('workflows/new.yaml:2:');
  expect(project.names()).toEqual(['A']);
  // Written in place: only the file itself tells of it.
  await writeFile(join(project.dir, 'workflows/new.yaml'), flow('New'));
  await project.until('it is taken up', () => broken().length === 0 && project.names().join() === 'A,New');
  await writeFile(join(project.dir, 's.json'), '{"type": 5}');
  await project.until('the schema is broken', () => broken().length === 1);
  await writeFile(join(project.dir, 's.json'), '{"type": "object"}');
  await project.until('the schema is mended', () => broken().length === 0);
  expect(project.told.at(-1)).toMatch(/^config_re/);
});
