/** What the kind says of itself. */
import { expect, test } from 'vitest';
import { claudeKind } from '../../../../src/agents/cli/claude/claude.ts';
import { builtinCliKinds } from '../../../../src/agents/cli/kinds.ts';

test('it is registered under its name', () => {
  expect(builtinCliKinds.get('claude')).toBe(claudeKind);
});

test('a person can paste how to go on with a session', () => {
  expect(claudeKind.resume("a'b", '/w/my project')).toBe(`cd '/w/my project' && claude --resume 'a'\\''b'`);
});

test('it sees its own keys, not those of a whole cloud account', () => {
  const seen = (name: string) =>
    claudeKind.environment.some((one) =>
      one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : one === name,
    );
  expect(
    ['ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL', 'CLAUDE_CODE_OAUTH_TOKEN', 'CLAUDE_CODE_USE_BEDROCK'].every(
      seen,
    ),
  ).toBe(true);
  expect(
    [
      'AWS_SECRET_ACCESS_KEY',
      'GOOGLE_APPLICATION_CREDENTIALS',
      'OPENAI_API_KEY',
      'CLAUDE_CODE_SAFE_MODE',
    ].some(seen),
  ).toBe(false);
});

test('what decides what later runs obey is not written', () => {
  const paths = claudeKind.home.flatMap(({ path, isReadOnly, protected: kept = [] }) =>
    isReadOnly ? [path] : kept.map((one) => `${path}/${one.path}`),
  );
  for (const path of [
    '.claude.json',
    '.claude/settings.json',
    '.claude/CLAUDE.md',
    '.claude/skills',
    '.claude/plugins',
  ])
    expect(paths).toContain(path);
});
