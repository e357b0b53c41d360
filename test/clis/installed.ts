/** Where the real agent CLIs are kept, each in the version that `versions.json` pins: outside of the clone, beside other caches. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Name → what npm is asked for: `@openai/codex@0.169.0`. */
export function pinnedSpecs(): Record<string, string> {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'versions.json'), 'utf8')) as Record<
    string,
    string
  >;
}

/** The folder that one is installed in, or would be. */
export function placeOf(spec: string): { readonly dir: string; readonly bin: string; readonly done: string } {
  const { SLUICE_CLIS_CACHE, XDG_CACHE_HOME } = process.env;
  const cache = SLUICE_CLIS_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sluice-clis');
  const dir = join(cache, spec.replace(/[^A-Za-z0-9.@-]+/g, '_'));
  // Written last: an installation that was interrupted is made again.
  return { dir, bin: join(dir, 'node_modules/.bin'), done: join(dir, 'installed') };
}

export function isInstalled(spec: string): boolean {
  return existsSync(placeOf(spec).done);
}
