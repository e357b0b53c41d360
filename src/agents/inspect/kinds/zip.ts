/** ZIP files and what is built on them (office documents, jars): what is inside, from the directory at the end. */
import { bounds } from '../bounds.ts';
import type { Kind } from '../kind.ts';
import { blocks, code, count, list, number, size, table } from '../markup.ts';
import type { Subject } from '../subject.ts';

interface Entry {
  readonly name: string;
  readonly bytes: number;
  readonly encrypted: boolean;
}

const zipLike =
  /^application\/(zip|java-archive|epub\+zip|vnd\.(openxmlformats|oasis|android).*|x-xpinstall)$/;

export const zip: Kind<Subject> = {
  claims: ({ type }) => zipLike.test(type.mime),
  describe: async (subject) => {
    const directory = await findDirectory(subject);
    if (typeof directory === 'string')
      return {
        headline: `ZIP file, **damaged**: ${directory}`,
        body: blocks('## ZIP', `**Damaged**: ${directory}.`),
      };
    const bytes = await subject.read(directory.start, Math.min(directory.bytes, bounds.zipDirectoryBytes));
    const entries = readEntries(bytes);
    const encrypted = entries.filter((entry) => entry.encrypted).length;
    const unpacked = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    const whole = entries.length === directory.entries;
    return {
      headline: `ZIP file, ${count(directory.entries, 'entry', 'entries')}${whole ? `, ${size(unpacked)} unpacked` : ''}${encrypted > 0 ? `, ${number(encrypted)} encrypted` : ''}`,
      body: blocks(
        '## ZIP',
        list([
          `Entries: ${number(directory.entries)}${whole ? '' : `, of these ${number(entries.length)} read`}; encrypted: ${number(encrypted)}.`,
          `Unpacked, by its own account: ${size(unpacked)}.`,
        ]),
        entries.length === 0
          ? ''
          : table(
              ['Entry', 'Bytes'],
              entries.slice(0, 50).map((entry) => [code(entry.name), number(entry.bytes)]),
            ),
        directory.entries > 50 ? `… and ${count(directory.entries - 50, 'more entry', 'more entries')}.` : '',
      ),
    };
  },
};

async function findDirectory(
  subject: Subject,
): Promise<{ start: number; bytes: number; entries: number } | string> {
  // The end record is followed by a comment of at most 65,535 bytes.
  const length = Math.min(subject.bytes, 22 + 65_535);
  const tail = await subject.read(subject.bytes - length, length);
  const at = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (at === -1 || tail.length - at < 22)
    return 'its central directory is missing: the end of the file was cut off';
  const entries = tail.readUInt16LE(at + 10);
  const bytes = tail.readUInt32LE(at + 12);
  const start = tail.readUInt32LE(at + 16);
  if (start === 0xffffffff || entries === 0xffff) return { start: 0, bytes: 0, entries };
  const end = subject.bytes - length + at;
  if (start + bytes > end)
    return `its central directory should begin at byte ${number(start)}, which lies behind the end: bytes are missing`;
  return { start, bytes, entries };
}

function readEntries(directory: Buffer): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  while (at + 46 <= directory.length && directory.readUInt32LE(at) === 0x02014b50) {
    const nameLength = directory.readUInt16LE(at + 28);
    const flags = directory.readUInt16LE(at + 8);
    entries.push({
      name: directory.toString('utf8', at + 46, Math.min(directory.length, at + 46 + nameLength)),
      bytes: directory.readUInt32LE(at + 24),
      encrypted: (flags & 1) === 1,
    });
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}
