/**
 * Packages that the project depends on and that say of themselves, by a keyword, that they bring an agent kind. Looked for by
 * name in the project's own list: what lies in `node_modules` because something else needed it is not loaded.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const pluginKeyword = 'sluice-agent-kind';

/** In the order of the list. */
export function pluginPackages(projectDir: string): readonly string[] {
  const { dependencies, devDependencies } = readManifest(join(projectDir, 'package.json'));
  const names = Object.keys({ ...asObject(dependencies), ...asObject(devDependencies) });
  return names.filter((name) => isPlugin(name, projectDir));
}

function isPlugin(name: string, projectDir: string): boolean {
  for (let dir = projectDir; ; dir = dirname(dir)) {
    const { keywords } = readManifest(join(dir, 'node_modules', name, 'package.json'));
    if (Array.isArray(keywords)) return keywords.includes(pluginKeyword);
    if (dir === dirname(dir)) return false;
  }
}

/** One that is missing or broken says nothing. */
function readManifest(file: string): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
