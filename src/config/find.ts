/** Where the configuration is, and which folder is its project. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError } from '../types/errors.ts';

export const configNames = [
  'config/orchestrator.yaml',
  'config/orchestrator.yml',
  'config/orchestrator.json',
] as const;

/**
 * @param options.from Folder to start at; its parents follow.
 * @param options.explicit A file that was named (`--config`): it must exist, nothing is searched.
 * @returns An absolute path.
 * @throws AppError CONFIG_NOT_FOUND
 */
export async function findConfig({
  from,
  explicit,
}: {
  readonly from: string;
  readonly explicit?: string | undefined;
}): Promise<string> {
  if (explicit !== undefined) {
    const file = resolve(from, explicit);
    if (await exists(file)) return file;
    throw new AppError('CONFIG_NOT_FOUND', `There is no configuration file "${explicit}"`, {
      fix: 'Check the path after `--config`, or run `sluice init` to write one.',
    });
  }
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    for (const name of configNames) if (await exists(join(folder, name))) return join(folder, name);
    if (folder === dirname(folder)) break;
  }
  throw new AppError(
    'CONFIG_NOT_FOUND',
    `No "${configNames[0]}" in "${resolve(from)}" or a folder above it`,
    {
      fix: 'Run `sluice init` to write one here, or name one with `--config FILE`.',
    },
  );
}

/** The folder that holds `config/`; for a file elsewhere its own folder. */
export function projectDirOf(file: string): string {
  const folder = dirname(resolve(file));
  return basename(folder) === 'config' ? dirname(folder) : folder;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
