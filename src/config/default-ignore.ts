/**
 * Names that are never inputs unless the configuration says otherwise: half-finished downloads and copies, editors' and
 * file managers' own files, version control, installed packages. gitignore syntax, one list for every root, printed by
 * `sluice config show`; `default_ignore: false` switches it off, a list replaces it, and `"!*.tmp"` in `ignore` takes one
 * back. Hidden files as such are not in it: people drop `.env` and `.eslintrc` on purpose.
 */
export const defaultIgnore: readonly string[] = Object.freeze([
  // Downloads and copies under way.
  '*.part',
  '*.partial',
  '*.crdownload',
  '*.download',
  '*.opdownload',
  '*.filepart',
  '*.tmp',
  '*.temp',
  '.~tmp~/',
  '.rsync-tmp/',
  // rsync's `.name.XXXXXX`: six letters or digits that mkstemp made. One digit or capital at least, so that `.foo.config` stays.
  '.*.[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Z0-9]',
  '.*.[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Z0-9][A-Za-z0-9]',
  '.*.[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Z0-9][A-Za-z0-9][A-Za-z0-9]',
  '.*.[A-Za-z0-9][A-Za-z0-9][A-Z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9]',
  '.*.[A-Za-z0-9][A-Z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9]',
  '.*.[A-Z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9]',
  '.goutputstream-*',
  '.sb-*',
  // Editors and office programs.
  '*.swp',
  '*.swo',
  '*.swx',
  '*~',
  '.#*',
  '\\#*\\#',
  '~$*',
  '.~lock.*',
  '*___jb_tmp___',
  '*___jb_old___',
  // File managers and systems.
  '.DS_Store',
  '._*',
  '.AppleDouble/',
  '.Spotlight-V100/',
  '.Trashes/',
  '.fseventsd/',
  '.Trash-*/',
  '.fuse_hidden*',
  '.nfs[0-9a-f][0-9a-f][0-9a-f][0-9a-f]*',
  'Thumbs.db',
  'ehthumbs.db',
  'desktop.ini',
  '$RECYCLE.BIN/',
  'System Volume Information/',
  'lost+found/',
  // Version control and installed packages.
  '.git',
  '.hg/',
  '.svn/',
  '.bzr/',
  '.jj/',
  'CVS/',
  'node_modules/',
  '__pycache__/',
  '.venv/',
  // Our own.
  '.sluice/',
  '.sluiceignore',
]);
