/** A copy that may replace its original: read back, compared, and on disk before anybody removes the other one. */
import { createHash, randomUUID } from 'node:crypto';
import type { PathLike } from 'node:fs';
import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { copyFile, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Copies mode, content and mtime to a name that nothing has.
 * @returns false, with nothing at `to`, when the bytes differ: the original was written to meanwhile, or a disk is bad.
 */
export async function copyDurably(from: PathLike, to: string): Promise<boolean> {
  const part = join(dirname(to), `.${randomUUID()}.part`);
  try {
    const { atime, mtime } = await stat(from);
    await copyFile(from, part, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    if ((await checksum(part, true)) !== (await checksum(from, false))) return false;
    utimesSync(part, atime, mtime);
    renameSync(part, to);
    syncFolder(dirname(to));
    return true;
  } finally {
    rmSync(part, { force: true });
  }
}

export async function haveSameContent(a: PathLike, b: PathLike): Promise<boolean> {
  return (await checksum(a, false)) === (await checksum(b, false));
}

async function checksum(file: PathLike, sync: boolean): Promise<string> {
  await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  if (sync) await handle.sync();
  const digest = createHash('sha256');
  for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 512 * 1024 }))
    digest.update(chunk);
  return digest.digest('hex');
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
