import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codexKind } from '../../../../src/agents/cli/codex/codex.ts';
import { codexLaunch } from '../../../../src/agents/cli/codex/launch.ts';
import type { LaunchRequest } from '../../../../src/agents/cli/kind.ts';

const plain: LaunchRequest = {
  version: { text: '0.169.0' },
  tools: [],
  access: 'read',
  cwd: '/home/a/project',
  directories: [],
  prompt: 'Look at it.\n',
  sessionId: '7e0c6a0e-0000-4000-8000-000000000000',
  workDir: '/home/a/project/.sluice/work/1/1',
  skipGitCheck: false,
  withoutFlags: [],
  isConfined: true,
  isRoot: false,
  env: { CODEX_API_KEY: 'k' },
  options: {},
};

function argsOf(more: Partial<LaunchRequest> = {}): readonly string[] {
  return codexLaunch({ ...plain, ...more }).args;
}

/** Values of `-c key=…`. */
function settings(args: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    args.flatMap((word, i) => {
      if (args[i - 1] !== '-c') return [];
      const at = word.indexOf('=');
      return [[word.slice(0, at), word.slice(at + 1)]];
    }),
  );
}

function valueAfter(args: readonly string[], flag: string): string | undefined {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args[at + 1];
}

test('the prompt goes by stdin, the last message into a file of the job', () => {
  const { args, stdin, lastMessageFile } = codexLaunch(plain);
  expect(args.slice(0, 2)).toEqual(['exec', '--json']);
  expect(args.at(-1)).toBe('-');
  expect(stdin).toBe('Look at it.\n');
  expect(args.join(' ')).not.toContain('Look at it');
  expect(valueAfter(args, '--output-last-message')).toBe(lastMessageFile);
  expect(lastMessageFile).toBe(`${plain.workDir}/last-message.txt`);
});

describe('access', () => {
  test.each([
    ['read', false, 'read-only'],
    ['edit', false, 'workspace-write'],
    ['all', false, 'danger-full-access'],
    // Its own sandbox cannot be made inside of ours.
    ['read', true, 'danger-full-access'],
    ['edit', true, 'danger-full-access'],
    ['all', true, 'danger-full-access'],
  ] as const)('%s, confined: %s → %s', (access, isConfined, sandbox) => {
    expect(valueAfter(argsOf({ access, isConfined }), '--sandbox')).toBe(sandbox);
  });

  test('only who may just look, and is held by our sandbox alone, is told so', () => {
    expect(settings(argsOf()).developer_instructions).toContain('read-only');
    expect(settings(argsOf({ access: 'edit' })).developer_instructions).toBeUndefined();
    expect(settings(argsOf({ isConfined: false })).developer_instructions).toBeUndefined();
  });

  test('folders are given to who may write', () => {
    const directories = ['/data/a b', '/data/c'];
    expect(argsOf({ directories })).not.toContain('--add-dir');
    const args = argsOf({ directories, access: 'edit' });
    expect(args.filter((_, i) => args[i - 1] === '--add-dir')).toEqual(directories);
  });

  test('the git check stands unless it was in the way', () => {
    expect(argsOf({ access: 'all' })).not.toContain('--skip-git-repo-check');
    expect(argsOf({ access: 'all' }).join(' ')).not.toContain('bypass');
    expect(argsOf({ skipGitCheck: true })).toContain('--skip-git-repo-check');
  });
});

test('the folder it works in decides nothing', () => {
  const args = argsOf({ cwd: '/home/a/it\'s "here"\\' });
  expect(args).toContain('--ignore-rules');
  expect(settings(args)).toMatchObject({
    project_doc_max_bytes: '0',
    project_root_markers: '[]',
    projects: '{"/home/a/it\'s \\"here\\"\\\\"={"trust_level"="untrusted"}}',
    'skills.include_instructions': 'false',
    'skills.bundled.enabled': 'false',
    'features.hooks': 'false',
    'features.plugins': 'false',
    'features.apps': 'false',
    notify: '[]',
  });
});

test('model and effort', () => {
  const args = argsOf({ model: 'gpt-6.1-sol', effort: 'high' });
  expect(valueAfter(args, '--model')).toBe('gpt-6.1-sol');
  expect(settings(args).model_reasoning_effort).toBe('"high"');
});

describe('flags that a version does not know', () => {
  test('are left out', () => {
    const args = argsOf({ withoutFlags: ['--ignore-rules', '--output-last-message'] });
    expect(args).not.toContain('--ignore-rules');
    expect(args.join(' ')).not.toContain('last-message');
    const flags = new Set(['--json', '--sandbox', '-c', '--output-last-message']);
    expect(argsOf({ version: { text: '0.140.0', flags } })).not.toContain('--ignore-rules');
  });

  test('but none without which it would do something else', () => {
    const needed = ['--json', '--sandbox', '-c'];
    expect(argsOf({ withoutFlags: needed })).toEqual(expect.arrayContaining(needed));
    expect(argsOf({ version: { text: '9', flags: new Set() } })).toEqual(expect.arrayContaining(needed));
  });
});

describe('the shape of the answer', () => {
  test('is handed on in the form that the service takes', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'string', minLength: 1 }, b: { type: 'number' } },
      required: ['a'],
    };
    const { args, files } = codexLaunch({ ...plain, schema: { file: '/x/schema.json', schema } });
    const [[file, content]] = files as [[string, string]];
    expect(valueAfter(args, '--output-schema')).toBe(file);
    expect(file.startsWith(`${plain.workDir}/`)).toBe(true);
    expect(JSON.parse(content)).toEqual({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'number' } },
      required: ['a', 'b'],
      additionalProperties: false,
    });
  });

  test('stays in the prompt where the service would refuse it', () => {
    const schema = { type: 'array', items: { type: 'string' } };
    const { args, files } = codexLaunch({ ...plain, schema: { file: '/x/schema.json', schema } });
    expect(args).not.toContain('--output-schema');
    expect(files).toEqual([]);
  });
});

describe('key and endpoint', () => {
  const launchWith = (env: Record<string, string>, method?: string) =>
    codexLaunch({ ...plain, env, ...(method && { login: { state: 'logged_in', detail: '', method } }) });

  test('with a key, OPENAI_BASE_URL is where it asks', () => {
    const { args, env } = launchWith({ CODEX_API_KEY: 'k', OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' });
    expect(settings(args).model_provider).toBe('"endpoint"');
    expect(settings(args)['model_providers.endpoint']).toContain('"base_url"="http://127.0.0.1:1/v1"');
    expect(env).toEqual({});
  });

  test('a key in OPENAI_API_KEY is handed over when nothing else logs it in', () => {
    const { args, env } = launchWith({ OPENAI_API_KEY: 'k' }, 'key');
    expect(env).toEqual({ CODEX_API_KEY: 'k' });
    expect(settings(args).model_provider).toBeUndefined();
    expect(args.join(' ')).not.toContain('"k"');
  });

  test.each(['account', 'provider'])('not beside %s', (method) => {
    const { args, env } = launchWith(
      { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' },
      method,
    );
    expect(env).toEqual({});
    expect(settings(args).model_provider).toBeUndefined();
  });
});

test('a person goes on with a session', () => {
  expect(codexKind.resume('0190-1', "/home/a/it's")).toBe("cd '/home/a/it'\\''s' && codex resume 0190-1");
});

test('a launch never throws, and its words hold no part of the prompt', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      fc.anything(),
      (prompt, name, schema) => {
        const marked = `§§${prompt}§§`;
        const request = {
          ...plain,
          prompt: marked,
          cwd: `/${name}`,
          model: name,
          effort: name,
          schema: { file: '/s', schema },
        };
        const { args, stdin } = codexLaunch(request);
        expect(stdin?.replaceAll('$\u200b', '$')).toBe(marked.replaceAll('$\u200b', '$'));
        expect(args.every((word) => !word.includes('§§'))).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});
