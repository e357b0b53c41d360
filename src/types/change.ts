/** What `watch` gives and `router` takes. */

/** What identifies one version of a file without reading it. Two equal stamps: nothing was written in between. */
export interface Stamp {
  readonly ino: bigint;
  /** Bytes. */
  readonly size: number;
  readonly mtimeNs: bigint;
}

/**
 * A file that has settled, or is gone. `path` is relative to the root, with `/`; names that are not UTF-8 are written
 * as `path-bytes.ts` says, so hand absolute paths to `node:fs` through `fsPath`.
 */
export type Change =
  | {
      readonly type: 'added' | 'changed';
      readonly root: string;
      readonly path: string;
      readonly stamp: Stamp;
      readonly found: Found;
    }
  | { readonly type: 'removed'; readonly root: string; readonly path: string };

/** Events tell of now; a sweep also finds what was there before, the first one since the start or reload all of it. */
export type Found = 'event' | 'sweep' | 'first_sweep';

/** One text per stamp: how the ledger stores and compares it. */
export function formatStamp(stamp: Stamp): string {
  return `${stamp.ino}-${stamp.size}-${stamp.mtimeNs}`;
}
