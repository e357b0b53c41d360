/** The beginning of a text file, where the whole of it would be long. */
import { closeSync, openSync, readSync } from 'node:fs';

/** @returns undefined when it cannot be read. */
export function beginningOf(file: string, bytes: number): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
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
