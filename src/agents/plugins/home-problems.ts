/** What is wrong with the places in the home that a kind names: the daemon makes them, outside of every sandbox. */
import { isAbsolute } from 'node:path';
import { isObject, isTexts } from '../cli/reading/values.ts';

/** Of each field: whether it is as it must be, and what it is otherwise. */
const fields: Readonly<Record<string, readonly [(value: unknown) => boolean, string]>> = {
  variable: [isVariable, 'is no name of a variable'],
  below: [isBelow, 'is no place below that'],
  isFile: [isFlag, 'is neither true nor false'],
  isReadOnly: [isFlag, 'is neither true nor false'],
  protected: [isProtected, 'is no list of files in it, each with a `path` and perhaps a `content`'],
  unpackedBy: [isTexts, 'is no list of texts'],
  logIn: [(value) => isTexts(value) && value.every(isIn), 'is no list of files in it'],
};

export function homeProblems(places: unknown): readonly string[] {
  if (!Array.isArray(places)) return ['`home` is no list'];
  return places.flatMap((place: unknown) => {
    const { path, ...rest } = isObject(place) ? place : {};
    const shown = JSON.stringify(path) ?? 'a place without path';
    if (!isBelow(path)) return [`\`home\` holds ${shown}, which is no place below the home`];
    return Object.entries(fields)
      .filter(([key, [isRight]]) => rest[key] !== undefined && !isRight(rest[key]))
      .map(([key, [, what]]) => `\`${key}\` of ${shown} in \`home\` ${what}`);
  });
}

function isProtected(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (one: unknown) =>
        isObject(one) && isIn(one.path) && (one.content === undefined || typeof one.content === 'string'),
    )
  );
}

function isVariable(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value);
}

function isFlag(value: unknown): boolean {
  return typeof value === 'boolean';
}

/** `.` is the place itself. */
function isIn(path: unknown): boolean {
  return path === '.' || isBelow(path);
}

function isBelow(path: unknown): boolean {
  return (
    typeof path === 'string' &&
    path !== '' &&
    !isAbsolute(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}
