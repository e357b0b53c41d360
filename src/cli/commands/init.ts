/** `sluice init`: a project that works as it is. Nothing that is there is changed, but for lines added to .gitignore. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { configNames } from '../../config/find.ts';
import { initialConfig } from '../../config/templates/initial-config.ts';
import { AppError, messageOf } from '../../types/errors.ts';
import { printableName } from '../../types/printable-name.ts';
import type { CommandContext } from '../context.ts';
import { paint } from '../paint.ts';
import { printLine } from '../print.ts';
import { readPublishedSchema } from '../published-schema.ts';

const ignored = ['/.sluice/', '/inbox/', '/processed/'];

export async function run(
  { namedConfig }: CommandContext,
  [given = '.']: readonly string[],
): Promise<number> {
  if (namedConfig !== undefined)
    throw new AppError('USAGE', '`init` writes config/orchestrator.yaml and takes no `--config`', {
      fix: 'Name the folder: `sluice init DIR`.',
    });
  const dir = resolve(given);
  const there = configNames.find((name) => existsSync(join(dir, name)));
  if (there !== undefined)
    throw new AppError('USAGE', `There is a configuration already: ${join(dir, there)}`, {
      fix: 'Edit it and run `sluice check`, or name another folder: `sluice init DIR`.',
    });
  try {
    const made = write(dir);
    for (const name of made) printLine(`${paint('green', 'made')}  ${printableName(join(given, name))}`);
  } catch (cause) {
    throw new AppError('OUTPUT_UNWRITABLE', `Cannot make a project in ${dir}: ${messageOf(cause)}`, {
      cause,
      fix: 'Name a folder that you may write: `sluice init DIR`.',
    });
  }
  const way = relative(process.cwd(), dir);
  if (way !== '') printLine(`\nNext: cd ${quoted(way)}, then`);
  else printLine('\nNext:');
  printLine('  sluice start    watch inbox/ from now on');
  printLine('  sluice run      process what is in inbox/ once');
  return 0;
}

/** @returns what was made, relative to the folder. */
function write(dir: string): readonly string[] {
  const config = join(dir, 'config');
  mkdirSync(config, { recursive: true });
  const made = ['config/orchestrator.yaml', 'config/orchestrator.schema.json'];
  // `wx`: another `init` at the same moment must not be overwritten either.
  writeFileSync(join(dir, made[0] as string), initialConfig(), { flag: 'wx' });
  writeFileSync(join(dir, made[1] as string), readPublishedSchema());
  if (!existsSync(join(dir, 'inbox'))) {
    mkdirSync(join(dir, 'inbox'));
    made.push('inbox/');
  }
  if (addIgnored(join(dir, '.gitignore'))) made.push('.gitignore');
  return made;
}

/** @returns whether there was something to add. */
function addIgnored(file: string): boolean {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const lines = new Set(text.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, '')));
  const missing = ignored.filter((line) => !lines.has(line.replace(/^\/|\/$/g, '')));
  if (missing.length === 0) return false;
  appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`);
  return true;
}

/** As one word of a shell. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) && !path.startsWith('-') ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
