import { expect, test } from 'vitest';
import { answerAsJson } from '../../../src/agents/cli/answer.ts';

const pretty = '{\n  "a": 1\n}';
const cases: readonly [string, string, string | undefined][] = [
  ['bare', '{"a":1}', pretty],
  ['with words around it', 'Here it is:\n{"a":1}\nThat is all.', pretty],
  ['in a fence', 'Sure!\n```json\n{"a":1}\n```\n', pretty],
  ['the last of two fences', '```json\n{"b":2}\n```\nor rather\n```json\n{"a":1}\n```', pretty],
  ['in a fence with ends of lines of Windows', 'Sure!\r\n```json\r\n{"a":1}\r\n```\r\n', pretty],
  ['in a fence between two that are none', '```\nno\n```\n```json\n{"a":1}\n```\n```\n{"a":', pretty],
  ['a list', '[1]', '[\n  1\n]'],
  ['a text', '"yes"', '"yes"'],
  ['a number', '42', '42'],
  ['no JSON', 'I could not do it.', undefined],
  ['torn', '{"a":', undefined],
  ['nothing', '', undefined],
];
test.each(cases)('an answer that is JSON: %s', (_, text, expected) => {
  expect(answerAsJson({ text })).toBe(expected);
});

test('what the CLI gives apart comes first', () => {
  expect(answerAsJson({ text: 'done', structured: { a: 1 } })).toBe(pretty);
  expect(answerAsJson({ text: '{"a":1}', structured: null })).toBe('null');
});

test('thousands of fences that nothing closes cost no time', () => {
  const text = `x\n${'```a\n'.repeat(200_000)}`;
  const startedAt = performance.now();
  expect(answerAsJson({ text })).toBeUndefined();
  // Quadratic it took minutes.
  expect(performance.now() - startedAt).toBeLessThan(60_000);
});
