/** Is a root there, and can it be read? Asked of the system's thread pool with a deadline: a mount that hangs must not stop the others. */
import { opendir, realpath, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from '../types/errors.ts';
import { fsPath } from '../types/path-bytes.ts';

const deadlineMs = 5_000;

export type RootCheck =
  | { readonly state: 'readable'; readonly dir: string; readonly identity: string }
  | { readonly state: 'missing'; readonly why: string }
  | { readonly state: 'unreadable'; readonly why: string };

export async function checkRoot(dir: string): Promise<RootCheck> {
  const timeout = new AbortController();
  try {
    return await Promise.race([
      look(dir),
      delay(deadlineMs, undefined, { signal: timeout.signal, ref: false }).then(
        (): RootCheck => ({ state: 'unreadable', why: `it does not answer within ${deadlineMs / 1000} s` }),
      ),
    ]);
  } finally {
    timeout.abort();
  }
}

async function look(dir: string): Promise<RootCheck> {
  try {
    const real = await realpath(fsPath(dir));
    const stats = await stat(real, { bigint: true });
    if (!stats.isDirectory()) return { state: 'missing', why: 'it is not a folder' };
    await (await opendir(real)).close();
    return { state: 'readable', dir: real, identity: `${stats.dev}:${stats.ino}` };
  } catch (error) {
    const code = systemCode(error) ?? String(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { state: 'missing', why: 'it does not exist' };
    return { state: 'unreadable', why: code === 'EACCES' ? 'permission denied' : code };
  }
}
