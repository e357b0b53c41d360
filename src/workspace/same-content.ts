/** Compares two regular files of one size; large ones in pieces, and only as far as they agree. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fsPath } from '../types/path-bytes.ts';
import { lookAt } from './look.ts';

const wholeBytes = 1024 * 1024;

export async function haveSameContent(a: string, b: string): Promise<boolean> {
  if ((lookAt(a)?.bytes ?? 0) <= wholeBytes) {
    const [x, y] = await Promise.all([readFile(fsPath(a)), readFile(fsPath(b))]);
    return x.equals(y);
  }
  const options = { highWaterMark: wholeBytes };
  const other = createReadStream(fsPath(b), options)[Symbol.asyncIterator]();
  for await (const chunk of createReadStream(fsPath(a), options)) {
    const next = await other.next();
    if (next.done || !(chunk as Buffer).equals(next.value as Buffer)) {
      await other.return?.();
      return false;
    }
  }
  return (await other.next()).done === true;
}
