/** Text files that the configuration names: prompts, schemas, templates. */
import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../types/errors.ts';
import { projectPath, type Resolving } from './resolving.ts';
import type { Path } from './source.ts';

const maxFileBytes = 1024 * 1024;

/** @returns undefined, and a finding at `at`, when it is no text file that can be used. */
export async function readNamedFile(context: Resolving, at: Path, name: string): Promise<string | undefined> {
  const file = projectPath(context, name);
  context.files.add(file);
  const refuse = (problem: string, fix: string) =>
    context.findings.error('BAD_FILE', at, `"${name}" ${problem}`, fix);
  const found = await stat(file).catch(() => undefined);
  if (!found)
    refuse('does not exist', `Create "${file}", or correct the path; it is relative to the project folder.`);
  else if (!found.isFile()) refuse('is not a file', 'Name a text file.');
  else if (found.size > maxFileBytes) refuse('is larger than 1 MiB', 'Make it shorter.');
  else {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
      if (text.trim() === '') refuse('is empty', 'Write something into it, or remove the key.');
      return text;
    } catch (error) {
      refuse(
        error instanceof TypeError ? 'is not UTF-8 text' : `cannot be read: ${messageOf(error)}`,
        'Name a readable text file, saved as UTF-8.',
      );
    }
  }
  return undefined;
}
