/**
 * Which file a command's first word means, by the rules of `execvp`, on the PATH the command itself gets. Done here and
 * not left to the C library, which would look on the helper's own PATH, and so that a refusal can say what is wrong.
 * Synchronous: some cached stats of a few microseconds each.
 */
import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fsPath } from '../types/path-bytes.ts';
import { shellLine } from './cli/reading/shell-line.ts';

export type FoundCommand =
  | { readonly file: string; readonly stat: Stats }
  | {
      readonly code: 'ENOENT' | 'EACCES';
      readonly message: string;
      /** A file stands there, and only the permission to run it is missing. */
      readonly isFile?: true;
      /** With `isFile`: how a person gives it. */
      readonly fix?: string;
    };

export function findCommand(command: string, path: string, cwd: string): FoundCommand {
  if (command === '') return { code: 'ENOENT', message: 'The command is empty' };
  if (command.includes('/')) return judge(isAbsolute(command) ? command : join(cwd, command));
  let refused: FoundCommand | undefined;
  for (const folder of path.split(':')) {
    const found = judge(join(isAbsolute(folder) ? folder : join(cwd, folder), command));
    if ('file' in found) return found;
    // A file without permission is remembered, but a later folder may hold one that can be run. A folder on PATH that
    // we may not enter (another user's, often) says nothing about the command.
    if (found.isFile) refused ??= found;
  }
  return refused ?? { code: 'ENOENT', message: `The command "${command}" is in none of the folders on PATH` };
}

/** Whether this file can be run. */
export function judge(file: string): FoundCommand {
  let stat: Stats | undefined;
  try {
    stat = statSync(fsPath(file), { throwIfNoEntry: false });
  } catch {
    return { code: 'EACCES', message: `"${file}" cannot be reached` };
  }
  if (stat === undefined) return { code: 'ENOENT', message: `There is no file "${file}"` };
  if (stat.isDirectory()) return { code: 'EACCES', message: `"${file}" is a folder` };
  try {
    accessSync(fsPath(file), constants.X_OK);
  } catch {
    const fix = `Make it executable: \`${shellLine(['chmod', '+x', file])}\``;
    return { code: 'EACCES', message: `"${file}" is not executable`, isFile: true, fix };
  }
  return { file, stat };
}
