/** Any other bytes: how random they look, and the readable pieces in them. */
import type { Kind } from '../kind.ts';
import { blocks, fence, list, number, size } from '../markup.ts';
import type { Subject } from '../subject.ts';

export const binary: Kind<Subject> = {
  claims: () => true,
  describe: ({ type, head, bytes }) => {
    const entropy = entropyOf(head);
    const known =
      type.from === 'content' ? type.mime.replace(/[^\w/.+-]/g, '') : 'Binary data of an unknown type';
    const texts = printable(head);
    const zero = head.every((byte) => byte === 0);
    return {
      headline: `${known}, ${size(bytes)}${zero ? ', zeros only as far as it was read' : ''}`,
      body: blocks(
        '## Bytes',
        list([
          `Read: the first ${size(head.length)}.`,
          `Entropy: ${number(entropy)} of 8 bits per byte: ${verdict(entropy, zero)}.`,
          `Readable pieces of six or more characters: ${texts.length >= 500 ? 'more than 500' : number(texts.length)}.`,
        ]),
        texts.length === 0 ? '' : fence(texts.slice(0, 12)),
      ),
    };
  },
};

function entropyOf(bytes: Buffer): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  let bits = 0;
  for (const n of counts) if (n > 0) bits -= (n / bytes.length) * Math.log2(n / bytes.length);
  return Math.abs(Math.round(bits * 100) / 100);
}

function verdict(entropy: number, zero: boolean): string {
  if (zero) return 'nothing but zeros';
  if (entropy > 7.8) return 'compressed, encrypted or random';
  return entropy > 6 ? 'machine code, or data that are partly compressed' : 'structured data';
}

function printable(head: Buffer): string[] {
  return (head.toString('latin1').match(/[\x20-\x7e]{6,200}/g) ?? []).slice(0, 500);
}
