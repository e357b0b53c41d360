/**
 * The command's arguments as they were typed. Node decodes them as UTF-8 and puts U+FFFD where they are not, after which
 * a file with such a name cannot be named any more; the kernel still has the bytes. Elsewhere than on Linux they are lost.
 */
import { readFileSync } from 'node:fs';
import { pathFromBytes } from '../types/path-bytes.ts';

/** @param args Without the program's own words, as Node gives them. */
export function withTheirBytes(args: readonly string[]): readonly string[] {
  if (process.platform !== 'linux' || !args.some((arg) => arg.includes('\ufffd'))) return args;
  try {
    const given = splitAtNul(readFileSync('/proc/self/cmdline')).slice(-args.length);
    return given.length === args.length ? given.map(pathFromBytes) : args;
  } catch {
    return args;
  }
}

/** Each piece ends with a NUL. */
function splitAtNul(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    pieces.push(bytes.subarray(at, end < 0 ? bytes.length : end));
    at = end < 0 ? bytes.length : end + 1;
  }
  return pieces;
}
