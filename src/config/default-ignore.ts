/**
 * The built-in ignore patterns (gitignore syntax): half-written downloads, editors' temporary files, and folders that no
 * drop folder wants. `default_ignore: false` switches them off, a list replaces them; `sluice config show` prints them.
 */
export const defaultIgnore: readonly string[] = Object.freeze([
  '*.part',
  '*.crdownload',
  '*.tmp',
  '~$*',
  '.~lock.*',
  '*.swp',
  '.DS_Store',
  '.git/',
  '.hg/',
  '.svn/',
  'node_modules/',
]);
