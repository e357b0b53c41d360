/** Whoever may write into the project must not be able to give itself a workflow. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { guardWorkflows } from '../../src/engine/guard-workflows.ts';

test.each([
  ['nobody writes there', 'agents: { a: { kind: command, command: ["true"] } }', false],
  [
    'an agent does',
    'agents: { a: { kind: command, command: ["true"], sandbox: { write: [project] } } }',
    true,
  ],
  [
    'steps of a definition in place do',
    'workflows: [{ name: w, steps: [{ name: s, type: custom_command, command: ["true"] }] }]',
    true,
  ],
  [
    'one that no sandbox holds anyway',
    'agents: { a: { kind: command, command: ["true"], sandbox: { mode: off, reason: r } } }',
    false,
  ],
])('%s', async (_, text, isMade) => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-guard-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'config'));
  const file = join(dir, 'config/orchestrator.yaml');
  writeFileSync(file, `version: 1\n${text}\n`);
  const { config } = await loadConfig(file);
  guardWorkflows(config);
  expect(existsSync(join(dir, 'workflows'))).toBe(isMade);
  guardWorkflows(config);
});
