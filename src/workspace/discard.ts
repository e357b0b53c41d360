/** Removes a copy with all that an agent left in it, also folders that it locked (package managers like to do that). */
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { systemCode } from '../types/errors.ts';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';
import { below, lookAt } from './look.ts';

export async function discardTree(dir: string): Promise<void> {
  // A link that somebody put there is removed, not what it leads to.
  if (lookAt(dir)?.kind !== 'folder') return rmSync(fsPath(dir), { force: true });
  try {
    await rm(fsPath(dir), { recursive: true, force: true });
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) throw error;
    unlock(dir);
    await rm(fsPath(dir), { recursive: true, force: true });
  }
}

function unlock(dir: string): void {
  const open = [dir];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    chmodSync(fsPath(folder), 0o700);
    for (const entry of readdirSync(fsPath(folder), { withFileTypes: true, encoding: 'buffer' }))
      if (entry.isDirectory()) open.push(below(folder, pathFromBytes(entry.name)));
  }
}
