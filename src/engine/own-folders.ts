import type { Config } from '../config/config.ts';

/** Never inputs: our state and what we write. */
export function ownFolders({ stateDir, output }: Config): readonly string[] {
  return [stateDir, output.dir];
}
