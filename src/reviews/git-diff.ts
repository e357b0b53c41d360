/**
 * What differs from the last commit in a tree that an agent worked in. The repository is not ours: whoever worked there may
 * have written its configuration, and git runs what that names (filters, fsmonitor, text conversion, hooks), outside of any
 * sandbox. Switching these off one by one was rejected, since filters have names that nobody knows before. Git is given a
 * folder of our own as repository instead, which borrows objects and index; the other one is asked for paths only.
 */
import { cp, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { execa } from 'execa';
import { contains } from '../config/contains.ts';
import { pathFromBytes } from '../types/path-bytes.ts';
import { addedFiles, DIFF_BYTES } from './copy-diff.ts';
import { cutBytes } from './texts.ts';

export interface TreeOptions {
  /** Absolute; only what is below is shown. */
  readonly dir: string;
  /** Relative to `dir`; absent or empty: all of it. */
  readonly paths?: readonly string[];
  /** Absolute; what is below is left out. */
  readonly exclude?: readonly string[];
}

const TIMEOUT_MS = 15_000;
const NAMES_BYTES = 1 << 20;
/** More are too long for a command line: all of the folder is looked at then. */
const MAX_PATHS = 200;
const emptyTrees: Readonly<Record<string, string>> = {
  sha1: '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
  sha256: '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321',
};
/** Settings that say how files are stored are taken over: none of their values can make git run something. */
const settings = /^core\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|excludesfile)$/;

/** @returns undefined: it is in no repository, there is no git, or git failed. @throws `signal.reason` on abort. */
export async function gitDiff(o: TreeOptions, signal: AbortSignal): Promise<string | undefined> {
  signal.throwIfAborted();
  try {
    // Git answers with paths relative to where the folder really is.
    const dir = await realpath(o.dir);
    const repository = await find(dir, signal);
    if (!repository) return undefined;
    await using shadow = await makeShadow(repository);
    return await differences(repository, shadow.dir, pathspecs({ ...o, dir }, repository), signal);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

interface Repository {
  readonly top: string;
  readonly commonDir: string;
  readonly index: string;
  readonly objects: string;
  readonly format: string;
  /** Hash; absent: there is no commit yet. */
  readonly head?: string;
  readonly settings: readonly string[];
}

async function find(dir: string, signal: AbortSignal): Promise<Repository | undefined> {
  const ask = (...args: readonly string[]) =>
    git(['-C', dir, ...args], { cwd: dir, env: ownEnv(), signal, maxBytes: NAMES_BYTES });
  const places = ['--show-toplevel', '--git-common-dir', '--git-path', 'index', '--git-path', 'objects'];
  const found = await ask('rev-parse', ...places, '--show-object-format');
  const [top, commonDir, index, objects, format, ...rest] = found.text.split('\n');
  if (found.failed || !top || !commonDir || !index || !objects || !format || rest.join('') !== '')
    return undefined;
  const head = await ask('rev-parse', '--verify', '--quiet', 'HEAD');
  const config = await ask('config', '-z', '--get-regexp', '^core\\.');
  return {
    top,
    commonDir: resolve(dir, commonDir),
    index: resolve(dir, index),
    objects: resolve(dir, objects),
    format,
    ...(!head.failed && { head: head.text.trim() }),
    settings: config.text.split('\0').flatMap((entry) => {
      const [key = '', value = ''] = entry.split(/\n(.*)/s);
      return settings.test(key) ? ['-c', `${key}=${value}`] : [];
    }),
  };
}

/** A repository without configuration, hooks, filters and remotes of anybody. */
async function makeShadow({ format, head, commonDir, index }: Repository) {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-git-'));
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    for (const name of ['refs', 'info']) await mkdir(join(dir, name));
    const isSha1 = format === 'sha1';
    await writeFile(
      join(dir, 'config'),
      `[core]\n\trepositoryformatversion = ${isSha1 ? 0 : 1}\n\tbare = false\n${isSha1 ? '' : `[extensions]\n\tobjectformat = ${format}\n`}`,
    );
    await writeFile(join(dir, 'HEAD'), `${head ?? 'ref: refs/heads/main'}\n`);
    // These outrank the attributes in the tree, which could call a text binary to hide what was changed in it.
    await writeFile(join(dir, 'info/attributes'), '* !diff !filter !ident\n');
    await cp(join(commonDir, 'info/exclude'), join(dir, 'info/exclude')).catch(() => {});
    // A split index looks for its other half in the repository.
    for (const name of await readdir(dirname(index)))
      if (name.startsWith('sharedindex.')) await cp(join(dirname(index), name), join(dir, name));
  } catch (error) {
    await remove();
    throw error;
  }
  return { dir, [Symbol.asyncDispose]: remove };
}

async function differences(
  repository: Repository,
  shadow: string,
  specs: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { top, head, format } = repository;
  const env = {
    ...ownEnv(),
    HOME: shadow,
    GIT_DIR: shadow,
    GIT_WORK_TREE: top,
    GIT_INDEX_FILE: repository.index,
    GIT_OBJECT_DIRECTORY: repository.objects,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
  };
  const ask = (maxBytes: number, ...args: readonly string[]) =>
    git([...repository.settings, '-c', 'core.quotePath=false', ...args, '--', ...specs], {
      ...{ cwd: top, env, signal, maxBytes },
    });
  const commit = head ?? emptyTrees[format];
  if (commit === undefined) return undefined;
  const plain = ['--no-color', '--no-ext-diff', '--no-textconv', '--ignore-submodules=all'];
  const tracked = await ask(DIFF_BYTES, 'diff', ...plain, '--src-prefix=a/', '--dst-prefix=b/', commit);
  if (tracked.failed) return undefined;
  const untracked = await ask(NAMES_BYTES, 'ls-files', '--others', '--exclude-standard', '-z');
  if (untracked.failed) return undefined;
  const names = untracked.bytes.toString('latin1').split('\0').slice(0, -1);
  const added = names.map((name) => pathFromBytes(Buffer.from(name, 'latin1')));
  const shown = tracked.isCut ? `${cutBytes(tracked.text, DIFF_BYTES - 1).text}# cut here\n` : tracked.text;
  const all = `${shown}${await addedFiles(added, top, signal)}`;
  if (all === '') return '';
  return `# against ${head === undefined ? 'nothing: there is no commit yet' : 'the last commit'}; what was changed before this work is in it, too\n${all}`;
}

function pathspecs(o: TreeOptions, { top }: Repository): readonly string[] {
  const within = (file: string): string => relative(top, file);
  const { dir, paths = [], exclude = [] } = o;
  // A name whose bytes are no text cannot be handed over as an argument.
  const areNamed =
    paths.length > 0 && paths.length <= MAX_PATHS && paths.every((path) => !/[\uef80-\uefff\0]/.test(path));
  const wanted = areNamed ? paths.map((path) => within(join(dir, path))) : [within(dir)];
  const barred = exclude.filter((path) => path !== top && contains(top, path)).map(within);
  return [
    ...wanted.map((path) => `:(top${path === '' ? '' : ',literal'})${path}`),
    ...barred.map((path) => `:(top,literal,exclude)${path}`),
  ];
}

function ownEnv(): Record<string, string> {
  const { PATH = '/usr/bin:/bin', HOME = '/' } = process.env;
  return {
    PATH,
    HOME,
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_LAZY_FETCH: '1',
  };
}

interface Answer {
  readonly failed: boolean;
  readonly bytes: Buffer;
  readonly text: string;
  readonly isCut: boolean;
}

async function git(
  args: readonly string[],
  o: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
    readonly maxBytes: number;
  },
): Promise<Answer> {
  const { cwd, env, signal, maxBytes } = o;
  const result = await execa('git', args, {
    ...{ cwd, env, extendEnv: false, reject: false, stdin: 'ignore', encoding: 'buffer' },
    ...{ timeout: TIMEOUT_MS, cancelSignal: signal, maxBuffer: maxBytes, stripFinalNewline: false },
  });
  signal.throwIfAborted();
  const bytes = Buffer.from(result.stdout);
  const isCut = result.isMaxBuffer;
  return { failed: result.failed && !isCut, bytes, text: bytes.toString('utf8'), isCut };
}
