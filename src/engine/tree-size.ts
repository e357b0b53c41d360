/** Bytes in the files of a folder and below, a little at a time; links count as nothing, and what vanishes meanwhile too. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';

export async function sizeOfTree(path: string): Promise<number> {
  const stat = await lstat(fsPath(path)).catch(() => undefined);
  if (stat?.isFile()) return stat.size;
  if (!stat?.isDirectory()) return 0;
  let bytes = 0;
  for (const name of await namesIn(path)) bytes += await sizeOfTree(join(path, name));
  return bytes;
}

/** Names of a folder; none when it is not there. */
export async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(fsPath(dir), { encoding: 'buffer' })).map(pathFromBytes);
  } catch {
    return [];
  }
}
