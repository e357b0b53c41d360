/** What an expression can see. Values are JSON; what is not there is null, as in GitHub Actions. */

export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };

export interface Scope {
  /** A context by its name: `file`, `steps`, `inputs` …; undefined: there is none here. Asked for only when it is used. */
  context(name: string): Value | undefined;
  /** `success()`, `failure()`, `always()`, `cancelled()`; absent where no step is decided. */
  readonly status?: { readonly success: boolean; readonly failure: boolean; readonly cancelled: boolean };
  /** Files by globs, relative to the project folder: for `hashFiles()` and `glob()`; absent: refused. */
  readonly files?: FileAccess;
}

export interface FileAccess {
  /** Sorted; at most `limit`, more are an error. */
  glob(patterns: readonly string[], limit: number): Promise<readonly FileValue[]>;
  /** SHA-256 in hex over names and contents; '' when nothing matches. */
  hash(patterns: readonly string[]): Promise<string>;
}

/** `file` in expressions, and what `glob()` lists. */
export type FileValue = {
  readonly path: string;
  readonly rel: string;
  readonly name: string;
  readonly stem: string;
  readonly ext: string;
  readonly dir: string;
  readonly root: string;
  readonly sha256: string;
  readonly bytes: number;
};
