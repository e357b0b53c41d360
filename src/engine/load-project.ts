/** Loads a configuration with everything checked that other folders know: secret references and placeholders. */
import { checkPlaceholders } from '../agents/placeholders.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Secrets } from '../secrets/secrets.ts';

/** @throws ConfigError with every finding. */
export function loadProject(file: string, secrets: Pick<Secrets, 'check'>): Promise<LoadedConfig> {
  return loadConfig(file, { checkReference: (text) => secrets.check(text), checkPlaceholders });
}
