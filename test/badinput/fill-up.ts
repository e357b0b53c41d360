import { writeFileSync } from 'node:fs';

/** Writes into `file` until the last byte that can be had on its disk is taken. */
export function fillUp(file: string): void {
  for (const size of [1 << 20, 1 << 16, 1 << 12, 256, 1])
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // This size does not fit any more.
    }
}
