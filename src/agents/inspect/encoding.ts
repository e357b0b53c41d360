/**
 * Bytes → text, or the finding that they are none. A byte order mark decides; then UTF-8, which is hardly ever valid by
 * accident; then UTF-16 without a mark (every other byte is zero); only then statistics (`chardet`), which guess.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { detect } from 'chardet';
import { bounds } from './bounds.ts';

export interface Decoded {
  readonly value: string;
  /** As people write it: `UTF-8`, `UTF-16LE`, `ISO-8859-1`. */
  readonly encoding: string;
  readonly bom: boolean;
  /** No mark and no proof: the encoding is a statistical guess. */
  readonly guessed: boolean;
  /** Byte sequences that are not valid in this encoding; each stands as U+FFFD in `value`. */
  readonly invalid: number;
}

/**
 * What decodes this file; undefined when it is not text.
 * @param head The first bytes: judged by these alone.
 */
export function detectEncoding(head: Buffer): { label: string; bom: boolean; guessed: boolean } | undefined {
  if (startsWith(head, 0xef, 0xbb, 0xbf)) return { label: 'utf-8', bom: true, guessed: false };
  if (startsWith(head, 0xff, 0xfe)) return { label: 'utf-16le', bom: true, guessed: false };
  if (startsWith(head, 0xfe, 0xff)) return { label: 'utf-16be', bom: true, guessed: false };
  const nul = zeros(head);
  if (nul.even + nul.odd > 0) {
    const half = head.length / 2;
    const guessed = true;
    if (nul.odd > half * 0.4 && nul.even < half * 0.05) return { label: 'utf-16le', bom: false, guessed };
    if (nul.even > half * 0.4 && nul.odd < half * 0.05) return { label: 'utf-16be', bom: false, guessed };
    return undefined;
  }
  // Two are forgiven in a short text.
  if (controls(head) > Math.max(2, head.length * 0.05)) return undefined;
  if (isUtf8(withoutPartialEnd(head))) return { label: 'utf-8', bom: false, guessed: false };
  if (mostlyUtf8(head)) return { label: 'utf-8', bom: false, guessed: false };
  // Many invalid high bytes beside few letters: no encoding anyone writes text in.
  const label = detect(head) ?? 'windows-1252';
  return { label: label.toLowerCase(), bom: false, guessed: true };
}

/** @param complete False when `bytes` is only the start of the text: a character cut in two at its end is dropped. */
export function decode(
  bytes: Buffer,
  found: { label: string; bom: boolean; guessed: boolean },
  complete: boolean,
): Decoded {
  const label = decoderFor(found.label);
  const decoder = new TextDecoder(label);
  const value = decoder.decode(bytes, { stream: !complete });
  const ascii = label === 'utf-8' && !found.bom && isAscii(bytes);
  return {
    value,
    encoding: ascii ? 'ASCII' : nameOf(found.label),
    bom: found.bom,
    guessed: found.guessed && !ascii,
    invalid: occurrences(value, '\ufffd'),
  };
}

function decoderFor(label: string): string {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return 'windows-1252'; // chardet knows more encodings than the platform; every byte has a meaning in this one
  }
}

function nameOf(label: string): string {
  return label.startsWith('windows') ? label.replace('windows', 'Windows') : label.toUpperCase();
}

// One damaged character in a UTF-8 file must not turn all the others into nonsense.
function mostlyUtf8(head: Buffer): boolean {
  const text = new TextDecoder('utf-8').decode(withoutPartialEnd(head));
  const invalid = occurrences(text, '\ufffd');
  const valid = (text.match(/[\u0080-\ufffc]/g) ?? []).length;
  return valid > 0 && invalid <= valid;
}

function occurrences(text: string, char: string): number {
  let n = 0;
  for (let at = text.indexOf(char); at !== -1; at = text.indexOf(char, at + 1)) n += 1;
  return n;
}

function withoutPartialEnd(head: Buffer): Buffer {
  if (head.length < bounds.headBytes) return head;
  let end = head.length;
  while (end > head.length - 4 && ((head[end - 1] as number) & 0xc0) === 0x80) end -= 1;
  return head.subarray(0, Math.max(0, end - 1));
}

function zeros(head: Buffer): { even: number; odd: number } {
  let even = 0;
  let odd = 0;
  for (let at = 0; at < head.length; at += 1)
    if (head[at] === 0) {
      if (at % 2 === 0) even += 1;
      else odd += 1;
    }
  return { even, odd };
}

// Tab, line ends, form feed, backspace and escape occur in text (terminal logs).
function controls(head: Buffer): number {
  let n = 0;
  for (const byte of head)
    if (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 12 && byte !== 8 && byte !== 27)
      n += 1;
  return n;
}

function startsWith(head: Buffer, ...bytes: number[]): boolean {
  return bytes.every((byte, at) => head[at] === byte);
}
