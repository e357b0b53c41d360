// Checks the syntax of one JavaScript file with `node --check`; nothing of it is executed. Whether a `.js` file is a script or
// a module depends on a package.json far away: it passes when it is one of the two. Node 18 or newer.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';

const [file] = process.argv.slice(2);
const extension = extname(file);
const forms = extension === '.mjs' ? ['.mjs'] : extension === '.cjs' ? ['.cjs'] : ['.cjs', '.mjs'];

// A copy says by its name what it is; and a path that begins with a dash is no option.
const folder = mkdtempSync(join(tmpdir(), 'lint-'));
const problems = forms.map((form) => {
  const copy = join(folder, `file${form}`);
  copyFileSync(file, copy);
  const { status, stderr, error } = spawnSync(process.execPath, ['--check', copy], { encoding: 'utf8' });
  if (error) throw error;
  if (status === 0) return undefined;
  return stderr;
});
rmSync(folder, { recursive: true });

if (problems.includes(undefined)) {
  console.log('node --check finds nothing');
} else {
  // As a module is what is meant where there is an import or export.
  const asScript = problems[0];
  const said = /import statement|import\.meta|token 'export'/.test(asScript) ? problems.at(-1) : asScript;
  // `file.mjs:2`, the line, a mark under the place, the message; what follows is Node's own stack.
  const [, line = '?', excerpt = ''] = /\.[mc]js:(\d+)\n([\s\S]*?)\n\n/.exec(said) ?? [];
  const [message = 'cannot be parsed'] = /^\w*Error: .*$/m.exec(said) ?? [];
  console.log(excerpt);
  console.error(`line ${line}: ${message}`);
  process.exitCode = 1;
}
