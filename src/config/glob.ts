/** How globs are read everywhere: by picomatch, with one way round a fault of it. */
import picomatch from 'picomatch';

/** Dotfiles are files like others, names may hold newlines, case matters. */
export const globOptions = { dot: true, flags: 's' } as const;

/**
 * A glob, or a list of which one has to fit, as a test of paths.
 * @throws for what can not be understood.
 */
export function compileGlob(glob: string | readonly string[]): (path: string) => boolean {
  return picomatch(typeof glob === 'string' ? forPicomatch(glob) : glob.map(forPicomatch), globOptions);
}

/** picomatch never comes back from a glob that ends in four backslashes or more: each pair, one character, becomes a class. */
export function forPicomatch(glob: string): string {
  return glob.replace(/\\{4,}$/, (run) => '[\\\\]'.repeat(run.length / 2) + '\\'.repeat(run.length % 2));
}
