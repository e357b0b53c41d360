/** Nobody confined may change what decides what runs without a sandbox, plugins of the project's own among it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { protectedPlaces } from '../../src/engine/protected-places.ts';

test('of a plugin that is the project itself, the code in its folder', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-protected-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'config'));
  for (const name of ['package.json', 'index.js', 'notes.md']) writeFileSync(join(dir, name), '{}');
  const file = join(dir, 'config/orchestrator.yaml');
  writeFileSync(file, 'version: 1\nagents: { own: { kind: plugin, plugin: ./ } }\n');
  const { config } = await loadConfig(file);
  expect(protectedPlaces(config)).toEqual(
    ['processed', 'config/orchestrator.yaml', 'workflows', 'index.js', 'package.json'].map((path) =>
      join(dir, path),
    ),
  );
});

test('results, the configuration, workflows and plugins that are named by a path', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-protected-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'config'));
  const file = join(dir, 'config/orchestrator.yaml');
  writeFileSync(
    file,
    `version: 1
agents:
  own: { kind: plugin, plugin: ./plugins/own.mjs }
  other: { kind: plugin, plugin: sluice-other }
`,
  );
  const { config } = await loadConfig(file);
  expect(protectedPlaces(config)).toEqual(
    ['processed', 'config/orchestrator.yaml', 'workflows', 'plugins/own.mjs'].map((path) => join(dir, path)),
  );
});
