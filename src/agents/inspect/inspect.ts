/**
 * The builtin agent `inspect`: facts about any file, without AI and without network. Any bytes are data: it never
 * throws for what a file contains, and `bounds` limits the work and the memory for it. It is meant to run in a worker
 * thread, because parsers of the kinds do not yield; between them an abort is noticed.
 */
import { basename } from 'node:path';
import { messageOf } from '../../types/errors.ts';
import { general } from './general.ts';
import { gunzip } from './gzip.ts';
import type { Section } from './kind.ts';
import { byteKinds, textKinds } from './kinds.ts';
import { blocks, code, size } from './markup.ts';
import { openSource, sourceOf } from './source.ts';
import { examine, type Subject, type TextSubject } from './subject.ts';

export { inspectVersion, nameDependence } from './version.ts';

export interface InspectedFile {
  /** What to open: absolute; bytes where the name is not UTF-8 (`fsPath`). */
  readonly path: string | Buffer;
  /** Relative to its root, with `/`. */
  readonly rel: string;
  /** The size that was fingerprinted; nothing after it is read. */
  readonly bytes: number;
}

/**
 * The report as Markdown; its first line says the most important thing.
 * @throws The system's error when the file cannot be opened or read; `signal.reason` on abort. Nothing else.
 */
export async function inspect(file: InspectedFile, signal: AbortSignal): Promise<string> {
  await using source = await openSource(file.path, file.bytes, signal);
  const place = { path: file.path, rel: file.rel };
  const subject = await examine(source, { name: basename(file.rel), place, signal });
  const { headline, body } = await describe(subject);
  return `${blocks(headline, general(subject), body)}\n`;
}

async function describe(subject: Subject): Promise<Section> {
  if (subject.bytes === 0) return { headline: 'Empty file', body: '' };
  if (subject.type.mime === 'application/gzip') return describeGzip(subject);
  return describeAs(subject);
}

async function describeAs(subject: Subject): Promise<Section> {
  subject.signal.throwIfAborted();
  try {
    if (isText(subject))
      return await required(textKinds.find((kind) => kind.claims(subject))).describe(subject);
    return await required(byteKinds.find((kind) => kind.claims(subject))).describe(subject);
  } catch (error) {
    subject.signal.throwIfAborted();
    // A fault in a parser, or its stack: what is known without it still helps.
    return {
      headline: `${code(subject.type.mime)}, ${size(subject.bytes)}, could not be analysed further`,
      body: `The analysis of this file failed: ${code(messageOf(error), 200)}.`,
    };
  }
}

async function describeGzip(subject: Subject): Promise<Section> {
  const { content, cut, broken, consumed } = await gunzip(subject, subject.signal);
  const name = subject.name.replace(/\.gz$/, '').replace(/\.tgz$/, '.tar');
  const inner = await examine(sourceOf(content), {
    name,
    signal: subject.signal,
    cut: cut || broken !== undefined,
  });
  const damage = broken === undefined ? '' : `, **damaged**: ${broken}`;
  const ratio = consumed === 0 ? 0 : content.length / consumed;
  const facts = [
    broken === undefined ? '' : `**Damaged**: ${broken}; ${size(content.length)} could be unpacked.`,
    cut
      ? `Unpacked: the first ${size(content.length)}; the rest was left packed.`
      : `Unpacked: ${size(content.length)}${broken === undefined ? ` (${Math.round(ratio * 10) / 10} times the file's size)` : ''}.`,
    cut && ratio > 100
      ? 'It unpacks to more than 100 times its size: take care with programs that unpack all of it.'
      : '',
  ];
  if (content.length === 0)
    return { headline: `gzip file${damage || ', empty inside'}`, body: blocks('## gzip', ...facts) };
  const section = await describeAs(inner);
  return {
    headline: `gzip of: ${section.headline}${damage}`,
    body: blocks('## gzip', ...facts, '## Inside', general(inner), section.body),
  };
}

function isText(subject: Subject): subject is TextSubject {
  return subject.text !== undefined;
}

// The last kind of each list claims everything.
function required<T>(kind: T | undefined): T {
  if (kind === undefined) throw new TypeError('no kind claims this file');
  return kind;
}
