/**
 * Where definitions of workflows stand: a command of theirs may run without a sandbox, so that whoever can write there is
 * not confined by anything.
 */
import { dirname, join } from 'node:path';
import type { Config } from './config.ts';
import { contains } from './contains.ts';

/**
 * Absolute paths: the folder in which workflows are looked for by default, and those of all files. Where that is the whole
 * project, or the file is the configuration, only the file itself.
 */
export function workflowPlaces({
  file: configFile,
  projectDir,
  workflows,
}: Pick<Config, 'file' | 'projectDir' | 'workflows'>): readonly string[] {
  const places = workflows.map(({ file }) =>
    file === configFile || contains(dirname(file), projectDir) ? file : dirname(file),
  );
  return [...new Set([join(projectDir, 'workflows'), ...places])];
}
