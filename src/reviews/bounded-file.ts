/** A file that an agent left, as text if it is a short one. It may be anything: a link, a FIFO, bytes, gone. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { fsPath } from '../types/path-bytes.ts';

export type FileText =
  | { readonly kind: 'text'; readonly text: string; readonly bytes: number }
  | { readonly kind: 'binary' | 'too_long'; readonly bytes: number }
  /** Not there, or nothing that holds text. */
  | { readonly kind: 'none' };

/** @param maxBytes Longer ones are not read; with `cut` their beginning is. */
export async function readText(path: string, maxBytes: number, cut = false): Promise<FileText> {
  try {
    // O_NONBLOCK: opening a FIFO does not wait for a writer.
    await using handle = await open(
      fsPath(path),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const stat = await handle.stat();
    if (!stat.isFile()) return { kind: 'none' };
    const bytes = stat.size;
    if (bytes > maxBytes && !cut) return { kind: 'too_long', bytes };
    const buffer = Buffer.alloc(Math.min(bytes, maxBytes));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    const read = buffer.subarray(0, bytesRead);
    if (read.includes(0)) return { kind: 'binary', bytes };
    // Cut within a character: what is left of it is dropped, not taken for a fault.
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    try {
      return { kind: 'text', text: decoder.decode(read, { stream: bytes > bytesRead }), bytes };
    } catch {
      return { kind: 'binary', bytes };
    }
  } catch {
    return { kind: 'none' };
  }
}
