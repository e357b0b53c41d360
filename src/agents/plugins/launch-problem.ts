/** What is wrong with a launch, if anything: of a plugin before it is used, of any kind in its contract. */
import { dirname, isAbsolute } from 'node:path';
import { contains } from '../../config/contains.ts';

export function launchProblem(given: unknown, workDir: string): string | undefined {
  if (typeof given !== 'object' || given === null) return 'it is no object';
  const { args, env, files, links, stdin, lastMessageFile } = given as Readonly<Record<string, unknown>>;
  if (typeof (given as { readonly then?: unknown }).then === 'function')
    return 'it is a promise, and `launch` has to answer at once';
  const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
  if (!Array.isArray(args) || !args.every(isText)) return '`args` is no list of texts';
  if (typeof env !== 'object' || env === null || !Object.values(env).every(isText))
    return '`env` is no object of texts';
  if (!isPairs(files)) return '`files` is no list of [path, content]';
  if (links !== undefined && !isPairs(links)) return '`links` is no list of [path, file]';
  const outside = [...files, ...(links ?? [])].find(
    ([path]) => !isAbsolute(path) || path === workDir || !contains(workDir, path),
  );
  if (outside !== undefined) return `"${outside[0]}" is not in the folder of the job`;
  if (stdin !== undefined && typeof stdin !== 'string') return '`stdin` is no text';
  if (lastMessageFile !== undefined && (!isText(lastMessageFile) || dirname(lastMessageFile) !== workDir))
    return '`lastMessageFile` is not in the folder of the job';
  return undefined;
}

function isPairs(value: unknown): value is readonly (readonly [string, string])[] {
  return (
    Array.isArray(value) &&
    value.every(
      (one) => Array.isArray(one) && one.length === 2 && one.every((part) => typeof part === 'string'),
    )
  );
}
