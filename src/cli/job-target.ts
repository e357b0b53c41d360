/** A job as people name it: by as much of its id as is unique, or by its file, as `sluice jobs` shows it or from here. */
import { resolve } from 'node:path';
import { ownerOf } from '../operations/why.ts';
import { AppError } from '../types/errors.ts';
import type { CommandContext } from './context.ts';

/**
 * @returns An id, or the beginning of one; of a file that of its latest job.
 * @throws AppError NOT_FOUND when it is the path of a file that has no job.
 */
export async function jobTarget(context: CommandContext, named: string): Promise<string> {
  if (/^[0-9a-f]{1,16}$/.test(named)) return named;
  const { roots } = await context.config();
  const listed = roots
    .filter(({ name }) => named.startsWith(`${name}/`))
    .map(({ name }) => ({ root: name, path: named.slice(name.length + 1) }));
  await using reader = await context.reader();
  for (const { root, path } of [...ownerFrom(roots, resolve(named)), ...listed]) {
    const [latest] = await reader.jobs({ root, path, limit: 1 });
    if (latest) return latest.job_id;
  }
  throw new AppError('NOT_FOUND', `No job "${named}"`, {
    fix: '`sluice jobs list` shows them with their ids; a path stands for the latest job of its file.',
  });
}

function ownerFrom(roots: Parameters<typeof ownerOf>[0], file: string) {
  try {
    const { root, path } = ownerOf(roots, file);
    return [{ root: root.name, path }];
  } catch {
    return [];
  }
}
