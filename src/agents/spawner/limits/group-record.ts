/**
 * `limits.groups` in the state folder: where this project's control groups are, one folder a line, from the first limited
 * attempt until the helper ends in good order. After a `kill -9` the next helper clears them by it: it may itself be in
 * another group than the one below which they were made.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { clearGroups, projectGroup, removeGroup } from './group-folders.ts';

function recordPath(stateDir: string): string {
  return join(stateDir, 'limits.groups');
}

export function recordGroups(stateDir: string, folders: readonly string[]): void {
  if (folders.length > 0) writeFileSync(recordPath(stateDir), `${folders.join('\n')}\n`, { mode: 0o600 });
}

/** They are gone. */
export function forgetGroups(stateDir: string): void {
  rmSync(recordPath(stateDir), { force: true });
}

/** Ends what runs in the recorded groups and removes them, as far as they are this project's. Never throws. */
export function clearRecorded(stateDir: string, tag: string): void {
  try {
    for (const dir of readFileSync(recordPath(stateDir), 'utf8').split('\n'))
      if (basename(dir) === projectGroup(tag)) clearProject(dir);
    forgetGroups(stateDir);
  } catch {
    // There was none; or the state folder cannot be written, of which others complain.
  }
}

/** Ends what runs in the groups below a project's group, and removes all of them. Never throws. */
export function clearProject(dir: string): void {
  clearGroups(dir);
  removeGroup(dir);
}
