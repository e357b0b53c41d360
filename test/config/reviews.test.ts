/** `reviews`, `review` of rules and `review` steps: what they become, and what is refused, with its place. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configView, loadConfig, parseConfig } from '../../src/config/load.ts';
import { loadWorkflowFile } from '../../src/config/load-workflow.ts';
import { brief, errorsOf, load, project } from './project.ts';

/** Three agents in lines 1 to 4. */
const agents =
  'agents:\n  author: { kind: claude, capabilities: [code_review] }\n  second: { kind: gemini, capabilities: [code_review] }\n  look: { kind: builtin, capabilities: [code_review] }\n';
const rules = 'routing_rules: [{ pattern: "**", agent: author }]\n';
const quiet = ['COMMAND_NOT_FOUND'];
const told = <F extends { readonly code: string }>(found: readonly F[]) =>
  found.filter(({ code }) => !quiet.includes(code));

const terms = { reviewers: 2, agents: [], maxRounds: 2, policy: 'four_rules', weights: {} };

test('without the section nothing is reviewed; an empty one has every default', async () => {
  expect((await load(agents + rules)).config.reviews).toBeUndefined();
  const { config, warnings } = await load(`${agents}${rules}reviews: {}\n`);
  expect(config.reviews).toEqual({
    ...terms,
    on: new Set(['result', 'blocker', 'milestone', 'request', 'quiet']),
    quietMs: 900_000,
  });
  // Nothing but the key says the same: work that nobody looks at is the wrong guess.
  expect((await load(`${agents}${rules}reviews:\n  # reviewers: 3\n`)).config.reviews).toEqual(
    config.reviews,
  );
  // All of them can review: nobody is unused.
  expect(told(warnings)).toEqual([]);
});

test.each([
  ['reviewers: 3', { reviewers: 3 }],
  ['reviewers: 1', { reviewers: 1 }],
  ['reviewers: 3, quorum: 3', { reviewers: 3, quorum: 3 }],
  ['quorum: 1', { reviewers: 2, quorum: 1 }],
  ['max_rounds: 5', { maxRounds: 5 }],
  ['agents: [second, author]', { agents: ['second', 'author'] }],
  ['on: [blocker]', { on: new Set(['blocker']) }],
  ['on: []', { on: new Set() }],
  ['quiet_trigger: 5m', { quietMs: 300_000 }],
  ['policy: votes', { policy: 'votes' }],
  ['weights: { second: 2.5, author: 0 }', { weights: { second: 2.5, author: 0 } }],
  [
    'policy: [{ if: "${{ blockers > 0 && round == 2 }}", decision: stop }, { if: missing == 0, decision: warn }, { if: true, decision: continue }]',
    {
      policy: [
        { if: 'blockers > 0 && round == 2', decision: 'stop' },
        { if: 'missing == 0', decision: 'warn' },
        { if: 'true', decision: 'continue' },
      ],
    },
  ],
])('%s', async (line, found) => {
  const { config } = await load(`${agents}${rules}reviews: { ${line} }\n`);
  expect(config.reviews).toMatchObject(found);
  const again = await parseConfig(config.file, JSON.stringify(configView(config)));
  expect(again.config.reviews).toEqual(config.reviews);
});

test('silent work is looked at before it is ended for its silence', async () => {
  const idle = async (text: string) => {
    const { config, warnings } = await load(text + rules);
    return [config.agents.get('author')?.idleTimeoutMs, told(warnings).map(brief)];
  };
  expect(await idle(`${agents}reviews: {}\n`)).toEqual([1_200_000, []]);
  expect(await idle(`${agents}reviews: { quiet_trigger: 2m }\n`)).toEqual([600_000, []]);
  expect(await idle(`${agents}reviews: { on: [result] }\n`)).toEqual([600_000, []]);
  const written = agents.replace('claude,', 'claude, idle_timeout: 5m,');
  expect(await idle(`${written}reviews: {}\n`)).toEqual([300_000, ['2:41 LIMIT_UNREACHED']]);
});

const section = (body: string) => `${agents}${rules}reviews:\n  ${body}\n`;
const copies = agents.replace('kind: claude,', 'kind: claude, workspace: copy,');
const errors: readonly {
  readonly name: string;
  readonly text: string;
  readonly at: string | readonly string[];
  readonly message?: RegExp;
  readonly fix?: RegExp;
}[] = [
  { name: 'a list', text: 'reviews: []\n', at: '1:10 WRONG_TYPE' },
  { name: 'trigger', text: section('on: [results]'), at: '7:8 BAD_VALUE', fix: /"result"/ },
  { name: 'nobody', text: section('reviewers: 0'), at: '7:14 BAD_VALUE', message: /from 1 to 10/ },
  { name: 'too many', text: section('reviewers: 11'), at: '7:14 BAD_VALUE' },
  { name: 'quorum above', text: section('quorum: 3'), at: '7:11 CONFLICT', message: /3 valid.*only 2/ },
  { name: 'rounds', text: section('max_rounds: 0'), at: '7:15 BAD_VALUE' },
  { name: 'policy', text: section('policy: four_rule'), at: '7:11 BAD_VALUE', fix: /"four_rules"/ },
  { name: 'empty policy', text: section('policy: []'), at: '7:11 BAD_VALUE' },
  {
    name: 'rule without if',
    text: section('policy: [{ decision: stop }]'),
    at: '7:12 MISSING_KEY',
    message: /`if`/,
  },
  {
    name: 'decision',
    text: section('policy: [{ if: blockers > 0, decision: halt }]'),
    at: '7:42 BAD_VALUE',
    message: /continue, warn, pause, stop/,
  },
  {
    name: 'unknown name',
    text: section('policy: [{ if: blocker > 0, decision: stop }]'),
    at: '7:18 BAD_EXPRESSION',
    message: /blocker/,
    fix: /"blockers"/,
  },
  {
    name: 'no expression',
    text: section('policy: [{ if: "blockers >", decision: stop }]'),
    at: '7:28 BAD_EXPRESSION',
  },
  {
    name: 'no truth',
    text: section('policy: [{ if: blockers, decision: stop }]'),
    at: '7:18 BAD_EXPRESSION',
    message: /number, where boolean/,
  },
  {
    name: 'a function',
    text: section('policy: [{ if: "failure()", decision: stop }]'),
    at: '7:19 BAD_EXPRESSION',
  },
  { name: 'unknown agent', text: section('agents: [secnd]'), at: '7:12 UNKNOWN_AGENT', fix: /"second"/ },
  { name: 'twice', text: section('agents: [second, second]'), at: '7:20 DUPLICATE_NAME' },
  { name: 'no opinion', text: section('agents: [look]'), at: '7:12 CONFLICT', message: /no opinion/ },
  { name: 'nobody named', text: section('agents: []'), at: '7:11 BAD_VALUE' },
  { name: 'weight of nobody', text: section('weights: { nobody: 2 }'), at: '7:22 UNKNOWN_AGENT' },
  { name: 'weight below', text: section('weights: { second: -1 }'), at: '7:22 BAD_VALUE', message: /from 0/ },
  { name: 'weight', text: section('weights: { second: high }'), at: '7:22 WRONG_TYPE' },
  { name: 'quiet', text: section('quiet_trigger: 0s'), at: '7:18 BAD_VALUE' },
  {
    name: 'quiet that is not named',
    text: section('{ on: [result], quiet_trigger: 5m }'),
    at: '7:19 CONFLICT',
    fix: /`quiet` to `on`/,
  },
  { name: 'a slip', text: section('reviewer: 2'), at: '7:3 UNKNOWN_KEY', fix: /"reviewers"/ },
  {
    name: 'a rule, without the section',
    text: `${agents}routing_rules:\n  - { pattern: "**", agent: author, review: true }\n`,
    at: '6:37 CONFLICT',
    fix: /reviews/,
  },
  {
    name: 'batches of an agent that works on copies',
    text: `${copies}reviews: {}\nrouting_rules: [{ name: many, pattern: "**", agent: author, batch: {} }]\n`,
    at: '6:61 CONFLICT',
    message: /rule "many".*agent "author" works on a copy/,
    fix: /`review: false`.*workspace: in_place/,
  },
  {
    name: 'batches of a command that falls back to such an agent',
    text: `${copies}  start: { kind: command, command: ["true"], fallback: [author] }\nreviews: {}\nrouting_rules:\n  - { pattern: "**", agent: start, batch: {}, review: true }\n`,
    at: '8:36 CONFLICT',
    message: /agent "author" works on a copy/,
  },
  {
    name: 'a rule that does nothing',
    text: `${agents}reviews: {}\nrouting_rules:\n  - { pattern: "**", action: ignore, review: true }\n`,
    at: '7:38 CONFLICT',
  },
  {
    name: 'a rule, a word',
    text: `${agents}${rules.replace('author', 'author, review: "yes"')}`,
    at: '5:57 WRONG_TYPE',
  },
];

test.each(errors)('refused: $name', async ({ text, at, message, fix }) => {
  const found = await errorsOf(text);
  expect(found.map(brief)).toEqual([at].flat());
  if (message) expect(found[0]?.message).toMatch(message);
  if (fix) expect(found[0]?.fix).toMatch(fix);
  for (const one of found) expect(`${one.message} ${one.fix}`).not.toMatch(/undefined|\[object/);
});

test.each([
  [
    'nobody can review',
    'agents: { a: { kind: builtin, capabilities: [code_review] } }\nreviews: {}\n',
    '2:1 REVIEW_NOBODY',
  ],
  [
    'nobody but the author can review',
    `${agents.replace('second: { kind: gemini, capabilities: [code_review] }', 'second: { kind: gemini, capabilities: [testing] }')}${rules}reviews: {}\n`,
    '6:1 REVIEW_NOBODY',
  ],
  ['nobody but the author is named', section('agents: [author]'), '6:1 REVIEW_NOBODY'],
  ['more are wanted than can', section('reviewers: 3'), '7:14 LIMIT_UNREACHED'],
  ['more must answer than can', section('{ reviewers: 4, quorum: 3 }'), '7:27 LIMIT_UNREACHED'],
  ['fewer are named than wanted', section('{ reviewers: 2, agents: [second] }'), '7:16 LIMIT_UNREACHED'],
  [
    'a rule of a policy that is never asked',
    section('policy: [{ if: true, decision: warn }, { if: blockers > 0, decision: stop }]'),
    '7:48 RULE_SHADOWED',
  ],
])('a warning: %s', async (_name, text, at) => {
  const { warnings } = await load(text);
  expect(warnings.map(brief)).toContain(at);
});

test('a rule says whether its work is reviewed', async () => {
  const text = (line: string) =>
    `${agents}reviews: {}\nrouting_rules:\n  - { pattern: "**", agent: author${line} }\n`;
  const review = async (line: string) => (await load(text(line))).config.rules[0]?.review;
  expect(await review('')).toBeUndefined();
  expect(await review(', review: true')).toBe(true);
  expect(await review(', review: false')).toBe(false);
});

test.each([
  ['in the tree itself', agents, 'batch: {}', '{}'],
  ['with what is not reviewed', copies, 'batch: {}, review: false', '{}'],
  ['where only `review` steps review', copies, 'batch: {}', '{ on: [] }'],
])('batches are reviewed file by file: %s', async (_name, some, keys, reviews) => {
  await load(`${some}reviews: ${reviews}\nrouting_rules: [{ pattern: "**", agent: author, ${keys} }]\n`);
});

const flow = (step: string, above = '') =>
  `${agents}${rules}workflows:\n  - name: w\n    steps:\n      - { name: make, type: agent, agent: author, prompt: x }\n${above}      - { name: judge, type: review, ${step} }\n`;

test('a step takes what it does not say from the configuration, and is plain JSON', async () => {
  const text = flow('of: make, prompt: "Is ${{ steps.make.result }} true?", max_rounds: 1');
  const step = async (more: string) => (await load(text + more)).config.workflows[0]?.steps[1];
  expect(await step('')).toEqual({
    name: 'judge',
    type: 'review',
    of: 'make',
    prompt: 'Is ${{ steps.make.result }} true?',
    reviews: { ...terms, maxRounds: 1 },
    outputs: {},
    continueOnError: false,
  });
  const own = await step('reviews: { reviewers: 3, max_rounds: 4, policy: votes, weights: { second: 2 } }\n');
  expect(own).toMatchObject({
    reviews: { reviewers: 3, maxRounds: 1, policy: 'votes', weights: { second: 2 } },
  });
  expect(JSON.parse(JSON.stringify(own))).toEqual(own);
});

test('what a step is shown as loads again', async () => {
  const { config } = await load(
    flow('of: make, agents: [second], reviewers: 1, policy: [{ if: blockers > 0, decision: pause }]'),
  );
  const again = await parseConfig(config.file, JSON.stringify(configView(config)));
  expect(again.config.workflows[0]?.steps).toEqual(config.workflows[0]?.steps);
});

const file = '      - { name: files, type: file_processing, directory: ./inbox }\n';
const wait = '      - { name: ask, type: approval, message: Go? }\n';
const late = '      - { name: late, type: agent, agent: author, prompt: x, needs: [judge] }\n';

test('a step above, not only the one just above; its decision can be read', async () => {
  await load(flow('of: make, needs: [files, make], if: "${{ steps.files.outputs.failed == 0 }}"', file));
  const told =
    '      - { name: tell, type: approval, message: "${{ steps.judge.outputs.decision }} ${{ steps.judge.outputs.why }}" }\n';
  await load(`${flow('of: make')}${told}`);
  expect((await errorsOf(`${flow('of: make')}${told.replace('decision', 'decison')}`)).map(brief)).toEqual([
    '11:53 BAD_EXPRESSION',
  ]);
});

test.each([
  ['nothing', flow('reviewers: 1'), '10:9 MISSING_KEY', /`of`/],
  ['no step', flow('of: mak'), '10:42 UNKNOWN_STEP', /"make"/],
  ['itself', flow('of: judge'), '10:42 UNKNOWN_STEP', /make/],
  [
    'one that comes later',
    `${flow('of: late, needs: [make]')}${late}`,
    '10:42 UNKNOWN_STEP',
    /needs: \[late\]/,
  ],
  ['one that runs beside it', flow('of: make, needs: []'), '10:42 UNKNOWN_STEP', /needs: \[make\]/],
  ['one without work', flow('of: ask', wait), '11:42 CONFLICT', /agent or custom_command/],
  ['files', flow('of: files', file), '11:42 CONFLICT', /file_processing/],
  [
    'many',
    flow('of: each', '      - { name: each, type: agent, agent: author, prompt: x, for_each: [1, 2] }\n'),
    '11:42 CONFLICT',
    /for_each/,
  ],
  ['quorum', flow('of: make, reviewers: 1, quorum: 2'), '10:70 CONFLICT', /at most 1/],
  [
    'reviewers below a quorum that is written above',
    `${flow('of: make')}reviews: { quorum: 2, reviewers: 1 }\n`,
    '11:20 CONFLICT',
    /at most 1/,
  ],
  [
    'expression',
    flow('of: make, policy: [{ if: aproved > 1, decision: warn }]'),
    '10:63 BAD_EXPRESSION',
    /"approved"/,
  ],
  ['prompt', flow('of: make, prompt: "${{ steps.nope.result }}"'), '10:61 BAD_EXPRESSION', /make/],
  ['agent', flow('of: make, agents: [nope]'), '10:57 UNKNOWN_AGENT', /second/],
  ['command', flow('of: make, command: x'), '10:48 CONFLICT', /custom_command/],
  [
    'terms elsewhere',
    flow('of: make', '      - { name: b, type: agent, agent: author, quorum: 1 }\n'),
    '10:48 CONFLICT',
    /review/,
  ],
  [
    'a slip of the type',
    flow('of: make').replace('type: review', 'type: reviews'),
    '10:30 BAD_VALUE',
    /"review"/,
  ],
])('a step is refused: %s', async (_name, text, at, words) => {
  const found = await errorsOf(text);
  expect(found.map(brief)).toContain(at);
  const one = found.find((each) => brief(each) === at);
  expect(`${one?.message} ${one?.fix}`).toMatch(words);
});

test('a file of its own has the reviews of the configuration', async () => {
  const dir = await project({
    'inbox/x': '',
    'orchestrator.yaml': `${agents}${rules}reviews: { reviewers: 1 }\n`,
    'w.yaml':
      'name: w\nsteps:\n  - { name: make, type: agent, agent: author, prompt: x }\n  - { name: judge, type: review, of: make }\n',
  });
  const { config } = await loadConfig(join(dir, 'orchestrator.yaml'));
  const { workflows } = await loadWorkflowFile(join(dir, 'w.yaml'), config);
  expect(workflows[0]?.steps[1]).toMatchObject({ reviews: { reviewers: 1 } });
});

test.each(['reviews', 'Reviews', 'agents-test'])('a workflow cannot be called %s', async (name) => {
  const text = `workflows:\n  - { name: ${name}, steps: [{ name: a, type: approval, message: x }] }\n`;
  expect((await errorsOf(text)).map(brief)).toEqual(['2:13 BAD_VALUE']);
});
