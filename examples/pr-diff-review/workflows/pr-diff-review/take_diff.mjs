// take_diff.mjs FILE BASE PATHS: prints the diff that is to be reviewed: that of FILE, or without one what the commits of this git
// repository since BASE have changed. Prints nothing when nothing has changed. Node 18 or newer.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A reviewer's prompt has room for a little more. */
export const mostBytes = 160 * 1024;

/** @throws {Error} with what is wrong and what to do. @returns {string} */
export function asDiff(text, name) {
  const diff = text.replace(/^\uFEFF/, '').replace(/\r\n/g, '\n');
  if (diff.trim() === '') return '';
  if (
    !/^(?:@@+ .*@@|GIT binary patch$|Binary files .* differ$|(?:rename|copy) from |(?:new|old) (?:file )?mode |deleted file mode )/m.test(
      diff,
    )
  )
    throw new Error(`${name} is no unified diff: make one with \`git diff\` or \`diff -u\`.`);
  const bytes = Buffer.byteLength(diff);
  if (bytes > mostBytes)
    throw new Error(
      `${name} has ${Math.ceil(bytes / 1024)} KiB, and reviewers are shown ${mostBytes / 1024}. Review it in parts: \`--input paths=src\`.`,
    );
  // A line that is a JSON object would be taken for an event of this command, and none of a diff: those begin otherwise. What stands
  // before the diff, such as a commit message, may hold one.
  return diff.replace(/^\{/gm, ' {');
}

function gitDiff(base, paths) {
  const only = paths.split(/\s+/).filter((path) => path !== '');
  const words = [
    '-c',
    'core.quotePath=false',
    'diff',
    '--no-color',
    '--no-ext-diff',
    '--no-textconv',
    '--find-renames',
    '--unified=10',
  ];
  // Three dots: since the branch left its base, and not what the base has got since.
  const git = spawnSync('git', [...words, `${base}...HEAD`, '--', ...only], {
    maxBuffer: 64 << 20,
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' },
  });
  if (git.error)
    throw new Error(`git cannot be started (${git.error.message}). Give a diff: \`--input diff=FILE\`.`);
  if (git.status === 0) return git.stdout.toString();
  // Behind the first line may come all of its help.
  const [said = ''] = git.stderr.toString().trim().split('\n');
  throw new Error(
    /not a git repository/i.test(said)
      ? 'This folder is in no git repository. Give a diff: `--input diff=FILE`.'
      : `git: ${said}\nIs "${base}" the right base (\`--input base=BRANCH\`)? In CI the history must be there (\`fetch-depth: 0\`).`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file = '', base = '', paths = ''] = process.argv.slice(2);
  try {
    if (file === '' && base.startsWith('-')) throw new Error(`"${base}" is no branch`);
    const name = file === '' ? `The diff against "${base}"` : file;
    process.stdout.write(asDiff(file === '' ? gitDiff(base, paths) : readFileSync(file, 'utf8'), name));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
