/**
 * Keeps a fault in native code from ending the daemon at every start: a marker file stands while native code is loaded
 * and tried for the first time. Found at the next start, it says that the last one died there; that start does without,
 * and removes the marker, so the one after tries again (a library was updated, or it was only a power cut).
 */
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const markerName = 'native-watch.starting';

/** @returns what `dangerous` gave, or `crashed` when the last start died in it. */
export async function guardCrash<T>(stateDir: string, dangerous: () => Promise<T>): Promise<T | 'crashed'> {
  const marker = join(stateDir, markerName);
  if (statSync(marker, { throwIfNoEntry: false }) !== undefined) {
    rmSync(marker, { force: true });
    return 'crashed';
  }
  writeFileSync(marker, `${process.pid}\n`, { mode: 0o600 });
  try {
    return await dangerous();
  } finally {
    rmSync(marker, { force: true });
  }
}
