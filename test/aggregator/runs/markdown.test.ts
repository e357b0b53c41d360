import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { expect, test } from 'vitest';
import { escapeMarkdown, runMarkdown } from '../../../src/aggregator/runs/markdown.ts';
import { escapeMermaid, mermaidOf } from '../../../src/aggregator/runs/mermaid.ts';
import { runReport } from '../../../src/aggregator/runs/model.ts';
import { hostileNames } from './hostile.ts';
import { fanOut, fullRun, grid, runFacts } from './samples.ts';

const markdown = new MarkdownIt({ html: true, linkify: true });

test('a report in Markdown tells what became of the run', () => {
  const text = runMarkdown(runReport(fullRun(), '/out'));
  const parts = [
    '# Code Quality Pipeline failed',
    'analyze\\_code failed (files failed).',
    '```mermaid\nflowchart LR',
    '✕ unit-tests<br>failed · 23s',
    '| [lint](<steps/lint/>) | succeeded |',
    'sluice workflow resume 20261120-103107-3fa2c1',
    'publish?: approved by **boris**',
    'deploy docs: its condition was not met: `inputs.deploy == true`',
    '## analyze\\_code: 30 files',
    '](<../../../files/inbox/src/parser/file-0.ts/>)',
    'AssertionError: expected 41:12, got 41:13',
  ];
  expect(parts.filter((part) => !text.includes(part))).toEqual([]);
});

test('names stay names in Markdown', () => {
  const facts = runFacts(
    hostileNames.map((name, i) => ({
      name,
      state: (['succeeded', 'failed', 'skipped'] as const)[i % 3] ?? 'failed',
      record: { message: name, fix: name, reason: 'condition', result: name },
      config: { if: name },
      at: [i, i + 1] as const,
    })),
    {
      workflow: hostileNames[5],
      state: 'failed',
      inputs: Object.fromEntries(hostileNames.map((name) => [name, name])),
      warnings: [...hostileNames],
    },
  );
  const tokens = markdown.parse(runMarkdown(runReport(facts, '/out')), {});
  const inline = tokens.flatMap(({ children }) => children ?? []);
  expect(tokens.filter(({ type }) => type === 'html_block')).toEqual([]);
  expect(inline.filter(({ type }) => ['html_inline', 'image'].includes(type))).toEqual([]);
  const links = inline.filter(({ type }) => type === 'link_open').map((token) => token.attrGet('href') ?? '');
  for (const link of links) expect(link).toMatch(/^(report\.(html|json)|steps\/)/);
  // Headings are ours: none came out of a name or a result.
  expect(
    tokens
      .filter(({ type }) => type === 'heading_open')
      .map(({ tag }) => tag)
      .filter((tag) => tag === 'h1'),
  ).toHaveLength(1);
});

test('a line of Markdown reads as the text did', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      const [paragraph] = markdown.parse(`x ${escapeMarkdown(text)} y`, {});
      const inline = markdown.parseInline(`x ${escapeMarkdown(text)} y`, {})[0]?.children ?? [];
      expect(paragraph?.type).toBe('paragraph_open');
      expect(
        inline.every(({ type }) => ['text', 'text_special', 'softbreak', 'hardbreak'].includes(type)),
      ).toBe(true);
    }),
  );
});

test('names stay names in Mermaid', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (name) => {
      expect(escapeMermaid(name)).toMatch(/^([\p{L}\p{M}\p{N} .,_…·–-]|#\d+;)*$/u);
    }),
  );
  const facts = runFacts(
    hostileNames.map((name) => ({ name, state: 'succeeded' as const, at: [0, 1] as const })),
  );
  const lines = mermaidOf(runReport(facts, '/out')).split('\n');
  for (const line of lines.slice(1))
    expect(line).toMatch(/^ {2}(n\d+\["[^"]*"\]:::\w+|n\d+ (-->|-\.->) n\d+|classDef .*)$/);
});

test('large graphs give diagrams that can be drawn', () => {
  expect(mermaidOf(runReport(fanOut(1000), '/out')).split('\n').length).toBeLessThan(20);
  const lines = mermaidOf(runReport(grid(40, 40), '/out')).split('\n');
  expect(lines.length).toBeLessThan(500);
  expect(lines.join('\n')).toContain('more"]');
});
