/** What lifts a denial, for every wording that was seen. */
import { describe, expect, test } from 'vitest';
import { bashRule, denialOf, type Refusal } from '../../../../src/agents/cli/claude/denials.ts';
import type { Cure } from '../../../../src/types/agent-cli.ts';

const workspace = "the allowed working directories for this session: '/w'.";
const outside = "needs approval. The path is outside the working directories for this session ('/w').";
const inside =
  "needs approval. The path is inside the working directories for this session ('/w'), and Claude Code asks.";
const edit: Cure = { kind: 'access', access: 'edit' };
const all: Cure = { kind: 'access', access: 'all' };
const folder = (path: string, write: boolean): Cure => ({ kind: 'directory', path, write });
const tool = (name: string): Cure => ({ kind: 'tool', tool: name, access: 'all' });
const ungranted = "Claude requested permissions to write to /w/a.txt, but you haven't granted it yet.";

describe('in a session that may only look', () => {
  test.each<[string, Omit<Refusal, 'mode'>, Cure | undefined]>([
    ['a file of its folders', { tool: 'Write', file: '/w/a.txt', message: ungranted }, edit],
    ['a notebook', { tool: 'NotebookEdit', file: '/w/n.ipynb', message: 'x' }, edit],
    [
      'a file elsewhere',
      { tool: 'Write', file: '/x/a.txt', reason: 'workingDir', message: 'x' },
      folder('/x', true),
    ],
    [
      'to read elsewhere',
      { tool: 'Read', file: '/x/a.txt', reason: 'workingDir', message: 'x' },
      folder('/x', false),
    ],
    [
      'to read at the top',
      { tool: 'Read', file: '/a.txt', reason: 'workingDir', message: 'x' },
      folder('/', false),
    ],
    ['a path that is not whole', { tool: 'Write', file: 'a.txt', reason: 'workingDir', message: 'x' }, edit],
    [
      'a command that changes files',
      { tool: 'Bash', command: 'touch a', message: `touch in '/w/a' ${inside}` },
      edit,
    ],
    [
      'a command that looks elsewhere',
      {
        tool: 'Bash',
        command: 'cat /x/a',
        message: `cat in '/x/a' was blocked. For security, Claude Code may only concatenate files from ${workspace}`,
      },
      folder('/x', false),
    ],
    [
      'to go elsewhere',
      {
        tool: 'Bash',
        command: 'cd /x',
        message: `cd in '/x' was blocked. For security, Claude Code may only change directories to ${workspace}`,
      },
      folder('/x', false),
    ],
    [
      'a command that writes elsewhere',
      { tool: 'Bash', command: 'touch /x/a', message: `touch in '/x/a' ${outside}` },
      folder('/x', true),
    ],
    [
      'a redirection elsewhere',
      { tool: 'Bash', command: 'echo > /x/a', message: `Output redirection to '/x/a' ${outside}` },
      folder('/x', true),
    ],
    [
      'a command',
      { tool: 'Bash', command: 'npm test', message: 'This command requires approval', reason: 'other' },
      tool('Bash(npm test:*)'),
    ],
    [
      'several commands',
      { tool: 'Bash', command: 'a && b', message: 'This command requires approval' },
      tool('Bash'),
    ],
    [
      'the web',
      {
        tool: 'WebFetch',
        message: "Claude requested permissions to use WebFetch, but you haven't granted it yet.",
      },
      tool('WebFetch'),
    ],
    [
      'a file that it guards',
      { tool: 'Write', file: '/w/.git/x', reason: 'safetyCheck', message: 'a sensitive file.' },
      all,
    ],
    [
      'by a mode',
      {
        tool: 'Write',
        file: '/w/a',
        reason: 'mode',
        message: "Permission to use Write has been denied because Claude Code is running in don't ask mode.",
      },
      edit,
    ],
    [
      'by a rule of the user',
      {
        tool: 'Bash',
        command: 'npm test',
        reason: 'subcommandResults',
        message: 'Permission to use Bash with command npm test has been denied.',
      },
      undefined,
    ],
    ['by a rule', { tool: 'Write', file: '/w/a', reason: 'rule', message: 'x' }, undefined],
    ['by a hook', { tool: 'Write', file: '/w/a', reason: 'hook', message: 'x' }, undefined],
    ['a question', { tool: 'AskUserQuestion', message: 'x' }, undefined],
  ])('%s', (_, refusal, cure) => {
    expect(denialOf({ ...refusal, mode: 'default' }).cure).toEqual(cure);
  });
});

test('what a session that may edit is denied, one that may edit would be denied again', () => {
  const mode = 'acceptEdits';
  expect(denialOf({ tool: 'Write', file: '/w/a', message: ungranted, mode }).cure).toEqual(tool('Write'));
  expect(denialOf({ tool: 'Bash', command: 'rm a', message: `rm in '/w/a' ${inside}`, mode }).cure).toEqual(
    tool('Bash(rm a:*)'),
  );
});

test('one that may do anything cannot be given more', () => {
  expect(
    denialOf({ tool: 'Bash', command: 'x', message: 'no', mode: 'bypassPermissions' }).cure,
  ).toBeUndefined();
});

test('a message says what it is about', () => {
  expect(
    denialOf({ tool: 'Bash', command: 'npm test', message: 'This command requires approval' }).message,
  ).toBe('Bash npm test: This command requires approval');
  expect(denialOf({ tool: 'Write', message: '' }).message).toBe('Write was denied');
  expect(
    denialOf({ tool: 'Bash', command: `x\n${'y'.repeat(9_000)}`, message: 'z'.repeat(9_000) }).message.length,
  ).toBeLessThan(600);
});

test.each([
  ['npm test', 'Bash(npm test:*)'],
  ['npm run lint:fix --silent', 'Bash(npm run:*)'],
  ['pytest -q tests', 'Bash(pytest:*)'],
  ['./gradlew build', 'Bash(./gradlew build:*)'],
  ['make', 'Bash(make:*)'],
  ['FOO=1 npm test', 'Bash'],
  ['npm test && rm -rf x', 'Bash'],
  ['npm test\nrm x', 'Bash'],
  ['echo $(id)', 'Bash'],
  ['echo "a b"', 'Bash'],
  ['cat < /etc/passwd', 'Bash'],
  ['', 'Bash'],
  [undefined, 'Bash'],
])('the rule for %j is %s', (command, rule) => {
  expect(bashRule(command)).toBe(rule);
});
