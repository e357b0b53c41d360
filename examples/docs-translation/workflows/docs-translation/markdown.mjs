// What a translation of a Markdown page must leave as it is: code blocks, inline code, where links lead, labels, HTML comments,
// and how headings are nested. Read line by line with the rules of CommonMark that matter for that; no packages are needed.

const container = /^(?:[ \t]{0,3}>[ \t]?)+/;
const listItem = /^([ \t]*)([-*+]|\d{1,9}[.)])(?:([ \t]+)(?=\S)|[ \t]*$)/;
const fenceStart = /^(`{3,})([^`]*)$|^(~{3,})(.*)$/;

/**
 * @param {string} markdown
 * @returns {{
 *   blocks: { info: string, text: string, line: number }[],
 *   headings: { level: number, text: string, line: number }[],
 *   keys: string[],
 *   prose: { text: string, line: number, isHeading?: true }[],
 * }} `blocks`: of code. `keys`: of the front matter. `prose`: the rest, by paragraphs, with the line at which each begins.
 */
export function readBlocks(markdown) {
  const page = new Page(
    markdown
      .replace(/^\uFEFF/, '')
      .replace(/\r\n?/g, '\n')
      .split('\n'),
  );
  page.read();
  const { blocks, headings, keys, prose } = page;
  return { blocks, headings, keys, prose };
}

class Page {
  blocks = [];
  headings = [];
  keys = [];
  prose = [];
  #lines;
  #at = 0;
  /** Where the texts of the list items begin that we are in, one in the other. */
  #items = [];
  /** Markers of the quotation at the beginning of the line. */
  #quote = '';
  /** Not over yet. */
  #paragraph;

  constructor(lines) {
    this.#lines = lines;
  }

  read() {
    const { keys, from } = frontMatter(this.#lines);
    this.keys = keys;
    let isBlank = true;
    for (this.#at = from; this.#at < this.#lines.length; this.#at += 1) {
      const line = this.#lines[this.#at];
      this.#quote = container.exec(line)?.[0] ?? '';
      const inside = untab(line.slice(this.#quote.length));
      if (inside.trim() === '') this.#endParagraph();
      else this.#take(inside, isBlank);
      isBlank = inside.trim() === '';
    }
    this.#endParagraph();
  }

  #take(line, isAfterBlank) {
    if (isAfterBlank || fenceStart.test(line.trim()) || /^ {0,3}#{1,6}(?:[ \t]|$)/.test(line))
      this.#leave(indentOf(line));
    const rest = this.#takeMarkers(line);
    const text = rest.trim();
    if (text === '') return;
    const inner = indentOf(rest) - this.#columns;
    const fence = inner < 4 ? fenceStart.exec(text) : null;
    const html = this.#paragraph ? null : /^<(?:!--|(pre|script|style)(?=[\s>]))/i.exec(text);
    if (fence) this.#takeFence(fence, indentOf(rest));
    else if (inner >= 4 && !this.#paragraph) this.#takeIndented(rest);
    else if (html) this.#takeHtml(text, html[1]?.toLowerCase());
    else this.#takeText(text, inner);
  }

  get #columns() {
    return this.#items.at(-1) ?? 0;
  }

  #leave(indent) {
    while (this.#columns > indent) this.#items.pop();
  }

  #endParagraph() {
    if (this.#paragraph) this.prose.push(this.#paragraph);
    this.#paragraph = undefined;
  }

  /** Markers of lists, also of one that begins in another. @returns the line with spaces in their place. */
  #takeMarkers(line) {
    let rest = line;
    for (;;) {
      const item = listItem.exec(rest);
      if (!item || !this.#isItem(rest, item)) return rest;
      const [, before, mark, space = ' '] = item;
      this.#endParagraph();
      this.#leave(before.length);
      // With more space than that the text is indented code.
      const columns = before.length + mark.length + (space.length > 4 ? 1 : space.length);
      this.#items.push(columns);
      rest = ' '.repeat(columns) + rest.slice(columns);
      if (rest.trim() === '') return rest;
    }
  }

  /** In the middle of a paragraph an empty item begins no list, nor does a number other than 1. */
  #isItem(line, [, before, mark, space]) {
    const inner = before.length - this.#columns;
    if (inner >= 4 || /^([-*_])[ \t]*(?:\1[ \t]*){2,}$/.test(line.trim())) return false;
    if (!this.#paragraph) return true;
    return space !== undefined && (inner < 0 || this.#items.length > 0 || /^(?:\D|1[.)])/.test(mark));
  }

  #takeFence([, ticks, ticksInfo, tildes, tildesInfo], indent) {
    this.#endParagraph();
    const mark = ticks ?? tildes;
    const isEnd = new RegExp(`^ {0,3}${mark[0]}{${mark.length},}[ \\t]*$`);
    const block = { info: (ticksInfo ?? tildesInfo).trim(), line: this.#at + 1 };
    const columns = this.#columns;
    const content = [];
    for (;;) {
      const next = this.#lines[this.#at + 1];
      // A quotation that ends, ends the code in it; so does a list item.
      if (next === undefined || (this.#quote !== '' && !container.test(next))) break;
      const inside = this.#quote === '' ? next : next.replace(container, '');
      if (inside.trim() !== '' && indentOf(untab(inside)) < columns) break;
      this.#at += 1;
      if (isEnd.test(dedent(inside, columns))) break;
      content.push(dedent(inside, indent));
    }
    this.blocks.push({ ...block, text: content.join('\n') });
  }

  #takeIndented(first) {
    const line = this.#at + 1;
    const columns = this.#columns + 4;
    const content = [dedent(first, columns)];
    for (;;) {
      const next = this.#lines[this.#at + 1];
      if (next === undefined) break;
      const inside = this.#quote === '' ? next : next.replace(container, '');
      if (inside.trim() !== '' && indentOf(untab(inside)) < columns) break;
      this.#at += 1;
      content.push(dedent(inside, columns));
    }
    this.blocks.push({ info: '', text: content.join('\n').trimEnd(), line });
  }

  /** What ends with a tag of its own, or a comment: empty lines are part of it. */
  #takeHtml(text, tag) {
    const whole = { text, line: this.#at + 1 };
    const end = tag ? `</${tag}>` : '-->';
    while (!whole.text.toLowerCase().includes(end) && this.#at + 1 < this.#lines.length) {
      this.#at += 1;
      whole.text += `\n${this.#lines[this.#at]}`;
    }
    if (tag) this.blocks.push({ info: `<${tag}>`, ...whole });
    else this.prose.push(whole);
  }

  #takeText(text, inner) {
    const line = this.#at + 1;
    const atx = inner < 4 ? /^(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/.exec(text) : null;
    const underline = this.#paragraph && inner >= 0 && inner < 4 ? /^(=+|-+)$/.exec(text) : null;
    if (atx) {
      this.#endParagraph();
      this.#addHeading(atx[1].length, { text: atx[2] ?? '', line });
    } else if (underline) {
      this.#addHeading(text[0] === '=' ? 1 : 2, this.#paragraph);
      this.#paragraph = undefined;
    } else if (this.#paragraph) this.#paragraph.text += `\n${text}`;
    else this.#paragraph = { text, line };
  }

  #addHeading(level, { text, line }) {
    this.headings.push({ level, text, line });
    this.prose.push({ text, line, isHeading: true });
  }
}

function frontMatter(lines) {
  const end =
    lines[0] === '---' ? lines.findIndex((line, at) => at > 0 && /^(---|\.\.\.)[ \t]*$/.test(line)) : -1;
  if (end < 0) return { keys: [], from: 0 };
  const keys = lines.slice(1, end).flatMap((line) => /^([\w.-]+)[ \t]*:/.exec(line)?.[1] ?? []);
  return { keys, from: end + 1 };
}

function untab(line) {
  for (let at = line.indexOf('\t'); at >= 0 && line.slice(0, at).trim() === ''; at = line.indexOf('\t'))
    line = `${line.slice(0, at)}${' '.repeat(4 - (at % 4))}${line.slice(at + 1)}`;
  return line;
}

/** Without so many columns of white space at its beginning; tabs behind them stay tabs. */
function dedent(line, columns) {
  let at = 0;
  let column = 0;
  for (; column < columns && (line[at] === ' ' || line[at] === '\t'); at += 1)
    column += line[at] === '\t' ? 4 - (column % 4) : 1;
  return ' '.repeat(Math.max(0, column - columns)) + line.slice(at);
}

function indentOf(line) {
  return line.length - line.trimStart().length;
}

const definition =
  /^[ \t]*\[((?:\\.|[^[\]\\])+)\]:[ \t]*\n?[ \t]*(<[^>\n]*>|\S+)(?:[ \t]+(?:"[^"]*"|'[^']*'|\([^)]*\)))?[ \t]*$/gm;

/** @returns {Set<string>} What may stand in brackets and is a link then: `[label]: https://…` defines one, anywhere on the page. */
export function definedLabels(prose) {
  return new Set(
    prose.flatMap(({ text }) => [...text.matchAll(definition)].map(([, label]) => labelOf(label))),
  );
}

/**
 * What stands in texts and is no text.
 * @param {readonly { text: string, line: number }[]} prose
 * @param {ReadonlySet<string>} defined Labels of the whole page.
 * @returns {Record<'code' | 'links' | 'labels' | 'comments' | 'anchors', string[]> & { words: string }}
 */
export function readInline(prose, defined) {
  const found = { code: [], links: [], labels: [], comments: [], anchors: [] };
  const texts = [];
  for (const { text, isHeading } of prose) {
    let left = takeCode(text, found);
    left = left.replace(definition, (all, label, to) => {
      // What follows the label of a footnote is text.
      if (label.startsWith('^')) return all;
      found.links.push(bare(to));
      found.labels.push(`[${labelOf(label)}]:`);
      return '';
    });
    left = left.replace(
      /\]\(\s*(<[^<>\n]*>|(?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.|\([^\s()]*\))*\))*)/g,
      (_, to) => {
        found.links.push(bare(to));
        return '](';
      },
    );
    left = left.replace(
      /<((?:[a-z][a-z0-9+.-]{1,31}:[^\s<>]*)|(?:[\w.+-]+@[\w-]+(?:\.[\w-]+)+))>/gi,
      (_, to) => {
        found.links.push(to);
        return ' ';
      },
    );
    left = left.replace(/<[a-z][^<>]*>/gi, (tag) => {
      for (const [, , to] of tag.matchAll(/\b(?:href|src)\s*=\s*(["'])(.*?)\1/gi)) found.links.push(to);
      return ' ';
    });
    left = left.replace(/\bhttps?:\/\/[^\s<>"']+/gi, (url) => {
      found.links.push(url.replace(/[)\]}*_~.,;:!?»”’]+$/, ''));
      return ' ';
    });
    if (isHeading)
      left = left.replace(/\{#([\w-]+)\}\s*$/, (_, id) => {
        found.anchors.push(id);
        return '';
      });
    texts.push(left);
  }
  // Uses of labels: what stands in brackets is one only where it is defined.
  for (const text of texts)
    for (const [, shown, label] of text.matchAll(/\[((?:\\.|[^[\]\\])*)\](?:\[((?:\\.|[^[\]\\])*)\])?/g)) {
      const used = label ? label : shown;
      if (used.startsWith('^') || defined.has(labelOf(used))) found.labels.push(`[${labelOf(used)}]`);
    }
  return { ...found, words: texts.join('\n').trim() };
}

/** Code spans and comments: nothing in them is looked at. What is left has a space in their place. */
function takeCode(text, found) {
  let left = '';
  for (let at = 0; at < text.length; ) {
    if (text[at] === '\\') {
      left += text.slice(at, at + 2);
      at += 2;
    } else if (text.startsWith('<!--', at) && text.includes('-->', at)) {
      const end = text.indexOf('-->', at) + 3;
      found.comments.push(text.slice(at, end).replace(/\s+/g, ' '));
      left += ' ';
      at = end;
    } else if (text[at] === '`') {
      const [mark] = /^`+/.exec(text.slice(at));
      const end = closing(text, at + mark.length, mark.length);
      if (end < 0) {
        left += mark;
        at += mark.length;
      } else {
        found.code.push(spanText(text.slice(at + mark.length, end)));
        left += ' ';
        at = end + mark.length;
      }
    } else {
      left += text[at];
      at += 1;
    }
  }
  return left;
}

function closing(text, from, length) {
  for (const { 0: mark, index } of text.slice(from).matchAll(/`+/g))
    if (mark.length === length) return from + index;
  return -1;
}

function spanText(text) {
  const line = text.replace(/\n/g, ' ');
  return /^ .*[^ ].* $|^ [^ ] $/.test(line) ? line.slice(1, -1) : line;
}

function bare(to) {
  return to.replace(/^<(.*)>$/, '$1');
}

function labelOf(label) {
  return label.trim().replace(/\s+/g, ' ').toLowerCase();
}
