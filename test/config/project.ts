/** A project folder for one test: files by path, removed at its end. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  ConfigError,
  type Diagnostic,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
} from '../../src/config/load.ts';

export async function project(files: Record<string, string | Uint8Array>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
  return dir;
}

/** Loads a text as `config/orchestrator.yaml` of a project that has an inbox. */
export async function load(
  text: string,
  files: Record<string, string> = {},
  options: LoadOptions = {},
): Promise<LoadedConfig> {
  const dir = await project({ 'inbox/.keep': '', 'config/orchestrator.yaml': text, ...files });
  return loadConfig(join(dir, 'config/orchestrator.yaml'), options);
}

/** The findings of a text that does not load. */
export async function findingsOf(
  text: string,
  files: Record<string, string> = {},
): Promise<readonly Diagnostic[]> {
  try {
    await load(text, files);
  } catch (error) {
    if (error instanceof ConfigError) return error.diagnostics;
    throw error;
  }
  throw new Error('The configuration was accepted');
}

export async function errorsOf(
  text: string,
  files: Record<string, string> = {},
): Promise<readonly Diagnostic[]> {
  return (await findingsOf(text, files)).filter((found) => found.severity === 'error');
}

/** `line:column CODE`, as the tables write it. */
export function brief(found: Diagnostic): string {
  return `${found.line}:${found.column} ${found.code}`;
}
