/** Which folder holds which path: for absolute paths, without a look at the disk. */
import { isAbsolute, relative } from 'node:path';

/** True for the folder itself and everything below it. */
export function contains(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith('../'));
}
