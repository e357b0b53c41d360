/** What a kind sees of a file: its type, its bytes on demand, and its text when it is one. Read once, shared by all. */
import { bounds } from './bounds.ts';
import { type Decoded, decode, detectEncoding } from './encoding.ts';
import { type MediaType, mediaType } from './media-type.ts';
import type { Source } from './source.ts';

export interface Subject extends Source {
  /** Base name and extension (`.csv`, or empty), lower case: they decide the kind, they are not shown. */
  readonly name: string;
  readonly extension: string;
  readonly type: MediaType;
  /** The first `bounds.headBytes`. */
  readonly head: Buffer;
  readonly text?: Text;
  /** Where the file lies, for links to its neighbours; absent for what came out of an archive. */
  readonly place?: { readonly path: string | Buffer; readonly rel: string };
  readonly signal: AbortSignal;
}

export type TextSubject = Subject & { readonly text: Text };

export interface Text extends Decoded {
  /** `value` is the whole text, not only its start. */
  readonly complete: boolean;
  /** Of what comes after `value`: bytes, those of them that were read, and the line ends in these. */
  readonly rest: { readonly bytes: number; readonly counted: number; readonly newlines: number };
}

/** @param cut The source ends before its content does (a gzip file that was not unpacked to its end). */
export async function examine(
  source: Source,
  about: { name: string; place?: Subject['place']; signal: AbortSignal; cut?: boolean },
): Promise<Subject> {
  const name = about.name.toLowerCase();
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  const head = await source.read(0, bounds.headBytes);
  const encoding = head.length === 0 ? undefined : detectEncoding(head);
  const decodes =
    encoding === undefined ? 'no' : encoding.bom ? 'marked' : encoding.guessed ? 'guess' : 'valid';
  const type = await mediaType(name, extension, head, decodes);
  const subject = {
    name,
    extension,
    type,
    head,
    bytes: source.bytes,
    read: source.read,
    signal: about.signal,
    ...(about.place !== undefined && { place: about.place }),
  };
  if (encoding === undefined || !type.text) return subject;
  const complete = source.bytes <= bounds.textBytes && about.cut !== true;
  const bytes = head.length === source.bytes ? head : await source.read(0, bounds.textBytes);
  const decoded = decode(bytes, encoding, complete);
  const rest = await countRest(source, bytes.length, encoding.label.startsWith('utf-16'), about.signal);
  return { ...subject, text: { ...decoded, complete, rest } };
}

async function countRest(
  source: Source,
  from: number,
  wide: boolean,
  signal: AbortSignal,
): Promise<Text['rest']> {
  const bytes = source.bytes - from;
  // In UTF-16 a byte 0x0a is not always a line end.
  const end = wide ? from : Math.min(source.bytes, from + bounds.countedBytes);
  let newlines = 0;
  let at = from;
  while (at < end) {
    signal.throwIfAborted();
    const chunk = await source.read(at, Math.min(bounds.chunkBytes, end - at));
    if (chunk.length === 0) break;
    for (let next = chunk.indexOf(10); next !== -1; next = chunk.indexOf(10, next + 1)) newlines += 1;
    at += chunk.length;
  }
  return { bytes, counted: at - from, newlines };
}
