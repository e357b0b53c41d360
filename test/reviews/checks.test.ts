/** What stands in when nobody can review: what is plainly broken is found, what is not is left alone. */
import { expect, test } from 'vitest';
import { SyntaxThread } from '../../src/agents/inspect/kinds/syntax-thread.ts';
import { checkWork } from '../../src/reviews/checks.ts';
import type { ReviewWork } from '../../src/reviews/reviews.ts';
import type { ReviewVerdict } from '../../src/types/review.ts';

const syntax = new SyntaxThread();

function check(facts: Partial<ReviewWork>): Promise<ReviewVerdict> {
  const work = { title: '', task: '', report: 'Done.', diff: '', outputs: [], ...facts };
  return checkWork(work, (...one) => syntax.read(...one), new AbortController().signal);
}

const output = (path: string, text: string) => ({ outputs: [{ path, bytes: text.length, text }] });

test('nothing wrong: approved, and it says that no agent looked at it', async () => {
  const verdict = await check({
    outputs: [
      { path: 'a.json', bytes: 2, text: '{}' },
      { path: 'b.png', bytes: 99 },
    ],
  });
  expect(verdict).toEqual({
    agent: 'inspect',
    weight: 1,
    verdict: 'approved',
    summary:
      'No agent could review this; built-in checks stand in, and no agent looked at it. They found nothing in the report, the changes and 2 outputs.',
    findings: [],
    costUsd: 0,
  });
});

test.each<readonly [string, string, number, string]>([
  ['data/a.json', '{"a": 1,\n "b": }', 2, 'no valid JSON'],
  ['a.jsonl', '{"a":1}\n\n{"a":\n', 3, 'no valid JSON'],
  ['a.yml', 'a: [1\nb: 2\n', 2, 'no valid YAML'],
  ['a.yaml', 'a: 1\nb: 2\na: 3\n', 3, 'stands there twice'],
  ['a.toml', 'a = 1\nb = \n', 2, 'no valid TOML'],
  ['a.csv', 'a,b\n1,2\n3\n', 3, '1 fields instead of 2'],
  ['a.tsv', 'a\tb\n"1\t2\n3\t4\n', 2, 'quote is not closed'],
])('%s that does not parse is a blocker', async (path, text, line, why) => {
  const { verdict, findings } = await check(output(path, text));
  expect(verdict).toBe('blocker');
  expect(findings).toMatchObject([{ severity: 'blocking', place: `${path}:${line}` }]);
  expect(findings[0]?.text).toContain(why);
});

test.each([
  ['a.json', '\ufeff{"a": 1}\n'],
  ['tsconfig.json', '{ // comments are meant here\n}'],
  ['a.yaml', 'a: 1\n---\na: 2\n'],
  ['a.csv', 'a;b\n1;"x\ny"\n'],
  ['a.ts', 'export const a: number = 1;\n'],
  ['notes.md', 'Title\n=======\n<<<<<<<\n'],
  ['data.json.txt', '{"a"'],
])('%s is left alone', async (path, text) => {
  expect(await check(output(path, text))).toMatchObject({ verdict: 'approved', findings: [] });
});

test('code that the parser cannot read is a concern: the grammar may be older than the language', async () => {
  const { verdict, findings } = await check(output('src/a.py', 'def f(:\n  return 1\n'));
  expect(verdict).toBe('concern');
  expect(findings).toMatchObject([{ severity: 'major', place: 'src/a.py:1' }]);
});

test('empty outputs and an empty report are concerns, nothing at all is a blocker', async () => {
  expect(await check({ outputs: [{ path: 'a.txt', bytes: 0, text: '' }] })).toMatchObject({
    verdict: 'concern',
    findings: [{ severity: 'major', text: 'The output is empty.', place: 'a.txt' }],
  });
  expect(await check({ report: ' \n', ...output('a.txt', 'x') })).toMatchObject({ verdict: 'concern' });
  expect(await check({ report: '' })).toMatchObject({ verdict: 'blocker' });
});

test('marks of a merge and keys are found wherever they were added, and keys are not told again', async () => {
  const key = `ghp_${'a1'.repeat(18)}`;
  const merge = '<<<<<<< HEAD\na\n=======\nb\n>>>>>>> theirs\n';
  const diff = `--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n-old = ${key}\n kept = ${key}\n+${merge.trim().replaceAll('\n', '\n+')}\n`;
  const verdict = await check({ report: `It uses ${key}`, diff, ...output('m.txt', merge) });
  expect(verdict.verdict).toBe('blocker');
  expect(verdict.findings.map(({ place, evidence }) => [place, evidence])).toEqual([
    ['m.txt:1', '<<<<<<< … >>>>>>>'],
    ['report:1', 'ghp_a1a1…'],
    ['changes:6', '<<<<<<< … >>>>>>>'],
  ]);
  expect(JSON.stringify(verdict)).not.toContain(key);
});

test('hostile texts are read in bounds', async () => {
  const many = await check({ report: `AKIA${'A'.repeat(16)}\n`.repeat(50_000) });
  expect(many.findings).toHaveLength(20);
  const key = `AKIA${'A'.repeat(16)}\n`;
  const outputs = Array.from({ length: 9 }, (_, n) => ({ path: `${n}.txt`, bytes: 9, text: key.repeat(30) }));
  expect((await check({ outputs })).findings).toHaveLength(50);
  await check(output('a.yaml', `${'['.repeat(30_000)}`));
  await check(output('a.json', '['.repeat(60_000)));
  await check({ report: '-----BEGIN '.repeat(5_000) + 'A '.repeat(50_000) });
});

test('an abort ends it', async () => {
  const work = { title: '', task: '', report: 'x', diff: '', ...output('a.ts', 'let a = 1') };
  await expect(
    checkWork(work, (...one) => syntax.read(...one), AbortSignal.abort(new Error('stop'))),
  ).rejects.toThrow('stop');
});
