/**
 * A stamp as seven 32-bit words: inode (2), size (2), mtime in seconds (2), its nanoseconds. The sweep compares hundreds
 * of thousands of them; as bigints each would be three allocations, as text a parse. Little-endian halves, low first.
 */
import type { Stamp } from '../types/change.ts';

export const wordsPerStamp = 7;
export type StampWords = Uint32Array;

export function stampOf(words: StampWords): Stamp {
  const [inoLow, inoHigh, sizeLow, sizeHigh, low, high, nanoseconds] = words as unknown as number[] as Seven;
  const seconds = BigInt.asIntN(64, join(low, high));
  return {
    ino: join(inoLow, inoHigh),
    size: sizeHigh * 2 ** 32 + sizeLow,
    mtimeNs: seconds * 1_000_000_000n + BigInt(nanoseconds),
  };
}

/** Writes a stamp into `out` at word `at`. */
export function writeStamp(stamp: Stamp, out: Uint32Array, at: number): void {
  let seconds = stamp.mtimeNs / 1_000_000_000n;
  let nanoseconds = stamp.mtimeNs % 1_000_000_000n;
  if (nanoseconds < 0n) {
    seconds -= 1n;
    nanoseconds += 1_000_000_000n;
  }
  out[at] = Number(stamp.ino & 0xffffffffn);
  out[at + 1] = Number(stamp.ino >> 32n);
  out[at + 2] = stamp.size % 2 ** 32;
  out[at + 3] = Math.floor(stamp.size / 2 ** 32);
  out[at + 4] = Number(seconds & 0xffffffffn);
  out[at + 5] = Number((seconds >> 32n) & 0xffffffffn);
  out[at + 6] = Number(nanoseconds);
}

/** Reads what `formatStamp` wrote. False when it is something else: then nothing equals it. */
export function writeFormattedStamp(text: string, out: Uint32Array, at: number): boolean {
  const match = /^(\d+)-(\d+)-(-?\d+)$/.exec(text);
  if (match === null) return false;
  const [, ino, size, mtimeNs] = match as unknown as [string, string, string, string];
  writeStamp({ ino: BigInt(ino), size: Number(size), mtimeNs: BigInt(mtimeNs) }, out, at);
  return true;
}

/** Does the stamp that starts at word `at` of `packed` equal `words`? */
export function sameStamp(words: StampWords, packed: Uint32Array, at = 0): boolean {
  for (let i = 0; i < wordsPerStamp; i++) if (words[i] !== packed[at + i]) return false;
  return true;
}

type Seven = [number, number, number, number, number, number, number];

function join(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}
