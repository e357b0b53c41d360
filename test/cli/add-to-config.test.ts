/** Additions to a configuration by text: what is there stays, and what comes out says both. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Addition, asText, entriesOf, withAdditions } from '../../src/cli/add-to-config.ts';

const example = `watch: [{ path: . }]
routing_rules:
  - { name: one, pattern: "*.a", agent: first }
  # about two
  - name: two
    pattern: "*.b"

    agent: second
agents:
  # about first
  # in two lines
  first: { kind: builtin }      # behind it
  second:
    kind: command
    command: [cat, "\${{ file.path }}"]
`;
const additions = entriesOf(example);

test('entries are taken with their comments, without their indentation', () => {
  expect(additions.map(({ section, name, lines }) => [section, name, lines])).toEqual([
    ['agents', 'first', ['# about first', '# in two lines', 'first: { kind: builtin }      # behind it']],
    ['agents', 'second', ['second:', '  kind: command', '  command: [cat, "${{ file.path }}"]']],
    ['routing_rules', 'one', ['- { name: one, pattern: "*.a", agent: first }']],
    ['routing_rules', 'two', ['# about two', '- name: two', '  pattern: "*.b"', '', '  agent: second']],
  ]);
  expect(parse(asText(additions))).toEqual(parse(example.replace('watch: [{ path: . }]\n', '')));
});

const written: Readonly<Record<string, string>> = {
  'nothing of either': 'version: 1\n',
  'no line break at the end': 'version: 1',
  'both, with comments behind them':
    'agents:\n  x: { kind: builtin } # x\n  # y: later\nrouting_rules:\n  - name: r\n    pattern: "**"\n    agent: x # why\n\n# the end\n',
  'a list that is not indented':
    'routing_rules:\n- name: r\n  pattern: "**"\n  agent: x\nagents:\n    x:\n        kind: builtin\n',
  'empty ones': 'routing_rules: []\nagents: {}\nversion: 1\n',
  'a long text at the end': 'agents:\n  x:\n    kind: builtin\n    description: |\n      one\n      two\n\n',
  'line breaks of Windows': 'agents:\r\n  x: { kind: builtin }\r\nversion: 1\r\n',
  'sections without anything': 'agents:\nrouting_rules: # none yet\n  # - name: later\nversion: 1\n',
  'the last of them, without a line break': 'version: 1\nagents:',
  'entries with an empty line between':
    'agents:\n\n  x: { kind: builtin }\n\n  y: { kind: builtin }\n\nversion: 1\n',
};

test.each(Object.entries(written))('%s', (_, source) => {
  const text = withAdditions(source, additions, false);
  expect(text).toBeDefined();
  const [before, after] = [parse(source), parse(text as string)];
  expect(after).toEqual({
    ...before,
    agents: { ...before.agents, ...parse(example).agents },
    routing_rules: [...(before.routing_rules ?? []), ...parse(example).routing_rules],
  });
  // Each line that was there is there, in its order.
  const lines = (text as string).split('\n');
  let at = 0;
  for (const line of source.replace(/: (\[\]|\{\})$/gm, ':').split('\n')) {
    at = lines.indexOf(line, at) + 1;
    expect(at, line).toBeGreaterThan(0);
  }
});

const flow: Readonly<Record<string, readonly [source: string, line: string]>> = {
  'on one line': [
    'agents: { x: { kind: builtin } } # mine\n',
    'agents: { x: { kind: builtin }, first: { kind: builtin } } # mine\n',
  ],
  'with a comma at the end': [
    'agents: {\n  x: { kind: builtin }, # x\n}\n',
    'agents: {\n  x: { kind: builtin }, first: { kind: builtin }, # x\n}\n',
  ],
  'empty, with a comment': ['agents: {} # none yet\n', 'agents: # none yet\n'],
  'JSON in a file of YAML': ['{"version":1}', '"kind": "builtin"'],
};

test.each(Object.entries(flow))('sections in brackets: %s', (_, [source, line]) => {
  const [first] = additions as [Addition];
  const text = withAdditions(source, [first], false) as string;
  expect(text).toContain(line);
  const before = parse(source);
  expect(parse(text)).toEqual({ ...before, agents: { ...before.agents, first: { kind: 'builtin' } } });
});

test('rules in brackets, and whole entries', () => {
  const text = withAdditions(
    'routing_rules: [{ name: r, pattern: "**" }]\nagents: { x: {} }\n',
    additions,
    false,
  );
  expect(parse(text as string)).toEqual({
    routing_rules: [{ name: 'r', pattern: '**' }, ...parse(example).routing_rules],
    agents: { x: {}, ...parse(example).agents },
  });
});

test('lines that are added end as those that are there', () => {
  const text = withAdditions('agents:\r\n  x: { kind: builtin }\r\n', additions, false) as string;
  expect(text.replaceAll('\r\n', '')).not.toContain('\n');
});

test.each([
  'agents: &all\n  x: { kind: builtin }\nother: *all\n',
  'agents: ~\n',
  '{ version: 1 }\n',
  'version: 1\n...\n',
])('left alone: %j', (source) => {
  expect(withAdditions(source, additions, false)).toBeUndefined();
});

test('whatever is written, it comes out right or not at all', () => {
  const line = fc.constantFrom(
    'agents:',
    'routing_rules:',
    '  x: 1',
    '  - a',
    '- b',
    '  # c',
    '',
    '    y: 2',
    'z: [1,',
    ']',
    '  ? k',
    '  "q": |',
    '     t',
    '---',
    'agents: []',
    '\tw: 1',
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const source = lines.join('\n');
      const before = parsed(source);
      if (typeof before !== 'object' || before === null || Array.isArray(before)) return;
      const some: readonly Addition[] = additions.slice(0, 3);
      let text: string | undefined;
      try {
        text = withAdditions(source, some, false);
      } catch {
        return;
      }
      if (text === undefined) return;
      const after = parsed(text) as { agents: object; routing_rules: readonly unknown[] };
      expect(after.agents).toMatchObject({ first: { kind: 'builtin' } });
      expect(after.routing_rules.at(-1)).toMatchObject({ name: 'one' });
    }),
    { numRuns: 500 },
  );
});

function parsed(text: string): unknown {
  try {
    return parse(text, { logLevel: 'silent' });
  } catch {
    return undefined;
  }
}
