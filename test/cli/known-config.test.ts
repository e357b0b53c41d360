/** What is kept of the configuration, between commands. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { knownConfig } from '../../src/cli/known-config.ts';
import { loadConfig } from '../../src/config/load.ts';

test('a workflow that is saved while it is loaded is not taken for what was loaded', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-known-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (const name of ['.sluice', 'config', 'inbox', 'workflows']) mkdirSync(join(dir, name));
  const file = join(dir, 'config/orchestrator.yaml');
  writeFileSync(file, 'version: 1\n');
  const save = (description: string) =>
    writeFileSync(
      join(dir, 'workflows/w.yaml'),
      `name: w\ndescription: ${description}\nsteps: [{ name: s, type: custom_command, command: "true" }]\n`,
    );
  save('old');
  const load = vi.fn(() => loadConfig(file));
  const descriptions = async (once = load) => {
    const o = { stateDir: join(dir, '.sluice'), configFile: file, env: {}, version: '1', load: once };
    return (await knownConfig(o)).workflows.map(({ description }) => description);
  };
  const loadAndSave = vi.fn(async () => {
    const loaded = await load();
    save('new');
    return loaded;
  });
  expect(await descriptions(loadAndSave)).toEqual(['old']);
  expect(await descriptions()).toEqual(['new']);

  // Once all are of some age it is kept.
  await vi.waitUntil(async () => {
    load.mockClear();
    return (await descriptions()).includes('new') && load.mock.calls.length === 0;
  });
  utimesSync(file, 1, 1);
  await descriptions();
  expect(load).toHaveBeenCalledOnce();
});
