/** Keys of the whole design whose feature is not there: refused by name and place, never accepted and ignored. */
import { expect, test } from 'vitest';
import { brief, errorsOf } from './project.ts';

const topLevel = ['reviews: { reviewers: 2 }', 'server: { listen: 127.0.0.1:1 }'];
const ofAgents = [
  'model: m',
  'effort: high',
  'max_turns: 3',
  'tools: [a]',
  'permissions: { ceiling: read }',
  'on_quota: wait',
];

test.each(topLevel)('%s', async (line) => {
  expect((await errorsOf(`version: 1\n${line}\n`)).map(brief)).toEqual(['2:1 NOT_SUPPORTED_YET']);
});

test.each(ofAgents)('agent: %s', async (line) => {
  const errors = await errorsOf(`agents:\n  a:\n    kind: builtin\n    ${line}\n`);
  expect(errors.map(brief)).toEqual(['4:5 NOT_SUPPORTED_YET']);
  expect(errors[0]?.message).toContain(line.split(':')[0]);
});

test.each(['claude', 'codex', 'gemini'])('kind: %s', async (kind) => {
  const errors = await errorsOf(
    `agents:\n  a:\n    kind: ${kind}\nrouting_rules:\n  - { pattern: "**", agent: a, prompt: hi }\n`,
  );
  expect(errors.map(brief)).toEqual(['3:11 NOT_SUPPORTED_YET']);
});

test.each([
  ['on: [added, removed]', '4:17 NOT_SUPPORTED_YET'],
  ['on: [removed]', '4:10 NOT_SUPPORTED_YET'],
])('root: %s', async (line, at) => {
  expect((await errorsOf(`version: 1\nwatch:\n  - path: ./inbox\n    ${line}\n`)).map(brief)).toEqual([at]);
});
