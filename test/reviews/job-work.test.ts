/** Whose work can show in the tree itself, so that reviewers are shown what differs there. */
import { expect, test } from 'vitest';
import { mayChangeTree } from '../../src/reviews/job-work.ts';
import type { StepTask } from '../../src/types/step-task.ts';
import { agent } from './agents.ts';

const off = { mode: 'off', write: [] };
const confined = { mode: 'required', write: [] };
const writes = { mode: 'required', write: ['project'] };
const cli = (ceiling: string) => ({ cli: { permissions: { ceiling } } });
const step = (kind: string, sandbox: object) => ({ work: { kind, sandbox } }) as unknown as StepTask;

test.each([
  ['a command that is not confined', { kind: 'command', sandbox: off }, undefined, true],
  ['one that may write nowhere', { kind: 'command', sandbox: confined }, undefined, false],
  ['one that may', { kind: 'command', sandbox: writes }, undefined, true],
  ['an agent CLI that only looks', { kind: 'claude', sandbox: off, ...cli('read') }, undefined, false],
  ['one that may edit', { kind: 'claude', sandbox: writes, ...cli('edit') }, undefined, true],
  ['one that may, and is confined', { kind: 'claude', sandbox: confined, ...cli('edit') }, undefined, false],
  ['an endpoint', { kind: 'http', sandbox: off }, undefined, false],
  ['a command of a step', { kind: 'command', sandbox: off }, step('command', confined), false],
  ['one that may write', { kind: 'command', sandbox: confined }, step('command', writes), true],
  ['a step of an agent', { kind: 'claude', sandbox: writes, ...cli('edit') }, step('agent', off), true],
] as const)('%s: %o', (_what, facts, task, may) => {
  expect(mayChangeTree(agent('a', facts), task)).toBe(may);
});
