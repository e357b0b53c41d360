/** `file` in expressions, from where a file lies and what is in it. The parts of its name are cut here and nowhere else. */
import type { FileValue } from './scope.ts';

export function fileValue(o: {
  /** Absolute folder of the root. */
  readonly root: string;
  /** Relative to the root. */
  readonly rel: string;
  /** Absolute path. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}): FileValue {
  const { root, rel, path, sha256, bytes } = o;
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const dot = name.lastIndexOf('.');
  // A name that only begins with a dot is hidden, it has no extension.
  const stem = dot > 0 ? name.slice(0, dot) : name;
  const ext = name.slice(stem.length);
  return { path, rel, name, stem, ext, dir: path.slice(0, slash) || '/', root, sha256, bytes };
}
