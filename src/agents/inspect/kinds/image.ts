/** Images: format, dimensions, depth and orientation where the format tells, and whether the end is missing. */
import { imageSize } from 'image-size';
import { bounds } from '../bounds.ts';
import type { Kind } from '../kind.ts';
import { blocks, list, number } from '../markup.ts';
import type { Subject } from '../subject.ts';
import { pngFacts } from './png.ts';

const orientations = [
  '',
  'upright',
  'mirrored',
  'upside down',
  'upside down and mirrored',
  'on its left side and mirrored',
  'on its right side: turn it clockwise',
  'on its right side and mirrored',
  'on its left side: turn it counter-clockwise',
];

export const image: Kind<Subject> = {
  claims: ({ type }) => type.mime.startsWith('image/'),
  describe: async (subject) => {
    const svg = subject.type.mime === 'image/svg+xml';
    const png = subject.type.mime === 'image/png' ? await pngFacts(subject) : undefined;
    // An SVG's size stands in its first tag; and its reader is an expression that slows down on long texts.
    const start = await subject.read(0, svg ? 16 * 1024 : bounds.imageHeadBytes);
    const found = measure(start);
    const format = (found?.type ?? subject.type.mime.replace(/^image\/(x-)?|\+xml$/g, ''))
      .toUpperCase()
      .replace(/^JPG$/, 'JPEG');
    const dimensions =
      found === undefined
        ? 'dimensions cannot be read'
        : `${number(found.width)} × ${number(found.height)} pixels`;
    const broken = png?.broken ?? (await missingEnd(subject));
    const frames =
      found?.images !== undefined && found.images.length > 1
        ? `Images in the file: ${number(found.images.length)}.`
        : '';
    return {
      headline: `${format} image, ${dimensions}${broken === undefined ? '' : `, **damaged**: ${broken}`}`,
      body: blocks(
        '## Image',
        list(
          [
            `Format: ${format}; ${dimensions}.`,
            png?.depth === undefined ? '' : `Depth: ${png.depth}.`,
            found?.orientation === undefined
              ? ''
              : `EXIF orientation: ${found.orientation} (${orientations[found.orientation] ?? 'not a known value'}).`,
            frames,
            broken === undefined
              ? 'End of the file: as it should be, as far as that was checked.'
              : `**Damaged**: ${broken}.`,
          ].filter((item) => item !== ''),
        ),
      ),
    };
  },
};

function measure(start: Buffer): ReturnType<typeof imageSize> | undefined {
  try {
    const found = imageSize(start);
    return Number.isFinite(found.width) && Number.isFinite(found.height) ? found : undefined;
  } catch {
    return undefined; // not known to the library, or cut off before the dimensions
  }
}

async function missingEnd(subject: Subject): Promise<string | undefined> {
  const tail = await subject.read(Math.max(0, subject.bytes - 1024), 1024);
  const { mime } = subject.type;
  // Programs append data after the end mark, so it is searched in the last bytes, not expected as the very last ones.
  if (mime === 'image/jpeg' && !tail.includes(Buffer.from([0xff, 0xd9])))
    return 'it ends before its end mark: the lower part is missing';
  if (mime === 'image/gif' && !tail.includes(0x3b)) return 'it ends before its end mark';
  if ((mime === 'image/webp' || mime === 'image/bmp') && subject.head.length >= 8) {
    const promised = mime === 'image/webp' ? subject.head.readUInt32LE(4) + 8 : subject.head.readUInt32LE(2);
    if (promised > subject.bytes)
      return `${number(promised)} bytes are announced, ${number(subject.bytes)} are there`;
  }
  return undefined;
}
