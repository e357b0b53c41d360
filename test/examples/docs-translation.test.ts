/** The scripts that say whether a translation still is the same page, and whether it may be written. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { describe, expect, onTestFinished, test } from 'vitest';
import { examples } from './example.ts';

const folder = join(examples, 'docs-translation');
const scripts = join(folder, 'workflows/docs-translation');
const { compare, unwrap } = (await import(join(scripts, 'check.mjs'))) as {
  compare(original: string, translation: string): readonly string[];
  unwrap(text: string, original: string): string;
};
const { readBlocks, readInline, definedLabels } = (await import(join(scripts, 'markdown.mjs'))) as {
  readBlocks(text: string): {
    readonly blocks: readonly { readonly info: string; readonly text: string }[];
    readonly headings: readonly { readonly level: number }[];
    readonly prose: readonly unknown[];
  };
  readInline(prose: readonly unknown[], defined: unknown): { readonly code: readonly string[] };
  definedLabels(prose: readonly unknown[]): unknown;
};
type Decision = { readonly kind: 'write'; readonly text: string } | { readonly kind: 'keep' | 'refuse' };
const { decide } = (await import(join(scripts, 'publish.mjs'))) as {
  decide(
    there: string | undefined,
    o: { readonly page: string; readonly original: string; readonly translation: string },
  ): Decision;
};

const sample = readFileSync(join(folder, 'docs/index.md'), 'utf8');

describe('what a translation may be', () => {
  test.each<readonly [name: string, original: string, translation: string]>([
    ['words', 'See it here.', 'Sieh es hier.'],
    ['words change places', 'Run `a`, then `b`.', 'Vor `b` kommt `a`.'],
    ['the text of a link', 'See [here](a.md "Title").', 'Siehe [hier](a.md "Titel").'],
    ['a label that was the text', '[Docs] help.\n\n[docs]: /d', '[Anleitungen][Docs] helfen.\n\n[docs]: /d'],
    ['a collapsed one', '[Docs][] help.\n\n[docs]: /d', '[Anleitungen][docs] helfen.\n\n[docs]: /d'],
    ['an alternative text', '![A cat](c.png)', '![Eine Katze](c.png)'],
    ['a heading, with its id', '# Start {#s}\n\nText', '# Anfang {#s}\n\nText'],
    ['the other form of heading', 'Start\n=====', '# Anfang'],
    ['values of the front matter', '---\ntitle: Hi\n---\ntext', '---\ntitle: Hallo\n---\nText'],
    ['a table', '| a | b |\n| - | - |\n| `x` | one |', '| A | B |\n| - | - |\n| `x` | eins |'],
    ['line breaks', 'one `a b`\ntwo', 'eins `a\nb` zwei'],
    ['line ends of Windows', '# A\r\n\r\n```\r\nx\r\n```\r\n', '# B\n\n```\nx\n```\n'],
    ['a quotation around code', '> Run:\n>\n> ```\n> x\n> ```', '> Tu das:\n>\n> ```\n> x\n> ```'],
    ['brackets that are no link', 'An array `[]` or [x].', 'Ein Feld `[]` oder [y].'],
    ['a footnote', 'Text.[^1]\n\n[^1]: See `a`.', 'Text.[^1]\n\n[^1]: Siehe `a`.'],
    ['nothing', '', ''],
  ])('%s', (_, original, translation) => {
    expect(compare(original, translation)).toEqual([]);
  });
});

describe('what it must not be', () => {
  test.each<readonly [name: string, original: string, translation: string, said: RegExp]>([
    [
      'code was translated',
      '```sh\n# install\nnpm i\n```',
      '```sh\n# einrichten\nnpm i\n```',
      /line 1: code block 1: its line 1 is "# einrichten", in the original "# install"/,
    ],
    ['a line of code is gone', '```\na\nb\n```', '```\na\n```', /line 2 is not there, in the original "b"/],
    ['white space in code', '```\n  a\n```', '```\na\n```', /code block 1/],
    [
      'the language of a block',
      '```js\na\n```',
      '```javascript\na\n```',
      /says "javascript", the original "js"/,
    ],
    ['a block less', '```\na\n```\n\n```\nb\n```', '```\na\n```', /1 code blocks, the original has 2/],
    ['indented code', 'Say:\n\n    npm i\n', 'Sag:\n\n    npm install\n', /"npm install"/],
    ['code in a list', '1. Do:\n\n   ```\n   a\n   ```', '1. Tu:\n\n   ```\n   b\n   ```', /"b"/],
    ['code in a quotation', '> ```\n> a\n> ```', '> ```\n> b\n> ```', /"b"/],
    [
      'inline code',
      'Use `--force`.',
      'Nimm `--erzwingen`.',
      /inline code "--force" is missing[\s\S]*"--erzwingen" is not in the original/,
    ],
    ['backticks are gone', 'Use `it`.', 'Nimm it.', /inline code "it" is missing/],
    [
      'where a link leads',
      '[a](https://x.org/en/a)',
      '[a](https://x.org/de/a)',
      /link "https:\/\/x.org\/en\/a" is missing/,
    ],
    ['where a picture is', '![a](img/a.png)', '![a](img/ä.png)', /"img\/a.png" is missing/],
    ['where into a page', '[a](#start)', '[a](#anfang)', /"#start" is missing/],
    ['a link is gone', '[a](b.md) and [c](d.md)', '[a](b.md) und c', /"d.md" is missing/],
    ['a link more', 'a', '[a](https://evil.example)', /"https:\/\/evil.example" is not in the original/],
    [
      'an address in the text',
      'See https://x.org/a.',
      'Siehe https://x.org/b.',
      /"https:\/\/x.org\/a" is missing/,
    ],
    ['an address in angles', '<https://x.org>', '<https://x.de>', /"https:\/\/x.org" is missing/],
    ['an address of mail', '<a@x.org>', '<b@x.org>', /"a@x.org" is missing/],
    ['parentheses in a link', '[a](x_(y))', '[a](x_(z))', /"x_\(y\)" is missing/],
    ['an attribute', '<a href="x">a</a>', '<a href="y">a</a>', /"x" is missing/],
    ['where a label leads', '[a][b]\n\n[b]: /x', '[a][b]\n\n[b]: /y', /"\/x" is missing/],
    [
      'a label was translated',
      '[Docs] help.\n\n[docs]: /d',
      '[Anleitungen] helfen.\n\n[docs]: /d',
      /label "\[docs\]" is missing/,
    ],
    [
      'its definition, too',
      '[Docs] help.\n\n[docs]: /d',
      '[Hilfe] hilft.\n\n[Hilfe]: /d',
      /label "\[docs\]:" is missing/,
    ],
    [
      'links of two sections',
      '# A\n\n[x](a)\n\n# B\n\n[x](b)',
      '# A\n\n[x](b)\n\n# B\n\n[x](a)',
      /link "a" is missing in the section of line 1/,
    ],
    ['a heading less', '# A\n\n## B', '# A', /1 headings, the original has 2: something was left out/],
    [
      'the level of a heading',
      '# A\n\n## B',
      '# A\n\n### B',
      /line 3: the heading for "B" is of level 3, in the original of level 2/,
    ],
    ['the id of a heading', '# A {#a}', '# B {#b}', /heading id "a" is missing/],
    ['a comment', 'a\n\n<!-- toc -->', 'a\n\n<!-- Inhalt -->', /comment "<!-- toc -->" is missing/],
    [
      'a key of the front matter',
      '---\ntitle: A\n---\n',
      '---\nTitel: A\n---\n',
      /key of the front matter "title" is missing/,
    ],
    ['a footnote', 'A.[^1]\n\n[^1]: B', 'A.[^2]\n\n[^2]: B', /label/],
    ['nothing was translated', sample, sample, /nothing was translated/],
    ['most of the text is gone', `${'many words '.repeat(50)}`, 'wenig', /much shorter/],
    ['nothing at all', sample, '', /0 headings/],
  ])('%s', (_, original, translation, said) => {
    expect(compare(original, translation).join('\n')).toMatch(said);
  });

  test('whatever is changed in code or in a link is found', () => {
    const word = fc.stringMatching(/^[a-z0-9_./#-]{1,12}$/);
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 5 }),
        word,
        word,
        fc.nat(),
        word,
        fc.constantFrom('block', 'span', 'link'),
        (lines, span, to, at, other, what) => {
          const page = (code: readonly string[], inline: string, link: string): string =>
            `# T\n\ntext \`${inline}\` [x](${link})\n\n- item\n\n  ~~~\n${code.map((line) => `  ${line}`).join('\n')}\n  ~~~\n`;
          const code = lines.with(at % lines.length, other);
          const changed = {
            block: page(code, span, to),
            span: page(lines, other, to),
            link: page(lines, span, other),
          };
          const original = page(lines, span, to);
          expect(compare(original, original)).toEqual([]);
          expect(compare(original, changed[what]).length > 0).toBe(changed[what] !== original);
        },
      ),
    );
  });
});

test('pages of real projects are read as a parser of CommonMark reads them', () => {
  const parser = new MarkdownIt('commonmark').enable('table');
  const root = join(examples, '..');
  const files = [
    'README.md',
    'ARCHITECTURE.md',
    'docs/**/*.md',
    'examples/*/*.md',
    'examples/docs-translation/docs/**/*.md',
    'node_modules/{chokidar,execa,fastify,picomatch,vitest,yaml,croner,markdown-it,p-queue,tar}/*.md',
  ].flatMap((pattern) => globSync(pattern, { cwd: root }));
  expect(files.length).toBeGreaterThan(30);
  let spans = 0;
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8').replaceAll('\r\n', '\n');
    const tokens = parser.parse(text.replace(/^---\n[\s\S]*?\n---\n/, ''), {});
    const blocks = tokens.filter(({ type }) => type === 'fence' || type === 'code_block');
    const page = readBlocks(text);
    expect(
      page.blocks.map(({ info, text: code }) => [info, code.trimEnd()]),
      file,
    ).toEqual(blocks.map(({ info, content }) => [info.trim(), content.trimEnd()]));
    const levels = tokens.filter(({ type }) => type === 'heading_open').map(({ tag }) => Number(tag[1]));
    expect(
      page.headings.map(({ level }) => level),
      file,
    ).toEqual(levels);
    const code = tokens
      .flatMap(({ children }) => children ?? [])
      .filter(({ type }) => type === 'code_inline')
      .map(({ content }) => content);
    // In tables the parser takes the backslash before a bar away.
    const inline = readInline(page.prose, definedLabels(page.prose)).code;
    expect(
      inline.map((one) => one.replaceAll('\\|', '|')),
      file,
    ).toEqual(code.map((one) => one.replaceAll('\\|', '|')));
    spans += code.length;
  }
  expect(spans).toBeGreaterThan(1_000);
});

test('a fence around the whole answer is taken off, and no other', () => {
  expect(unwrap('```markdown\n# A\n\n```sh\nx\n```\n```\n', '# A')).toBe('# A\n\n```sh\nx\n```\n');
  expect(unwrap('# A\n\n```sh\nx\n```\n', '# A')).toBe('# A\n\n```sh\nx\n```\n');
  expect(unwrap('```sh\nx\n```\n', '```sh\nx\n```\n')).toBe('```sh\nx\n```\n');
});

describe('as a program', () => {
  function run(args: readonly string[]): {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  } {
    const { status, stdout, stderr } = spawnSync('node', [join(scripts, 'check.mjs'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, SLUICE_OUTPUT_DIR: temp },
    });
    return { code: status, stdout, stderr };
  }
  let temp = '';
  const put = (name: string, text: string | Buffer): string => {
    const file = join(temp, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };

  test('a difference is a result, and with --strict a failure; what cannot be read is neither', () => {
    temp = mkdtempSync(join(tmpdir(), 'sluice-check-'));
    onTestFinished(() => rmSync(temp, { recursive: true, force: true }));
    const original = put('-a b.md', 'Use `x`.\n');
    const good = put('good.md', '\n```md\nNimm `x`.\n```\n');
    const bad = put('bad.md', 'Nimm `y`.\n');
    expect(run([original, good])).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(run([original, good]).stdout)).toEqual({ ok: true, differences: [] });
    expect(readFileSync(join(temp, 'page.md'), 'utf8')).toBe('Nimm `x`.\n');
    expect(run(['--strict', original, good]).code).toBe(0);
    const found = run([original, bad]);
    expect([found.code, JSON.parse(found.stdout).ok]).toEqual([0, false]);
    const strict = run(['--strict', original, bad]);
    expect([strict.code, strict.stderr]).toMatchObject([
      1,
      expect.stringContaining('- inline code "x" is missing'),
    ]);
    expect(run([original, join(temp, 'none.md')])).toMatchObject({ code: 2, stdout: '' });
    expect(run([put('latin1.md', Buffer.from('gr\xfcn', 'latin1')), good]).code).toBe(2);
  });
});

test('a page is written, again, and never over what somebody has changed by hand', () => {
  const first = { page: 'a.md', original: 'one', translation: 'eins\n\n' };
  const written = decide(undefined, first);
  if (written.kind !== 'write') throw new Error('it is not written');
  expect(written.text).toMatch(
    /^eins\n\n<!-- translated from a\.md, original [0-9a-f]{16}, text [0-9a-f]{16} -->\n$/,
  );
  const { text } = written;
  expect(decide(text, first)).toEqual({ kind: 'write', text });
  const next = { page: 'a.md', original: 'two', translation: 'zwei' };
  expect(decide(text, next)).toMatchObject({ kind: 'write', text: expect.stringMatching(/^zwei\n/) });
  const byHand = text.replace('eins', 'Eins!');
  expect(decide(byHand, first)).toEqual({ kind: 'keep' });
  expect(decide(byHand, next)).toEqual({ kind: 'refuse' });
  expect(decide('a page of somebody else\n', first)).toEqual({ kind: 'refuse' });
});
