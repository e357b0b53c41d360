import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inspect } from '../../src/agents/inspect/inspect.ts';
import { headline, report, tempFolder } from './report.ts';

const page = `---
title: Handbook
---
# Handbook

See [first](guide/first.md), [gone](guide/gone.md#top) and
[up](../other.md), ![map](map%20one.png).

### Skipped a level

[web](https://example.org/x) [mail](mailto:a@example.org) [here](#handbook) [out](../../etc/passwd)
[by name][ref]

\`\`\`
no language
\`\`\`

~~~js
x
~~~

    indented

[ref]: ./dead%2Fname.txt "title"
`;

test('dead relative links, looked up next to the file and never outside the root', async () => {
  const text = await report('docs/page.md', page, {
    'docs/guide/first.md': '',
    'other.md': '',
    'docs/map one.png': '',
  });
  expect(headline(text)).toBe('Markdown, 2 headings, 9 links, 2 dead relative links');
  expect(text).toContain('line 6: `guide/gone.md#top`');
  expect(text).toContain('line 12: `./dead%2Fname.txt`');
  expect(text).toContain(
    '(6 relative, of these 2 dead, 1 not checked because they leave the watched folder)',
  );
  expect(text).not.toContain('passwd');
});

test('outline with lines, code blocks without a language, front matter', async () => {
  const text = await report('docs/page.md', page);
  expect(text).toContain('- `Handbook` (line 4)\n  - `Skipped a level` (line 9)');
  expect(text).toContain('Code blocks without a language: 1 (line 14).');
  expect(text).toContain('Front matter: valid YAML, object with 1 key.');
});

test('broken front matter is found with its place', async () => {
  const text = await report('a.md', '---\ntitle: x\ntags: [a, b\n---\n# A\n');
  expect(headline(text)).toContain('front matter not valid');
  expect(text).toMatch(/Front matter: \*\*not valid\*\*, line [34], column/);
  expect(text).toContain('`A` (line 5)');
});

test('a link through a symbolic link says nothing about what is behind it', async () => {
  const root = await tempFolder();
  const outside = await tempFolder();
  await symlink(outside, join(root, 'out'));
  await writeFile(join(root, 'a.md'), '[a](out/secret.txt)\n');
  const look = () =>
    inspect({ path: join(root, 'a.md'), rel: 'a.md', bytes: 20 }, new AbortController().signal);
  const before = await look();
  await writeFile(join(outside, 'secret.txt'), '');
  expect(await look()).toBe(before);
  expect(before).toContain('1 not checked');
});
