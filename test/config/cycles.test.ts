/** Loops that can be seen in the rules are refused; what only looks like one is not. */
import { expect, test } from 'vitest';
import { brief, findingsOf, load } from './project.ts';

/** One agent per rule, in this order; `%` in a command is the path of the file. */
function text(rules: Record<string, string>, more = '', root = ''): string {
  const entries = Object.entries(rules);
  const agents = entries.map(
    ([, command], index) =>
      `  a${index}: { kind: command, command: ${command.replaceAll('%', '"${{ file.path }}"')}${more} }\n`,
  );
  const lines = entries.map(([pattern], index) => `  - { pattern: ${pattern}, agent: a${index} }\n`);
  return `watch: [{ path: inbox${root} }]\nagents:\n${agents.join('')}routing_rules:\n${lines.join('')}`;
}
const files = { 'inbox/out/x': '', 'outside/x': '' };

test.each<[string, Record<string, string>, RegExp]>([
  ['an option', { '"**"': '[x, %, -o, inbox/report.html]' }, /writes "inbox\/report\.html"/],
  ['an option with =', { '"**"': '[x, %, --output=inbox/report.html]' }, /feeds itself/],
  ['a folder that is there', { '"**"': '[x, %, --out-dir, inbox/out]' }, /"inbox\/out\/x"/],
  ['a folder that is not there yet', { '"**"': '[x, %, --outdir=./inbox/later]' }, /"inbox\/later\/x"/],
  ['a copy', { '"**/*.py"': '[cp, %, inbox/out]' }, /"inbox\/out\/x\.py"/],
  ['a redirection', { '"**"': `[sh, -c, 'wc "$SLUICE_FILE" > inbox/n.txt']` }, /inbox\/n\.txt/],
  ['a redirection with a name of its own', { '"**"': `[bash, -c, 'wc > "inbox/$$.txt"']` }, /inbox\/x\.txt/],
  ['a copy in a script', { '"*.a"': `[sh, -ec, 'true && cp "$1" inbox/copy.a']` }, /inbox\/copy\.a/],
  ['tee', { '"**"': `[sh, -c, 'wc | tee -a inbox/log']` }, /inbox\/log/],
  ['beside the file', { '"**/*.js"': '[min, %, -o, "${{ file.dir }}/min-${{ file.name }}"]' }, /min-x\.js/],
  [
    'one of several endings',
    { '"src/**/*.{js,ts}"': '[min, %, -o, "${{ file.dir }}/${{ file.stem }}.min.js"]' },
    /x\.min\.js/,
  ],
  [
    'two rules',
    { '"*.json"': '[x, %, -o, inbox/b.csv]', '"*.csv"': '[x, %, -o, inbox/a.json]' },
    /^rules feed each other: "\*\.json" → inbox\/b\.csv → "\*\.csv" → inbox\/a\.json → "\*\.json"$/,
  ],
  [
    'two rules, the result as last argument',
    { '"in/*"': '[x, %, inbox/mid/f]', '"mid/*"': '[x, %, inbox/in/f]' },
    /feed each other/,
  ],
  [
    'three rules',
    {
      '"*.a"': '[x, -o, inbox/x.b]',
      '"*.b"': '[x, -o, inbox/x.c]',
      '"*.c"': '[x, -o, inbox/x.a]',
    },
    /"\*\.a" → inbox\/x\.b → "\*\.b" → inbox\/x\.c → "\*\.c" → inbox\/x\.a → "\*\.a"/,
  ],
])('%s', async (_name, rules, message) => {
  const found = (await findingsOf(text(rules), files)).filter(({ severity }) => severity === 'error');
  expect(found.map(({ code }) => code)).toEqual(['RULE_CYCLE']);
  expect(found[0]?.message).toMatch(message);
});

test('the variable or the word is marked', async () => {
  const found = await findingsOf(
    'agents:\n  a:\n    kind: command\n    command: [x]\n    env: { BUILD_OUTPUT_DIR: ./inbox/built }\n  b: { kind: command, command: [x, "-o", "inbox/y"] }\nrouting_rules: [{ pattern: built/x, agent: a }, { pattern: "**", agent: b }]\n',
  );
  expect(found.filter(({ severity }) => severity === 'error').map(brief)).toEqual([
    '5:30 RULE_CYCLE',
    '6:42 RULE_CYCLE',
  ]);
});

test.each<[string, Record<string, string>, string?, string?]>([
  ['outside', { '"**"': '[x, %, -o, outside/x]' }],
  ['into the output folder', { '"**"': '[x, %, --output=processed/x]' }],
  ['taken away', { '["**", "!out/**"]': '[x, %, -o, inbox/out/x]' }],
  ['taken by nobody', { '"*.py"': '[x, %, -o, inbox/x.json]' }],
  ['a chain with an end', { '"*.a"': '[x, -o, inbox/x.b]', '"*.b"': '[x, -o, inbox/x.c]' }],
  ['read, not written', { '"**"': '[x, %, --config, inbox/x.toml]' }],
  [
    'the tree itself',
    { '"src/**"': '[test, inbox/src, inbox/tests]', '"tests/**"': '[test, inbox/tests, inbox/src]' },
  ],
  ['last argument in its own rule', { '"**"': '[diff, %, inbox/reference]' }],
  ['in place', { '"**"': '[fmt, -o, %]' }],
  ['at rest after one step', { '"**"': '[x, %, -o, "${{ file.dir }}/${{ file.stem }}.html"]' }],
  ['a format', { '"**"': '[kubectl, get, --output, json, -o, wide]' }, '', ', name: all'],
  ['what -o is elsewhere', { '"**"': '[grep, -o, inbox/x, %]' }],
  ['a comparison in quotes', { '"**"': `[sh, -c, 'jq ".a > inbox/x" "$SLUICE_FILE"']` }],
  ['our own variables', { '"**"': `[sh, -c, 'wc > "$SLUICE_OUTPUT_DIR/inbox/x"']` }],
  ['standard error', { '"**"': `[sh, -c, 'wc 2>&1 >/dev/null']` }],
  ['ignored', { '"**"': '[x, -o, inbox/build/x]' }, '', ', ignore: [build/]'],
  ['ignored by default', { '"**"': '[x, -o, inbox/x.tmp]' }],
  ['only what is added counts', { '"**"': '[x, -o, inbox/x.html]' }, '', ', on: [added]'],
  ['confined', { '"**"': '[x, -o, inbox/x.html]' }, ', sandbox: { mode: required }'],
  ['remote', { '"**"': '[rsync, %, "host:inbox/x"]' }],
])('no loop: %s', async (_name, rules, more, root) => {
  const { warnings } = await load(text(rules, more, root), files, { searchPath: '' });
  expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set(['COMMAND_NOT_FOUND']));
});

test('a confined agent that may write there is looked at', async () => {
  const [found] = (
    await findingsOf(text({ '"**"': '[x, -o, inbox/x.html]' }, ', sandbox: { write: [workspace] }'))
  ).filter(({ severity }) => severity === 'error');
  expect(found?.code).toBe('RULE_CYCLE');
});

test('.sluiceignore in the tree counts', async () => {
  const rules = text({ '"**"': '[x, -o, inbox/sub/x.html]' });
  await load(rules, { 'inbox/sub/.sluiceignore': '*.html\n' });
  await load(rules, { 'inbox/.sluiceignore': 'sub/\n' });
  await expect(load(rules, { 'inbox/.sluiceignore': 'other/\n' })).rejects.toThrow(/feeds itself/);
});
