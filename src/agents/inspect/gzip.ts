/**
 * Unpacks the start of a gzip file so that what is in it is inspected like any other file. Output is bounded (a bomb of
 * a thousand to one stops at `bounds.textBytes`), and one level deep: a gzip inside a gzip is only named.
 */
import { createGunzip } from 'node:zlib';
import { bounds } from './bounds.ts';
import type { Source } from './source.ts';

export interface Unpacked {
  readonly content: Buffer;
  /** Not unpacked to its end because of the bound. */
  readonly cut: boolean;
  /** What is wrong with the file; `content` is what came out before. */
  readonly broken?: string;
  /** Bytes of the file that were needed for `content`. */
  readonly consumed: number;
}

export async function gunzip(source: Source, signal: AbortSignal): Promise<Unpacked> {
  const chunks: Buffer[] = [];
  let size = 0;
  let consumed = 0;
  let broken: string | undefined;
  const stream = createGunzip({ chunkSize: 256 * 1024 });
  const input = async (): Promise<void> => {
    for (let at = 0; at < source.bytes && !stream.destroyed; ) {
      signal.throwIfAborted();
      const chunk = await source.read(at, 256 * 1024);
      if (chunk.length === 0) break;
      at += chunk.length;
      consumed = at;
      if (stream.destroyed) return;
      // `close` too: the reader below ends the stream while we wait for room in it.
      if (!stream.write(chunk))
        await new Promise<void>((resolve) => {
          const go = () => {
            stream.off('drain', go).off('close', go);
            resolve();
          };
          stream.once('drain', go).once('close', go);
        });
    }
    if (!stream.destroyed) stream.end();
  };
  const feeding = input().catch((error: unknown) => {
    stream.destroy(error as Error);
  });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= bounds.textBytes) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    const code = (error as { code?: unknown }).code;
    if (typeof code !== 'string' || !code.startsWith('Z_')) throw error;
    broken = code === 'Z_BUF_ERROR' ? 'it ends early' : 'its data are damaged';
  } finally {
    stream.destroy();
    await feeding;
  }
  const cut = size >= bounds.textBytes;
  const content = Buffer.concat(chunks, Math.min(size, bounds.textBytes));
  return { content, cut, consumed, ...(broken !== undefined && { broken }) };
}
