/**
 * Keeps the older results under `cache.max_bytes`: those that came into the history first go first, and the cache then
 * does not have them any more. What stands in the output folder is not counted; it goes when its file gets a new result.
 */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../types/errors.ts';

/** @returns the number of results that were removed. */
export async function trimHistory(dir: string, maxBytes: number): Promise<number> {
  const kept: { path: string; bytes: number; since: number }[] = [];
  let total = 0;
  for (const name of await namesIn(dir)) {
    const path = join(dir, name);
    const bytes = await sizeOf(path);
    const since = (await lstat(path).catch(() => undefined))?.ctimeMs ?? 0;
    total += bytes;
    kept.push({ path, bytes, since });
  }
  let removed = 0;
  for (const { path, bytes } of kept.toSorted((a, b) => a.since - b.since)) {
    if (total <= maxBytes) break;
    await rm(path, { recursive: true, force: true });
    total -= bytes;
    removed += 1;
  }
  return removed;
}

/** Bytes in files; a link counts as nothing, and what vanishes meanwhile too. */
async function sizeOf(path: string): Promise<number> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat?.isFile()) return stat.size;
  if (!stat?.isDirectory()) return 0;
  let bytes = 0;
  for (const name of await namesIn(path)) bytes += await sizeOf(join(path, name));
  return bytes;
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
