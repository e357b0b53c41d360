/**
 * The URL of a worker's or helper process's entry file that stands beside the caller: `.ts` when the sources run as they
 * are, `.js` when the compiled program runs.
 * @param from The caller's `import.meta.url`.
 * @param name Relative, without extension: `./watch-worker`.
 */
export function siblingModule(from: string, name: string): URL {
  return new URL(`${name}${from.endsWith('.ts') ? '.ts' : '.js'}`, from);
}
