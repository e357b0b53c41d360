/** The beginning of a text file, where the whole of it would be long. */
import { closeSync, constants, openSync, readSync } from 'node:fs';

/** @returns undefined when it cannot be read. */
export function beginningOf(file: string, bytes: number): string | undefined {
  let fd: number | undefined;
  try {
    // An agent may have put something else in its place: no link is followed, no pipe waited for.
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const buffer = Buffer.alloc(bytes);
    const length = readSync(fd, buffer, 0, bytes, 0);
    // A character that is cut in two at the end is left out.
    return new TextDecoder().decode(buffer.subarray(0, length), { stream: true });
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
