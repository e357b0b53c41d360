/** A PNG's chunks from start to end, by their headers only: depth, and whether the file is whole. */
import { crc32 } from 'node:zlib';
import { number } from '../markup.ts';
import type { Subject } from '../subject.ts';

const colours: Readonly<Record<number, string>> = {
  0: 'grey',
  2: 'RGB',
  3: 'palette',
  4: 'grey with alpha',
  6: 'RGB with alpha',
};
const maxChunks = 2_000;

export async function pngFacts(subject: Subject): Promise<{ depth?: string; broken?: string }> {
  let at = 8;
  let depth: string | undefined;
  const finish = (broken?: string) => ({
    ...(depth !== undefined && { depth }),
    ...(broken !== undefined && { broken }),
  });
  for (let n = 0; n < maxChunks; n += 1) {
    const header = await subject.read(at, 8);
    if (header.length < 8)
      return finish(`it ends at byte ${number(subject.bytes)} before the end chunk (IEND)`);
    const length = header.readUInt32BE(0);
    const type = header.toString('latin1', 4, 8);
    if (!/^[A-Za-z]{4}$/.test(type)) return finish(`at byte ${number(at)} no chunk begins`);
    const end = at + 12 + length;
    if (end > subject.bytes)
      return finish(`its ${type} chunk is cut off: ${number(end - subject.bytes)} bytes are missing`);
    if (length <= 64 * 1024) {
      const body = await subject.read(at + 4, length + 8);
      if (crc32(body.subarray(0, length + 4)) !== body.readUInt32BE(length + 4))
        return finish(`the checksum of its ${type} chunk is wrong`);
      if (type === 'IHDR' && length >= 13)
        depth = `${body[12]} bits per channel, ${colours[body[13] as number] ?? 'unknown colours'}`;
    }
    if (type === 'IEND') return finish();
    at = end;
  }
  return finish();
}
