/** What is given to the inputs of a workflow: what it becomes, or what is said. */
import { expect, test } from 'vitest';
import { convertInput } from '../../src/config/check-input.ts';
import type { WorkflowInput } from '../../src/config/workflow.ts';

const input = (type: WorkflowInput['type'], options?: readonly string[]): WorkflowInput => ({
  name: 'x',
  type,
  required: false,
  ...(options && { options }),
});

test.each<[WorkflowInput['type'], unknown, unknown]>([
  ['string', '5', '5'],
  ['string', '', ''],
  ['number', 5, 5],
  ['number', '-1.5e3', -1500],
  ['number', ' 7 ', 7],
  ['boolean', true, true],
  ['boolean', 'false', false],
  ['json', '{"a":[1]}', { a: [1] }],
  ['json', [1], [1]],
  ['json', null, null],
])('%s takes %j', (type, given, value) => {
  expect(convertInput(input(type), given)).toEqual({ value });
});

test.each<[WorkflowInput['type'], unknown, RegExp, RegExp]>([
  ['string', 5, /must be text, found 5/, /x: "5"/],
  ['string', null, /found null/, /""/],
  ['number', 'five', /must be a number, found "five"/, /x: 10/],
  ['number', '', /found ""/, /x: 10/],
  ['number', '0x10', /number/, /x: 10/],
  ['number', 'Infinity', /number/, /x: 10/],
  ['number', '1e999', /number/, /x: 10/],
  ['number', Number.NaN, /number/, /x: 10/],
  ['boolean', 'yes', /true or false/, /x: true/],
  ['boolean', 1, /found 1/, /x: true/],
  ['json', '{a}', /must be JSON/, /quotes/],
])('%s refuses %j', (type, given, problem, fix) => {
  expect(convertInput(input(type), given)).toEqual({
    problem: expect.stringMatching(problem),
    fix: expect.stringMatching(fix),
  });
});

test('a choice is one of its options, and a long value is not repeated whole', () => {
  const choice = input('choice', ['fast', 'thorough']);
  expect(convertInput(choice, 'fast')).toEqual({ value: 'fast' });
  const refused = convertInput(choice, 'x'.repeat(1_000));
  expect(refused).toMatchObject({ problem: expect.stringContaining('one of fast, thorough') });
  expect(JSON.stringify(refused).length).toBeLessThan(300);
});
