/**
 * The type of a file: what its first bytes say (`file-type`, which knows binary formats by their signature), and, where
 * these say "text", what its extension promises.
 */
import { fileTypeFromBuffer } from 'file-type';
import { languageOf } from './languages.ts';

export interface MediaType {
  readonly mime: string;
  readonly from: 'content' | 'extension' | 'guess';
  /** It is read as text. */
  readonly text: boolean;
  /** What the extension promises, when the content is something else. */
  readonly promised?: string;
}

const byExtension: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.tsv': 'text/tab-separated-values',
  '.tab': 'text/tab-separated-values',
  '.json': 'application/json',
  '.geojson': 'application/geo+json',
  '.ipynb': 'application/x-ipynb+json',
  '.webmanifest': 'application/manifest+json',
  '.jsonl': 'application/jsonl',
  '.ndjson': 'application/jsonl',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
  '.toml': 'application/toml',
  '.md': 'text/markdown',
  '.markdown': 'text/markdown',
  '.mdx': 'text/markdown',
  '.html': 'text/html',
  '.htm': 'text/html',
  '.xml': 'application/xml',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.text': 'text/plain',
  '.log': 'text/plain',
  '.ini': 'text/plain',
  '.conf': 'text/plain',
  '.eml': 'message/rfc822',
  '.ics': 'text/calendar',
  '.vcf': 'text/vcard',
  '.rtf': 'application/rtf',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.bmp': 'image/bmp',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
  '.avif': 'image/avif',
  '.heic': 'image/heic',
  '.ico': 'image/x-icon',
  '.pdf': 'application/pdf',
  '.zip': 'application/zip',
  '.gz': 'application/gzip',
  '.tgz': 'application/gzip',
  '.tar': 'application/x-tar',
  '.7z': 'application/x-7z-compressed',
  '.mp3': 'audio/mpeg',
  '.wav': 'audio/wav',
  '.flac': 'audio/flac',
  '.ogg': 'audio/ogg',
  '.m4a': 'audio/mp4',
  '.mp4': 'video/mp4',
  '.mov': 'video/quicktime',
  '.webm': 'video/webm',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

// Formats with a signature that may consist of text alone.
const textualSignatures = new Set([
  'application/pdf',
  'application/rtf',
  'application/postscript',
  'application/xml',
]);

/** How the head reads as text: not, as a guess, as valid UTF-8, or with a byte order mark. */
export type Decodes = 'no' | 'guess' | 'valid' | 'marked';

export async function mediaType(
  name: string,
  extension: string,
  head: Buffer,
  decodes: Decodes,
): Promise<MediaType> {
  const language = languageOf(name, extension, head);
  const promised =
    (Object.hasOwn(byExtension, extension) ? byExtension[extension] : undefined) ?? language?.mime;
  const signature = await signatureOf(head);
  if (signature !== undefined && isMeant(signature, head, decodes)) {
    const text = decodes !== 'no' && textualSignatures.has(signature);
    // An SVG is XML: the extension says more, and does not contradict.
    if (text && signature === 'application/xml' && promised !== undefined && isTextual(promised))
      return { mime: promised, from: 'extension', text };
    const contradicts = promised !== undefined && promised.split('/')[0] !== signature.split('/')[0];
    return { mime: signature, from: 'content', text, ...(contradicts && { promised }) };
  }
  if (decodes !== 'no') {
    if (promised === undefined) return { mime: 'text/plain', from: 'content', text: true };
    if (isTextual(promised)) return { mime: promised, from: 'extension', text: true };
    return { mime: 'text/plain', from: 'content', text: true, promised };
  }
  const unknown = { mime: 'application/octet-stream', from: 'guess', text: false } as const;
  return promised === undefined || head.length === 0 ? unknown : { ...unknown, promised };
}

// Two letters are enough for some signatures: a note that begins with "BM" is no bitmap. Real binary formats have
// control characters near their start, or bytes that are no text. (UTF-16's mark is how a piece of MP3 begins, too.)
function isMeant(signature: string, head: Buffer, decodes: Decodes): boolean {
  if (decodes === 'marked') return textualSignatures.has(signature);
  if (decodes !== 'valid' || textualSignatures.has(signature)) return true;
  return head.subarray(0, 16).some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27));
}

function isTextual(mime: string): boolean {
  return /^text\/|^message\/|[+/](json|xml|yaml|toml|jsonl|rtf|javascript)$/.test(mime);
}

async function signatureOf(head: Buffer): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(head))?.mime;
  } catch {
    return undefined; // a signature followed by a broken structure: the kinds say what is wrong
  }
}
