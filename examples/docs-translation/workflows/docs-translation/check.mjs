// check.mjs ORIGINAL TRANSLATION: whether a translated Markdown page still is the same page: code blocks, inline code, where links
// lead, labels, comments and headings. Prints {"ok", "differences", …} and exits 0; with --strict it exits 1 when there are some,
// and says them on stderr. What was checked is written to $SLUICE_OUTPUT_DIR/page.md, so that nothing else is published.
// Exit 2: it could not be checked. Node 18 or newer.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { definedLabels, readBlocks, readInline } from './markdown.mjs';

const most = 40;
const shown = 160;

/** @returns {string[]} What is different, in words that its author can mend it by. Empty: it is a translation. */
export function compare(original, translation) {
  const [a, b] = [read(original), read(translation)];
  return [
    ...headings(a.headings, b.headings),
    ...codeBlocks(a.blocks, b.blocks),
    ...lists('key of the front matter', a.keys, b.keys),
    ...bySection(a, b),
    ...words(a.words, b.words),
  ];
}

/** Agents like to put a page that they give into a fence. @returns {string} the page. */
export function unwrap(text, original) {
  const page = text.replace(/\r\n?/g, '\n');
  const wrapped = /^\s*(`{3,}|~{3,})(?:markdown|md)?[ \t]*\n([\s\S]*)\n\1[ \t]*\s*$/.exec(page);
  const isMeant = /^\s*(`{3,}|~{3,})/.test(original);
  return `${(wrapped && !isMeant ? wrapped[2] : page).trimEnd()}\n`;
}

function read(text) {
  const page = readBlocks(text);
  // From one heading to the next: words change places within a section, not beyond.
  const sections = [[]];
  for (const one of page.prose) {
    if (one.isHeading) sections.push([]);
    sections.at(-1).push(one);
  }
  const defined = definedLabels(page.prose);
  return { ...page, sections, defined, words: readInline(page.prose, defined).words };
}

function headings(a, b) {
  if (a.length !== b.length)
    return [
      `there are ${b.length} headings, the original has ${a.length}${b.length < a.length ? ': something was left out' : ''}`,
    ];
  return a.flatMap(({ level, text }, at) =>
    b[at].level === level
      ? []
      : [
          `line ${b[at].line}: the heading for ${quoted(text)} is of level ${b[at].level}, in the original of level ${level}`,
        ],
  );
}

function codeBlocks(a, b) {
  if (a.length !== b.length) return [`there are ${b.length} code blocks, the original has ${a.length}`];
  return a.flatMap((block, at) => {
    const other = b[at];
    const name = `line ${other.line}: code block ${at + 1}`;
    if (block.info !== other.info)
      return [`${name} says ${quoted(other.info)}, the original ${quoted(block.info)}`];
    const [was, is] = [block.text.split('\n'), other.text.split('\n')];
    const first = was.findIndex((line, n) => line !== is[n]);
    if (first < 0 && was.length === is.length) return [];
    const n = first < 0 ? was.length : first;
    return [`${name}: its line ${n + 1} is ${quoted(is[n])}, in the original ${quoted(was[n])}`];
  });
}

const kinds = {
  code: 'inline code',
  links: 'link',
  labels: 'label',
  comments: 'comment',
  anchors: 'heading id',
};

function bySection(a, b) {
  const isSame = a.sections.length === b.sections.length;
  const of = ({ sections, prose }) => (isSame ? sections : [prose]);
  const [was, is] = [of(a), of(b)];
  return was.flatMap((section, at) => {
    const where = isSame && at > 0 ? ` in the section of line ${is[at][0].line}` : '';
    const [x, y] = [readInline(section, a.defined), readInline(is[at], b.defined)];
    return Object.entries(kinds).flatMap(([kind, name]) => lists(name, x[kind], y[kind], where));
  });
}

function lists(name, was, is, where = '') {
  const missing = without(was, is);
  const added = without(is, was);
  return [
    ...missing.map((one) => `${name} ${quoted(one)} is missing${where}`),
    ...added.map((one) => `${name} ${quoted(one)} is not in the original${where}`),
  ];
}

function without(all, those) {
  const left = [...those];
  return all.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** Neither left as it is, nor cut off. Languages differ in length, but not that much. */
function words(a, b) {
  const size = (text) => [...text.matchAll(/[\p{L}\p{N}]/gu)].length;
  const [was, is] = [size(a), size(b)];
  if (was >= 200 && a === b) return ['the text is the original: nothing was translated'];
  if (was >= 200 && is < was / 5)
    return [`the text is much shorter than the original (${is} letters for ${was}): something was left out`];
  return [];
}

function quoted(text) {
  if (text === undefined) return 'not there';
  const line = JSON.stringify(text);
  return line.length > shown ? `${line.slice(0, shown)}…"` : line;
}

function main(words) {
  const isStrict = words.includes('--strict');
  const [originalFile, translationFile] = words.filter((word) => word !== '--strict');
  const original = decode(originalFile);
  const page = unwrap(decode(translationFile), original);
  const all = compare(original, page);
  const differences = all.slice(0, most);
  if (all.length > most) differences.push(`… and ${all.length - most} more`);
  const { SLUICE_OUTPUT_DIR: dir } = process.env;
  if (dir) writeFileSync(join(dir, 'page.md'), page);
  console.log(JSON.stringify({ ok: all.length === 0, differences }, null, 2));
  if (!isStrict || all.length === 0) return 0;
  console.error(differences.map((one) => `- ${one}`).join('\n'));
  // The last line is the one that people are shown first.
  console.error(
    `The translation is not the same page: ${all.length === 1 ? all[0] : `${all.length} differences, the first: ${all[0]}`}`,
  );
  return 1;
}

function decode(file) {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    console.error(`cannot check: ${error.message}`);
    process.exitCode = 2;
  }
}
