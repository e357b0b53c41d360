/** Folders with packages in their `node_modules`, as npm would leave them. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CliAgent } from '../../../src/config/config.ts';

export class Packages {
  readonly dir: string;

  constructor() {
    this.dir = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-plugins-')));
    onTestFinished(() => rmSync(this.dir, { recursive: true, force: true }));
  }

  write(path: string, text: string): string {
    const file = join(this.dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** @param at The folder that holds `node_modules`, relative to ours. */
  install(name: string, source: string, manifest: object = {}, at = ''): void {
    const folder = join(at, 'node_modules', name);
    this.write(
      join(folder, 'package.json'),
      JSON.stringify({ name, version: '1.2.3', type: 'module', exports: './index.js', ...manifest }),
    );
    this.write(join(folder, 'index.js'), source);
  }
}

export const agentOf = (named: string): Pick<CliAgent, 'name' | 'kind' | 'cli'> => ({
  ...{ name: 'own', kind: 'plugin' },
  cli: {
    plugin: { package: named, options: {} },
    permissions: { mode: 'read', ceiling: 'read', directories: [] },
    ...{ tools: [], onQuota: 'wait' },
  },
});

/** The source of a kind that is right; tests put something else in place of some of it. */
export function kindSource(changed: Readonly<Record<string, string>> = {}): string {
  const fields: Record<string, string> = {
    apiVersion: '1',
    name: '"own"',
    title: '"Own"',
    programs: '["own"]',
    install: '"npm install own"',
    login: '"Log in."',
    capabilities: '["code_review"]',
    minimumVersion: '"1.0"',
    versionArgs: '["--version"]',
    helpArgs: '["--help"]',
    environment: '["OWN_*"]',
    home: '[{ path: ".own" }]',
    loginState: 'async () => ({ state: "unknown", detail: "" })',
    launch: '(request) => ({ args: ["--json"], env: {}, files: [], stdin: request.prompt })',
    read: '() => ({ hasEnded: false, line: () => [], end: () => ({ terminal: "none", faults: [], denials: [], text: "", costUsd: null }) })',
    resume: '(id) => `own --resume ${id}`',
    ...changed,
  };
  return `({ ${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}`)
    .join(',\n')} })`;
}
