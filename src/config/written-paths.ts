/**
 * Where a command says that it writes, as far as its words tell: `-o FILE`, `--out-dir DIR`, the last argument of `cp`, a
 * redirection in `sh -c`, `OUTPUT_DIR` in its environment. Only for the warning of loops: what is not found here is found
 * when it happens. Reading more out of arbitrary arguments was rejected: a false alarm is an error that nobody can fix.
 */
import { basename } from 'node:path';
import type { EnvEntry } from './config.ts';

export interface WrittenPath {
  /** May hold `${{ file.… }}`. */
  readonly text: string;
  /** `false`: the last argument, after that of the file, which by habit is where the result goes. */
  readonly certain: boolean;
  /** The name of the option says that it is a folder. */
  readonly folder: boolean;
  /** What is put into a folder keeps the name of the input. */
  readonly keepsName: boolean;
  /** Where it stands: a word of the command, or a variable. */
  readonly at: readonly ['command', number] | readonly ['env', string];
}

const outputOption =
  /^--?(?:o|(?:out|output|dest|destination)(?:[-_]?(file|dir|directory|path|folder))?|target[-_]?(dir|directory))$/i;
const outputVariable =
  /^(?:\w+_)?(?:(?:OUT|OUTPUT|DEST|DESTINATION)(?:_?(FILE|DIR|PATH|FOLDER))?|TARGET_?(DIR))$/;
/** There `-o` means something else. */
const otherO = new Set(['grep', 'egrep', 'fgrep', 'rg', 'ps', 'find', 'ssh', 'scp', 'mount', 'ls', 'lsof']);
const copiers = new Set(['cp', 'mv', 'rsync', 'install']);
const shells = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh']);

export function writtenPaths(command: readonly string[], env: readonly EnvEntry[]): readonly WrittenPath[] {
  const found: WrittenPath[] = [];
  for (const entry of env) {
    const match = entry.kind === 'set' ? outputVariable.exec(entry.name) : null;
    if (match && entry.kind === 'set' && looksLikePath(entry.value) && !entry.value.includes('$'))
      found.push({
        text: entry.value,
        certain: true,
        folder: isFolderWord(match[1] ?? match[2]),
        keepsName: false,
        at: ['env', entry.name],
      });
  }
  const flag = command.findIndex((word, index) => index > 0 && /^-[a-z]*c$/.test(word));
  if (shells.has(basename(command[0] ?? '')) && flag > 0) {
    for (const path of inScript(command[flag + 1] ?? '')) found.push({ ...path, at: ['command', flag + 1] });
    return found;
  }
  for (const { index, ...path } of inWords(command, true)) found.push({ ...path, at: ['command', index] });
  return found;
}

type Place = Omit<WrittenPath, 'at'>;

function inWords(words: readonly string[], guess: boolean): (Place & { readonly index: number })[] {
  const found: (Place & { readonly index: number })[] = [];
  const add = (index: number, text: string, more: Partial<Place>) => {
    if (looksLikePath(text) && !found.some((one) => one.index === index))
      found.push({ text, certain: true, folder: false, keepsName: false, ...more, index });
  };
  const program = basename(words[0] ?? '');
  for (const [index, word] of words.entries()) {
    if (index === 0 || !word.startsWith('-')) continue;
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const match = outputOption.exec(name);
    if (!match || (name === '-o' && otherO.has(program))) continue;
    const folder = isFolderWord(match[1] ?? match[2]);
    if (equals >= 0) add(index, word.slice(equals + 1), { folder });
    else if (!words[index + 1]?.startsWith('-')) add(index + 1, words[index + 1] ?? '', { folder });
  }
  const last = words.length - 1;
  const lastWord = words[last] ?? '';
  if (last < 1 || lastWord.startsWith('-')) return found;
  if (program === 'tee') {
    for (const [index, word] of words.entries()) if (index > 0 && !word.startsWith('-')) add(index, word, {});
  } else if (copiers.has(program)) {
    if (last >= 2) add(last, lastWord, { keepsName: true });
  } else if (
    guess &&
    lastWord.includes('/') &&
    !lastWord.startsWith('${{') &&
    !words[last - 1]?.startsWith('-') &&
    words.slice(1, last).some((word) => /\$\{\{\s*(?:file\.path|file\.rel|files)\b/.test(word))
  )
    add(last, lastWord, { certain: false });
  return found;
}

/** A quoted part, or a redirection and its target: what stands in quotes is no redirection. */
const redirection =
  /"(?:[^"\\]|\\.)*"|'[^']*'|>>?\|?\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'|;&<>()]+(?:"(?:[^"\\]|\\.)*")?)/gs;

function inScript(script: string): readonly Place[] {
  const found: Place[] = [];
  for (const [, target] of script.matchAll(redirection)) {
    const text = target === undefined ? undefined : withoutVariables(unquote(target));
    if (text !== undefined && looksLikePath(text))
      found.push({ text, certain: true, folder: false, keepsName: false });
  }
  for (const segment of script.split(/\|\||&&|[;|\n&]/)) {
    const words = (segment.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+/g) ?? [])
      .map(unquote)
      .filter((word) => !/^\d*>/.test(word));
    for (const { index: _, ...path } of inWords(words, false)) {
      const text = withoutVariables(path.text);
      if (text !== undefined) found.push({ ...path, text });
    }
  }
  return found;
}

function unquote(text: string): string {
  return text.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_all, double, single) => double ?? single);
}

/** The variables we set ourselves as placeholders; of others only those in the name of the file can be overlooked. */
function withoutVariables(text: string): string | undefined {
  const known = text
    .replaceAll(/\$\{?SLUICE_FILE\b\}?/g, '${{ file.path }}')
    .replaceAll(/\$\{?SLUICE_ROOT\b\}?/g, '${{ file.root }}');
  const slash = known.lastIndexOf('/');
  const name = known.slice(slash + 1).replaceAll(/\$(?!\{\{)(?:\{[^}]*\}|\([^)]*\)|\w+|[$#?!@*])/g, 'x');
  const whole = known.slice(0, slash + 1) + name;
  return /\$(?!\{\{)|`/.test(whole) ? undefined : whole;
}

function isFolderWord(word: string | undefined): boolean {
  return /^(?:dir|directory|folder)$/i.test(word ?? '');
}

/** `json` after `--output` is a format. */
function looksLikePath(text: string): boolean {
  const plain = text.replaceAll(/\$\{\{[^}]*\}\}/g, 'x');
  return /^[^={}:*]+$/.test(plain) && (plain.includes('/') || /\.\w{1,8}$/.test(plain) || plain !== text);
}
