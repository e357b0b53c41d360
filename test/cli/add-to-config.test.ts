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

test.each([
  'agents: { x: { kind: builtin } }\n',
  'agents: &all\n  x: { kind: builtin }\nother: *all\n',
  '{ "version": 1 }\n',
  'agents:\n',
  'version: 1\n...\n',
  'agents: {} # none yet\n',
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
