/** The `command` of an agent → argv, refused where a word would not mean what it seems to; and whether its program is there. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { EnvEntry } from './config.ts';
import { findReferences } from './reference.ts';
import { projectPath, type Resolving, refuseBadPlaceholders, refuseReferences } from './resolving.ts';
import type { Path } from './source.ts';
import { splitCommand } from './split-command.ts';

/** The argv: checked for what would be taken literally although a shell would not. */
export function resolveCommand(
  context: Resolving,
  at: Path,
  command: string | readonly (string | undefined)[],
): readonly string[] {
  if (typeof command === 'string') {
    refuseReferences(context, at, command);
    const split = splitCommand(command);
    refuseBadPlaceholders(context, at, command, 'argument');
    if ('words' in split) {
      for (const word of split.words) refusePartialFiles(context, at, word);
      return checkProgram(context, at, split.words);
    }
    if (findReferences(command).length === 0)
      context.findings.error(
        'BAD_VALUE',
        at,
        `the command cannot be split into words: ${split.problem} (character ${split.at + 1})`,
        `Put it in single quotes to pass it as it is, or let a shell run it: \`command: [sh, -c, '…']\`.`,
      );
    return [];
  }
  const words = command.filter((word) => word !== undefined);
  for (const [index, word] of words.entries()) {
    refuseReferences(context, [...at, index], word);
    refuseBadPlaceholders(context, [...at, index], word, 'argument');
    refusePartialFiles(context, [...at, index], word);
    if (word.includes('\0'))
      context.findings.error(
        'BAD_VALUE',
        [...at, index],
        'an argument holds a NUL character',
        'Remove it: a command line cannot carry it.',
      );
  }
  return checkProgram(context, at, words);
}

/** `${{ files }}` becomes one argument per file: inside of an argument that means nothing. */
function refusePartialFiles({ findings }: Resolving, at: Path, word: string): void {
  if (/\$\{\{\s*files\s*\}\}/.test(word) && !/^\$\{\{[^}]*\}\}$/.test(word))
    findings.error(
      'BAD_PLACEHOLDER',
      at,
      '`${{ files }}` stands inside of an argument',
      'Make it an argument of its own: it becomes one argument per file. Or read `$SLUICE_FILES`, a file with their NUL-separated paths.',
    );
}

function checkProgram({ findings }: Resolving, at: Path, words: readonly string[]): readonly string[] {
  const program = words[0] ?? '';
  if (program.trim() === '')
    findings.error(
      'BAD_VALUE',
      at,
      'the command names no program',
      'Begin with the program: `[python3, analyze.py]`.',
    );
  else if (program.includes('${{'))
    findings.error(
      'BAD_VALUE',
      at,
      'the program itself would come from a value that is filled in',
      'Name a fixed program; `${{ … }}` belongs into its arguments.',
    );
  else if (/\s/.test(program) && words.length === 1)
    findings.error(
      'BAD_VALUE',
      at,
      `the whole command line stands in one word: ${JSON.stringify(program)}`,
      `Make each argument an item of its own: \`[${program.split(/\s+/).join(', ')}]\`.`,
    );
  return words;
}

/** Only a warning: the program may be installed later, and the daemon's PATH may be another. */
export async function warnUnlessFound(
  context: Resolving,
  at: Path,
  program: string,
  env: readonly EnvEntry[],
  install = 'Install it, or write its whole path.',
): Promise<void> {
  if (program.trim() === '' || /\s|\$\{\{/.test(program)) return;
  const set = env.find((entry) => entry.kind === 'set' && entry.name === 'PATH');
  const searchPath = set?.kind === 'set' ? set.value : context.searchPath;
  const places = program.includes('/')
    ? [projectPath(context, program)]
    : searchPath.split(delimiter).map((folder) => join(folder || '.', program));
  for (const place of places) if (await isExecutable(place)) return;
  context.findings.warning(
    'COMMAND_NOT_FOUND',
    at,
    program.includes('/')
      ? `"${program}" is no program that can be run`
      : `the program "${program}" is not on PATH`,
    program.includes('/')
      ? 'Correct the path (relative to the project folder), or make it executable with `chmod +x`.'
      : install,
  );
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
