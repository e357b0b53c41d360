/** What is known of values before there are any: for checks when a file is loaded. */

export type Kind = 'text' | 'number' | 'boolean' | 'list' | 'object';

export type Shape = { readonly doc?: string } & (
  | { readonly kind: 'number' | 'boolean' | 'any' }
  /** `values`: it is one of these and never another. */
  | { readonly kind: 'text'; readonly values?: readonly string[] }
  | { readonly kind: 'list'; readonly items?: Shape }
  /** `open`: other keys are possible, their values may be anything. */
  | { readonly kind: 'object'; readonly keys: Readonly<Record<string, Shape>>; readonly open?: boolean }
  /** A name that exists, but cannot be read here: a step that runs later, `item` outside of `for_each`. */
  | { readonly kind: 'absent'; readonly why: string; readonly fix: string }
);

/** What a text may read and call. */
export interface Known {
  readonly contexts: Readonly<Record<string, Shape>>;
  /** Names of the functions that can be called here; default: all. */
  readonly functions?: readonly string[];
  /** `success()` and its like have a meaning here. */
  readonly status: boolean;
}

export const fileShape: Shape = {
  kind: 'object',
  keys: {
    path: { kind: 'text', doc: 'absolute path of the file' },
    rel: { kind: 'text', doc: 'path relative to the root, with "/"' },
    name: { kind: 'text', doc: 'file name with extension' },
    stem: { kind: 'text', doc: 'file name without its last extension' },
    ext: { kind: 'text', doc: 'last extension, with its dot; empty when there is none' },
    dir: { kind: 'text', doc: 'absolute path of the folder that holds the file' },
    root: { kind: 'text', doc: 'absolute path of the root' },
    sha256: { kind: 'text', doc: 'checksum of the content, hexadecimal' },
    bytes: { kind: 'number', doc: 'size in bytes' },
  },
};

export const filesShape: Shape = { kind: 'list', items: fileShape };
