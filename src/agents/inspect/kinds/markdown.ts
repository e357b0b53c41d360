/**
 * Markdown: outline, links and the dead ones among the relative, code blocks without a language, front matter. Parsed
 * by `markdown-it`: another well-known parser took half a minute for 60,000 open brackets.
 */
import MarkdownIt from 'markdown-it';
import { bounds } from '../bounds.ts';
import type { Kind } from '../kind.ts';
import { blocks, code, count, list, number } from '../markup.ts';
import { placeOf } from '../place.ts';
import type { TextSubject } from '../subject.ts';
import { checkLinks } from './markdown-links.ts';
import { readYaml } from './yaml.ts';

export const markdown: Kind<TextSubject> = {
  claims: ({ type }) => type.mime === 'text/markdown',
  describe: async (subject) => {
    const whole = subject.text.complete && subject.text.value.length <= bounds.markdownChars;
    const text = subject.text.value.slice(0, bounds.markdownChars);
    const front = frontMatter(text);
    const found = collect(front.rest);
    const links = await checkLinks(found.links, subject);
    const dead = links.dead.length;
    const notes = [
      whole ? '' : `Read: the first ${count(text.length, 'character')}.`,
      `Front matter: ${front.verdict}.`,
      `Headings: ${number(found.headings.length)}; images: ${number(found.images)}; code blocks: ${number(found.codeBlocks)}; pieces of HTML: ${number(found.html)}.`,
      `Links: ${number(found.links.length)} (${number(links.relative)} relative, of these ${number(dead)} dead${links.outside > 0 ? `, ${number(links.outside)} not checked because they leave the watched folder` : ''}${links.skipped > 0 ? `, ${number(links.skipped)} not checked` : ''}).`,
    ];
    return {
      headline: `Markdown, ${count(found.headings.length, 'heading')}, ${count(found.links.length, 'link')}, ${
        dead === 0 ? 'no dead relative links' : count(dead, 'dead relative link')
      }${front.broken ? ', front matter not valid' : ''}`,
      body: blocks(
        '## Markdown',
        list(notes.filter((note) => note !== '')),
        dead === 0
          ? ''
          : blocks(
              '### Dead relative links',
              list(links.dead.slice(0, 50).map(({ line, url }) => `line ${number(line)}: ${code(url)}`)),
            ),
        found.bare.length === 0
          ? ''
          : `Code blocks without a language: ${number(found.bare.length)} (${lineList(found.bare)}).`,
        found.headings.length === 0 ? '' : blocks('### Outline', outline(found.headings)),
      ),
    };
  },
};

interface Heading {
  readonly line: number;
  readonly depth: number;
  readonly title: string;
}

export interface FoundLink {
  readonly line: number;
  readonly url: string;
}

// Links as they are written: the default encodes them and drops some schemes, which is for showing them in a browser.
const parser = new MarkdownIt('commonmark');
parser.normalizeLink = (url) => url;
parser.validateLink = () => true;

function collect(text: string) {
  const headings: Heading[] = [];
  const links: FoundLink[] = [];
  const bare: number[] = [];
  const counts = { images: 0, codeBlocks: 0, html: 0 };
  let depth = 0;
  for (const token of parser.parse(text, {})) {
    let line = (token.map?.[0] ?? 0) + 1;
    if (token.type === 'heading_open') depth = Number(token.tag.slice(1));
    else if (token.type === 'heading_close') depth = 0;
    else if (token.type === 'html_block') counts.html += 1;
    else if (token.type === 'code_block') counts.codeBlocks += 1;
    else if (token.type === 'fence') {
      counts.codeBlocks += 1;
      if (token.info.trim() === '') bare.push(line);
    }
    if (token.type !== 'inline') continue;
    if (depth > 0) headings.push({ line, depth, title: token.content });
    for (const part of token.children ?? []) {
      if (part.type === 'softbreak' || part.type === 'hardbreak') line += 1;
      else if (part.type === 'link_open') links.push({ line, url: String(part.attrGet('href') ?? '') });
      else if (part.type === 'html_inline') counts.html += 1;
      else if (part.type === 'image') {
        counts.images += 1;
        links.push({ line, url: String(part.attrGet('src') ?? '') });
      }
    }
  }
  return { headings, links, bare, ...counts };
}

function outline(headings: readonly Heading[]): string {
  // Nested under the nearest heading above it that is higher: levels that were left out must not indent too far.
  const above: number[] = [];
  const shown = headings.slice(0, 100).map(({ line, depth, title }) => {
    while ((above.at(-1) ?? 0) >= depth) above.pop();
    above.push(depth);
    return `${'  '.repeat(above.length - 1)}- ${code(title, 100)} (line ${number(line)})`;
  });
  const hidden = headings.length - shown.length;
  return [...shown, ...(hidden > 0 ? [`- … and ${count(hidden, 'more heading')}`] : [])].join('\n');
}

function lineList(lines: readonly number[]): string {
  const shown = lines.slice(0, 20).map(number).join(', ');
  return `line ${shown}${lines.length > 20 ? ' …' : ''}`;
}

interface FrontMatter {
  readonly verdict: string;
  readonly broken: boolean;
  /** The text with the front matter's lines emptied, so that line numbers stay. */
  readonly rest: string;
}

function frontMatter(text: string): FrontMatter {
  const opening = /^---[ \t]*\r?\n/.exec(text)?.[0];
  if (opening === undefined) return { verdict: 'none', broken: false, rest: text };
  const closing = /^(?:---|\.\.\.)[ \t]*\r?$/m;
  const body = text.slice(opening.length);
  const end = closing.exec(body);
  // `---` at the top is also a horizontal rule: no closing line, no front matter.
  if (end === null)
    return { verdict: 'none (a `---` line at the top is not closed)', broken: false, rest: text };
  const yaml = body.slice(0, end.index);
  const { errors, duplicates, shape } = readYaml(yaml);
  const lines = yaml.split('\n').length + 1;
  const rest = '\n'.repeat(lines - 1) + body.slice(end.index + end[0].length);
  const first = errors[0];
  if (first !== undefined) {
    const { line, column } = placeOf(yaml, first.offset);
    return {
      verdict: `**not valid**, line ${line + 1}, column ${column}: ${first.message}`,
      broken: true,
      rest,
    };
  }
  const double = duplicates[0];
  if (double !== undefined)
    return {
      verdict: `**not valid**, the key ${code(double.key)} occurs twice (line ${placeOf(yaml, double.offset).line + 1})`,
      broken: true,
      rest,
    };
  return { verdict: `valid YAML, ${shape.top()}`, broken: false, rest };
}
