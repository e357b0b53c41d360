import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withoutSkills } from '../../../../src/agents/cli/codex/skills.ts';
import { strictSchema } from '../../../../src/agents/cli/codex/strict-schema.ts';
import { tomlTable, tomlText } from '../../../../src/agents/cli/codex/toml.ts';

describe('skills that a prompt names', () => {
  test.each([
    ['Use $deploy now.', ['name deploy']],
    ['$a-b_c:D9, twice $a-b_c:D9', ['name a-b_c:D9']],
    ['[$x](/w/.agents/skills/s/SKILL.md)', ['name x', 'path /w/.agents/skills/s/SKILL.md']],
    ['[$x] ( skill:///w/s/SKILL.md )', ['name x', 'path /w/s/SKILL.md']],
    ['[$x](skill://relative/SKILL.md)', ['name x']],
    ['${HOME} costs 5$ or $ 5, a $', []],
    ['[$a](/$b/SKILL.md', ['name a', 'name b']],
    ['$a](/$b)', ['name a', 'path /$b', 'name b']],
    ['plain', []],
  ])('%s', (prompt, named) => {
    const { prompt: same, config } = withoutSkills(prompt);
    expect(same).toBe(prompt);
    const rules = named.map((rule) => {
      const [key = '', value = ''] = rule.split(' ');
      return tomlTable({ [key]: value, enabled: false });
    });
    expect(config).toBe(rules.length > 0 ? `[${rules.join(',')}]` : undefined);
  });

  test('fit into one argument; the rest are names no more', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `$n${i.toString(36)}`);
    const { prompt, config = '' } = withoutSkills(names.join(' '));
    expect(Buffer.byteLength(config)).toBeLessThan(120_000);
    const left = [...prompt.matchAll(/\$([A-Za-z0-9_:-]+)/g)].map(([, name]) => name);
    expect(left.length).toBeGreaterThan(1_000);
    for (const name of left) expect(config).toContain(`"name"="${name}"`);
    expect(prompt.replaceAll('\u200b', '')).toBe(names.join(' '));
  });

  test('whatever the prompt is: each name in it is off', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('$', '$a', '](', ')', '[$b](/', 'SKILL.md)', '\n'),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const { prompt, config = '' } = withoutSkills(parts.join(''));
        expect(prompt).toBe(parts.join(''));
        for (const [, name] of prompt.matchAll(/\$([A-Za-z0-9_:-]+)/g))
          expect(config).toContain(`"name"="${name}"`);
      }),
      { numRuns: 60 },
    );
  });

  test('much text takes no long time', () => {
    const text = '[$a](/'.repeat(20_000);
    const from = process.cpuUsage();
    withoutSkills(text);
    const { user } = process.cpuUsage(from);
    expect(user / 1e6).toBeLessThan(5);
  });
});

describe('TOML', () => {
  test.each([
    ['plain', '"plain"'],
    ['a "b" \\ c\n', '"a \\"b\\" \\\\ c\\n"'],
    ['\u007f\u0001', '"\\u007f\\u0001"'],
    ['\ud800', '"\ufffd"'],
  ])('%j', (text, toml) => {
    expect(tomlText(text)).toBe(toml);
  });
});

describe('a schema in the form that the service takes', () => {
  test.each([
    [
      'annotations and bounds it does not know go',
      {
        $schema: 'x',
        title: 't',
        type: 'object',
        properties: { a: { type: 'string', format: 'uri', maxLength: 3, default: '' } },
      },
      { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false },
    ],
    [
      'what is nested too',
      {
        properties: {
          list: { type: 'array', minItems: 1, items: { properties: { n: { type: ['integer', 'null'] } } } },
        },
        additionalProperties: true,
      },
      {
        type: 'object',
        properties: {
          list: {
            type: 'array',
            minItems: 1,
            items: {
              type: 'object',
              properties: { n: { type: ['integer', 'null'] } },
              required: ['n'],
              additionalProperties: false,
            },
          },
        },
        required: ['list'],
        additionalProperties: false,
      },
    ],
    [
      'one of becomes any of',
      { type: 'object', properties: { v: { oneOf: [{ const: 1 }, { enum: ['a'] }] } } },
      {
        type: 'object',
        properties: { v: { anyOf: [{ const: 1 }, { enum: ['a'] }] } },
        required: ['v'],
        additionalProperties: false,
      },
    ],
    [
      'definitions',
      { type: 'object', properties: { v: { $ref: '#/$defs/x' } }, $defs: { x: { type: 'string' } } },
      {
        $defs: { x: { type: 'string' } },
        type: 'object',
        properties: { v: { $ref: '#/$defs/x' } },
        required: ['v'],
        additionalProperties: false,
      },
    ],
  ])('%s', (_, schema, strict) => {
    expect(strictSchema(schema)).toEqual(strict);
  });

  test.each([
    ['no object', { type: 'array', items: { type: 'string' } }],
    ['a choice at the top', { anyOf: [{ type: 'object', properties: { a: { type: 'string' } } }] }],
    ['any field', { type: 'object', additionalProperties: { type: 'string' } }],
    ['no fields named', { type: 'object', properties: { o: { type: 'object' } } }],
    ['anything', { type: 'object', properties: { a: {} } }],
    ['all of', { type: 'object', properties: { a: { allOf: [{ type: 'string' }] } } }],
    ['conditions', { type: 'object', properties: { a: { type: 'string' } }, if: {}, else: {} }],
    ['a boolean', true],
    ['nothing', undefined],
  ])('cannot be said: %s', (_, schema) => {
    expect(strictSchema(schema)).toBeUndefined();
  });

  test('what refers to itself without end is left alone', () => {
    const schema: Record<string, unknown> = { type: 'object', properties: {} };
    schema.properties = { a: schema };
    expect(strictSchema(schema)).toBeUndefined();
  });
});
