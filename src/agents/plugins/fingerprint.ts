/**
 * What of a plugin's package decides a result: its version and its entry's content. Nothing of it is run, so that a look
 * at the cache key needs no package to be right.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { AppError } from '../../types/errors.ts';
import { type Located, locatePlugin } from './locate.ts';

export async function fingerprintOf({ version, entry }: Pick<Located, 'version' | 'entry'>): Promise<string> {
  const sum = createHash('sha256')
    .update(await readFile(entry))
    .digest('hex')
    .slice(0, 16);
  return `${version}:${sum}`;
}

/** `absent` where it is not installed, or cannot be loaded: it does not run then. */
export async function pluginFingerprint(named: string, projectDir: string): Promise<string> {
  try {
    return await fingerprintOf(await locatePlugin(named, projectDir, import.meta.dirname));
  } catch (error) {
    if (error instanceof AppError) return 'absent';
    throw error;
  }
}
