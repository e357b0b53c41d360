/** What of a JSON Schema Claude Code is handed. */
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { draft7Schema } from '../../../../src/agents/cli/claude/draft7-schema.ts';
import { verdictSchema } from '../../../../src/reviews/verdict-schema.ts';

const object = (more: object): object => ({ type: 'object', ...more });

describe('in the form that it takes', () => {
  test.each<[string, object, object | undefined]>([
    [
      'a later draft is not named',
      object({ $schema: 'https://json-schema.org/draft/2020-12/schema', $id: 'https://x.test/a' }),
      object({}),
    ],
    [
      'keywords of later drafts, and of others, go',
      object({
        properties: { a: { type: 'array', prefixItems: [{}], items: false }, nullable: { nullable: true } },
        dependentRequired: { a: ['b'] },
        unevaluatedProperties: false,
        'x-note': 1,
      }),
      object({ properties: { a: { type: 'array' }, nullable: {} } }),
    ],
    [
      'conditions go, what is combined stays',
      object({ if: { required: ['a'] }, else: { required: ['b'] }, anyOf: [{ required: ['a'] }, true] }),
      object({ anyOf: [{ required: ['a'] }, true] }),
    ],
    [
      'references within it stay',
      object({ $defs: { x: { type: 'string' } }, properties: { a: { $ref: '#/$defs/x' } } }),
      object({ $defs: { x: { type: 'string' } }, properties: { a: { $ref: '#/$defs/x' } } }),
    ],
    [
      'data is no schema',
      object({ const: { if: 1 }, enum: [{ $schema: 2 }] }),
      object({ const: { if: 1 }, enum: [{ $schema: 2 }] }),
    ],
    ['a list cannot be the input of a tool', { type: 'array', items: {} }, undefined],
    ['anchors could lead to what went', object({ properties: { a: { $anchor: 'a' } } }), undefined],
    [
      'names that two of its keywords mean',
      object({ properties: { a: {} }, patternProperties: { a: {} }, additionalProperties: false }),
      undefined,
    ],
  ])('%s', (_, schema, expected) => {
    expect(draft7Schema(schema)).toEqual(expected);
  });
});

test('the form of a verdict is compiled by draft 07 in strict mode', () => {
  const schema = draft7Schema(verdictSchema) as object;
  const check = new Ajv({ strict: true, allowUnionTypes: true }).compile(schema);
  expect(check({ verdict: 'approved', summary: '', findings: [] })).toBe(true);
  expect(check({ verdict: 'perhaps', summary: '', findings: [] })).toBe(false);
});

test.each([[true], [null], ['text'], [[]]])('%j is no schema of an object', (schema) => {
  expect(draft7Schema(schema)).toBeUndefined();
});
