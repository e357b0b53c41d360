/**
 * Threads and helper processes start from files of their own. They are named from here, one folder below `src/` or, built,
 * below `dist/`: the same relative path leads to them in both.
 */
export type EntryName =
  | 'watch/worker'
  | 'agents/spawner/main'
  | 'agents/builtin-worker'
  | 'agents/inspect/kinds/syntax-worker'
  | 'workflows/template-worker'
  | 'sandbox/hosts-main'
  | 'cli/state-main';

/** The URL of the file that a thread or helper process starts from. */
export function entryModule(name: EntryName): URL {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return new URL(`../${name}${extension}`, import.meta.url);
}
