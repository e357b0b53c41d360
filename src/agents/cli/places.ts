/** Where agent CLIs keep what is their own (log-in, sessions, settings), as places that a sandbox shows, and made ready. */
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { AppError, messageOf } from '../../types/errors.ts';
import { fsPath } from '../../types/path-bytes.ts';
import { isFullDisk } from '../output-faults.ts';
import type { HomePlace, Launch } from './kind.ts';

export interface OwnPlace {
  /** Absolute. */
  readonly path: string;
  readonly place: HomePlace;
}

/** Where this user keeps what the program needs. */
export function homePlaces(
  places: readonly HomePlace[],
  env: Readonly<Record<string, string | undefined>>,
): readonly OwnPlace[] {
  const home = env.HOME;
  return places.flatMap((place) => {
    const { path, variable, below = '' } = place;
    const named = variable === undefined ? undefined : env[variable];
    if (named !== undefined && isAbsolute(named)) return [{ path: join(named, below), place }];
    return home === undefined ? [] : [{ path: join(home, path, below), place }];
  });
}

/** Folders are made: the CLI would make them, and what is not there cannot be shown. @returns those that may be written. */
export function makeWritable(places: readonly OwnPlace[]): readonly string[] {
  return places
    .filter(({ place }) => !place.isReadOnly)
    .filter(({ path, place }) => (place.isFile ? existsSync(fsPath(path)) : makeFolder(path)))
    .map(({ path }) => path);
}

function makeFolder(path: string): boolean {
  try {
    mkdirSync(fsPath(path), { recursive: true, mode: 0o700 });
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes what is to be protected, since what is not there cannot be: the agent would make it. @returns what is never written.
 * @throws {AppError} `SANDBOX_UNAVAILABLE`.
 */
export function makeProtected(places: readonly OwnPlace[]): readonly string[] {
  return places.flatMap(({ path, place }) => {
    if (place.isReadOnly) return existsSync(fsPath(path)) ? [path] : [];
    return (place.protected ?? []).map((one) => protectedAt(join(path, one.path), one.content));
  });
}

function protectedAt(file: string, content: string | undefined): string {
  try {
    if (content === undefined) mkdirSync(fsPath(file), { recursive: true, mode: 0o700 });
    else writeFileSync(fsPath(file), content, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (isFullDisk(error)) throw error;
    if (!existsSync(fsPath(file)))
      throw new AppError('SANDBOX_UNAVAILABLE', `Cannot make "${file}", to protect it: ${messageOf(error)}`, {
        cause: error,
        fix: 'Let the user that Sluice runs as write to that folder.',
      });
  }
  return file;
}

/** Of files that are not there nothing is made. */
export function makeLinks(links: NonNullable<Launch['links']>): void {
  for (const [path, target] of links) {
    if (!existsSync(fsPath(target))) continue;
    mkdirSync(fsPath(dirname(path)), { recursive: true, mode: 0o700 });
    rmSync(fsPath(path), { force: true });
    symlinkSync(fsPath(target), fsPath(path));
  }
}
