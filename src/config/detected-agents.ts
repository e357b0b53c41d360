/**
 * `agents: auto`: entries for what this machine has, as a file would write them, so that they are checked and filled in like
 * any others. Who looks is handed in: it knows the programs, this folder does not.
 */
import type { Findings } from './source.ts';
import { isMapping } from './unsupported.ts';

/** A cheap look at PATH: no program is started. Entries have unique names that a configuration can have. */
export type DetectAgents = (where: { readonly projectDir: string }) => Promise<readonly DetectedAgent[]>;

export interface DetectedAgent {
  readonly name: string;
  readonly entry: Readonly<Record<string, unknown>>;
}

/** Facts about any file, at no cost: there whatever is found. */
const always = { inspect: { kind: 'builtin' } };

/** Puts what was found in the place of `auto`. @returns whether `auto` is written. */
export async function registerDetected(
  data: Record<string, unknown>,
  findings: Findings,
  detect: DetectAgents | undefined,
  where: Parameters<DetectAgents>[0],
): Promise<boolean> {
  if (data.agents !== 'auto') return false;
  const endpoints = isMapping(data.watcher_endpoints) ? data.watcher_endpoints : {};
  // Copied: defaults are filled into the entries.
  const found = structuredClone((await detect?.(where)) ?? []).filter(
    ({ name }) => !Object.hasOwn(endpoints, name),
  );
  data.agents = {
    ...structuredClone(always),
    ...Object.fromEntries(found.map(({ name, entry }) => [name, entry])),
  };
  if (found.length === 0)
    findings.add(
      'warning',
      'NOTHING_FOUND',
      { path: ['agents'] },
      '`auto` finds no agent CLI and no tool on PATH: there is only the built-in `inspect`',
      'Install one (`sluice agents detect` says how), or define agents by name.',
    );
  return true;
}
