/** Keys of the whole design whose feature is not there: refused by name and place, never accepted and ignored. */
import { expect, test } from 'vitest';
import { brief, errorsOf } from './project.ts';

const topLevel = [
  'workflows: [a.yaml]',
  'schedules: []',
  'reviews: { reviewers: 2 }',
  'alerts: []',
  'server: { listen: 127.0.0.1:1 }',
];
const ofRules = ['workflow: x', 'batch: { max_files: 20 }', 'budget: { usd_per_day: 5 }'];
const ofAgents = [
  'type: reviewer',
  'capabilities: [code_review]',
  'model: m',
  'effort: high',
  'max_turns: 3',
  'tools: [a]',
  'permissions: { ceiling: read }',
  'priority: 10',
  'fallback: [b]',
  'on_quota: wait',
  'circuit_breaker: { minimum: 10 }',
  'budget: { usd_per_run: 1 }',
  'rate: 30/min',
  'workspace: copy',
];

test.each(topLevel)('%s', async (line) => {
  expect((await errorsOf(`version: 1\n${line}\n`)).map(brief)).toEqual(['2:1 NOT_SUPPORTED_YET']);
});

test.each(ofRules)('rule: %s', async (line) => {
  const errors = await errorsOf(
    `agents: { a: { kind: builtin } }\nrouting_rules:\n  - pattern: "**"\n    ${line}\n${line.startsWith('workflow') ? '' : '    agent: a\n'}`,
  );
  expect(errors.map(brief)).toEqual(['4:5 NOT_SUPPORTED_YET']);
});

test.each(ofAgents)('agent: %s', async (line) => {
  const errors = await errorsOf(`agents:\n  a:\n    kind: builtin\n    ${line}\n`);
  expect(errors.map(brief)).toEqual(['4:5 NOT_SUPPORTED_YET']);
  expect(errors[0]?.message).toContain(line.split(':')[0]);
});

test.each(['cpu: 50%', 'memory: 2GiB', 'runtime: 1h'])('limits: %s', async (line) => {
  expect(
    (await errorsOf(`agents:\n  a:\n    kind: builtin\n    limits:\n      ${line}\n`)).map(brief),
  ).toEqual(['5:7 NOT_SUPPORTED_YET']);
});

test.each(['claude', 'codex', 'gemini'])('kind: %s', async (kind) => {
  const errors = await errorsOf(
    `agents:\n  a:\n    kind: ${kind}\nrouting_rules:\n  - { pattern: "**", agent: a, prompt: hi }\n`,
  );
  expect(errors.map(brief)).toEqual(['3:11 NOT_SUPPORTED_YET']);
});

test.each([
  ['{ mode: required }', '4:22'],
  ['{ mode: auto }', '4:22'],
  ['{ network: none }', '4:16'],
  ['{ write: [workspace], mode: off, reason: r }', '4:16'],
])('sandbox: %s', async (sandbox, at) => {
  const errors = await errorsOf(
    `agents:\n  a:\n    command: ["true"]\n    sandbox: ${sandbox}\n    kind: command\n`,
  );
  expect(new Set(errors.map((error) => error.code))).toEqual(new Set(['NOT_SUPPORTED_YET']));
  expect(errors.map((error) => `${error.line}:${error.column}`)).toContain(at);
});

test('daemon.max_depth', async () => {
  expect((await errorsOf('daemon:\n  max_depth: 5\n')).map(brief)).toEqual(['2:3 NOT_SUPPORTED_YET']);
});

test.each([
  ['on: [added, removed]', '4:17 NOT_SUPPORTED_YET'],
  ['on: [removed]', '4:10 NOT_SUPPORTED_YET'],
])('root: %s', async (line, at) => {
  expect((await errorsOf(`version: 1\nwatch:\n  - path: ./inbox\n    ${line}\n`)).map(brief)).toEqual([at]);
});
