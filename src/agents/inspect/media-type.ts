/**
 * The type of a file: what its first bytes say (`file-type`, which knows binary formats by their signature), and, where
 * these say "text", what its extension promises.
 */
import { fileTypeFromBuffer } from 'file-type';
import { languageOf } from './languages.ts';

export interface MediaType {
  readonly mime: string;
  readonly from: 'content' | 'extension' | 'guess';
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

// Formats with a signature that may consist of text alone. For any other signature in clean text the text wins:
// a note that begins with "BM" is no bitmap.
const textualSignatures = new Set([
  'application/pdf',
  'application/rtf',
  'application/postscript',
  'application/xml',
]);

/** @param isText Whether the head decodes as text. */
export async function mediaType(
  name: string,
  extension: string,
  head: Buffer,
  isText: boolean,
): Promise<MediaType> {
  const language = languageOf(name, extension, head);
  const promised =
    (Object.hasOwn(byExtension, extension) ? byExtension[extension] : undefined) ?? language?.mime;
  const signature = await signatureOf(head);
  if (signature !== undefined && (!isText || textualSignatures.has(signature)) && signature !== promised) {
    // A docx is a ZIP, an SVG is XML: the extension says more, and does not contradict.
    if (isText && signature === 'application/xml' && promised !== undefined)
      return { mime: promised, from: 'extension' };
    const contradicts = promised !== undefined && promised.split('/')[0] !== signature.split('/')[0];
    return { mime: signature, from: 'content', ...(contradicts && { promised }) };
  }
  if (signature !== undefined && !isText) return { mime: signature, from: 'content' };
  if (isText) {
    if (promised === undefined) return { mime: 'text/plain', from: 'content' };
    if (isTextual(promised) || promised === signature) return { mime: promised, from: 'extension' };
    return { mime: 'text/plain', from: 'content', promised };
  }
  if (promised === undefined || head.length === 0) return { mime: 'application/octet-stream', from: 'guess' };
  return { mime: 'application/octet-stream', from: 'guess', promised };
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
