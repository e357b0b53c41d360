/**
 * The body of an HTTP attempt: `file` and `metadata` as multipart/form-data (RFC 7578), streamed from the open file, with
 * its length known beforehand. Not left to a FormData library: the input may be larger than memory, and may change
 * while it is sent, which must end the request and not send a mixture.
 */
import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';

export interface Body {
  /** Absent: the headers say it. */
  readonly contentType?: string;
  readonly contentLength: number;
  /** Opens a new reading of the body: a redirect needs it again. */
  stream(): Readable;
}

export class InputShrank extends Error {}

const chunkBytes = 256 << 10;

export function multipart(file: FileHandle, bytes: number, name: string, metadata: unknown): Body {
  const boundary = `sluice-${randomBytes(18).toString('hex')}`;
  const head = Buffer.from(
    `--${boundary}\r\n` +
      'Content-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n\r\n' +
      `${JSON.stringify(metadata)}\r\n--${boundary}\r\n` +
      `Content-Disposition: form-data; name="file"; filename="${headerFileName(name)}"\r\n` +
      'Content-Type: application/octet-stream\r\n\r\n',
  );
  const foot = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength: head.length + bytes + foot.length,
    stream: () =>
      Readable.from(pieces(file, bytes, head, foot), { objectMode: false, highWaterMark: chunkBytes }),
  };
}

/** A body that is written out in the configuration. */
export function textBody(text: string, contentType: string | undefined): Body {
  const bytes = Buffer.from(text);
  return {
    ...(contentType !== undefined && { contentType }),
    contentLength: bytes.length,
    stream: () => Readable.from([bytes], { objectMode: false }),
  };
}

/**
 * A file name as browsers write it there: UTF-8, with what would end the quotes or the line as %XX. The `filename*` of
 * other headers is forbidden in this one.
 */
export function headerFileName(name: string): string {
  const unsafe = (code: number) => code < 0x20 || code === 0x22 || code === 0x7f;
  return [...name.toWellFormed()]
    .map((char) => {
      const code = char.codePointAt(0) as number;
      return unsafe(code) ? `%${code.toString(16).toUpperCase().padStart(2, '0')}` : char;
    })
    .join('');
}

async function* pieces(file: FileHandle, bytes: number, head: Buffer, foot: Buffer): AsyncGenerator<Buffer> {
  yield head;
  for (let at = 0; at < bytes; ) {
    // A buffer for each piece: the socket may still hold the one before.
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, bytes - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw new InputShrank('the file became shorter while it was sent');
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
  yield foot;
}
