/** What an attempt left → what reviewers are shown. */
import type { FileChange } from '../workspace/workspaces.ts';
import type { ReviewWork } from './reviews.ts';

export interface WorkSource {
  readonly title: string;
  readonly task: string;
  /** Absolute path of the author's result text; absent: it gave none. */
  readonly resultFile?: string;
  /** Absolute; `outputs` are in it. */
  readonly outputsDir?: string;
  readonly outputs: readonly { readonly path: string; readonly bytes: number }[];
  readonly changes: ChangeSource;
  readonly redact: (text: string) => string;
}

export type ChangeSource =
  | { readonly kind: 'none' }
  /** It worked on a copy: its changes, the tree as it was, and the copy. */
  | {
      readonly kind: 'copy';
      readonly files: readonly FileChange[];
      readonly before: string;
      readonly after: string;
    }
  /** It worked in the tree itself: against the last commit, where the tree is in a git repository. */
  | {
      readonly kind: 'in_place';
      /** Absolute; only what is below is shown. */
      readonly dir: string;
      /** Relative to `dir`; absent or empty: all of it. */
      readonly paths?: readonly string[];
      /** Absolute; what is below is left out: our own folders. */
      readonly exclude?: readonly string[];
    };

/** Never throws for what is there or not there; what cannot be read is said in its place. @throws `signal.reason` on abort. */
export async function readWork(_source: WorkSource, _signal: AbortSignal): Promise<ReviewWork> {
  throw new TypeError('not there yet');
}
