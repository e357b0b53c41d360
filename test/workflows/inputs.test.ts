/** What a run is started with → the typed inputs of its workflow. */
import { expect, test } from 'vitest';
import type { WorkflowInput } from '../../src/config/workflow.ts';
import { resolveInputs } from '../../src/workflows/inputs.ts';
import { newRunId } from '../../src/workflows/run-id.ts';
import { encodeInUrl } from '../../src/workflows/steps/http.ts';

const of = (type: WorkflowInput['type'], facts: Partial<WorkflowInput> = {}) => ({
  name: 'wf',
  inputs: [{ name: 'x', type, required: true, ...facts }],
});
const options = ['dev', 'staging'];

test.each<[WorkflowInput['type'], unknown, unknown]>([
  ['string', 'a', 'a'],
  ['string', '', ''],
  ['string', 5, '5'],
  ['string', false, 'false'],
  ['number', '12.5', 12.5],
  ['number', -3, -3],
  ['number', ' 1e3 ', 1000],
  ['boolean', 'true', true],
  ['boolean', false, false],
  ['choice', 'dev', 'dev'],
  ['json', '[1, {"a": null}]', [1, { a: null }]],
  ['json', { a: 1 }, { a: 1 }],
])('%s: %j gives %j', (type, given, expected) => {
  expect(resolveInputs(of(type, { options }), { x: given })).toEqual({ x: expected });
});

test.each<[WorkflowInput['type'], unknown, string]>([
  ['string', ['a'], 'must be a text, not ["a"]'],
  ['number', 'many', 'must be a number, not "many"'],
  ['number', '', 'must be a number'],
  ['number', 'Infinity', 'must be a number'],
  ['number', true, 'must be a number'],
  ['boolean', 'yes', 'must be true or false, not "yes"'],
  ['boolean', 1, 'must be true or false'],
  ['choice', 'stagin', 'did you mean "staging"?'],
  ['choice', ['dev'], 'must be one of dev, staging'],
  ['json', '{', 'must be JSON'],
  ['string', undefined, 'is required'],
  ['string', null, 'is required'],
])('%s: %j is refused', (type, given, message) => {
  const given_ = given === undefined ? {} : { x: given };
  expect(() => resolveInputs(of(type, { options, description: 'where to' }), given_)).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(message) }),
  );
});

test('defaults, optional ones, and names that there are not', () => {
  expect(resolveInputs(of('number', { default: 3 }), {})).toEqual({ x: 3 });
  expect(resolveInputs(of('number', { default: 3 }), { x: null })).toEqual({ x: 3 });
  expect(resolveInputs(of('json', { required: false }), {})).toEqual({ x: null });
  expect(() => resolveInputs(of('string'), { x: 'a', xx: 'b' })).toThrow(
    expect.objectContaining({ message: '"wf" has no input "xx"', fix: expect.stringContaining('"x"') }),
  );
  expect(() => resolveInputs({ name: 'wf', inputs: [] }, { __proto__x: 1 })).toThrow('has no input');
});

test('ids of runs sort by time and say it', () => {
  const at = Date.UTC(2026, 10, 20, 16, 45, 1);
  expect(newRunId(at, () => 0x3fa2c1 / 0x1000000)).toBe('20261120-164501-3fa2c1');
  expect(newRunId(at, () => 0)).toBe('20261120-164501-000000');
  expect(newRunId(at + 1_000, () => 0) > newRunId(at, () => 0.999999)).toBe(true);
});

test.each<[string, string, string]>([
  ['', 'http://h:1', 'http://h:1'],
  ['http://', 'h:1', 'h:1'],
  ['http://h/', 'a b/../c', 'a%20b%2F..%2Fc'],
  ['http://h?q=', 'a&b=c#d', 'a%26b%3Dc%23d'],
  ['http://h', '/path', '/path'],
  ['http://h/', 'größe ☃\uef80', 'gr%C3%B6%C3%9Fe%20%E2%98%83%80'],
  ['http://h/', '\ud800', '%EF%BF%BD'],
  ['https://h/x/', '${env:TOKEN}', '%24%7Benv%3ATOKEN%7D'],
])('in a URL, behind "%s", "%s" is "%s"', (before, value, expected) => {
  expect(encodeInUrl(value, before)).toBe(expected);
});
