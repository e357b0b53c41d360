/** What opencode is started with: what it may do, and what of its surroundings it must not obey. */
import { describe, expect, test } from 'vitest';
import type { LaunchRequest } from '../../../../src/agents/cli/kind.ts';
import { opencodeKind } from '../../../../src/agents/cli/opencode/opencode.ts';
import { permissionsOf } from '../../../../src/agents/cli/opencode/permissions.ts';
import { launchRequest } from '../launch-request.ts';

const launch = (more: Partial<LaunchRequest> = {}) => opencodeKind.launch(launchRequest(more));
const settings = (more: Partial<LaunchRequest> = {}) =>
  JSON.parse(launch(more).env.OPENCODE_CONFIG_CONTENT ?? '');
const always = { question: 'deny', doom_loop: 'allow' };
const closed = { bash: 'deny', webfetch: 'deny', websearch: 'deny' };

test('the prompt goes by stdin, however long it is', () => {
  const prompt = `--auto ${'x'.repeat(300_000)}`;
  const { args, stdin } = launch({ prompt });
  expect(stdin).toBe(prompt);
  expect(args.join(' ').length).toBeLessThan(200);
  expect(args).not.toContain('--auto');
});

test.each<[string, Partial<LaunchRequest>, object]>([
  ['read', {}, { ...always, ...closed, edit: 'ask', external_directory: 'ask' }],
  ['edit', { access: 'edit' }, { ...always, ...closed, edit: 'allow', external_directory: 'ask' }],
  ['all, which `--auto` gives', { access: 'all' }, always],
  [
    'a tool',
    { tools: ['bash', 'write'] },
    { ...always, ...closed, edit: 'allow', bash: 'allow', external_directory: 'ask' },
  ],
  [
    'some commands of a tool',
    { tools: ['bash(git log *)', 'bash(ls *)'] },
    {
      ...{ ...always, ...closed, edit: 'ask', external_directory: 'ask' },
      bash: { '*': 'deny', 'git log *': 'allow', 'ls *': 'allow' },
    },
  ],
  [
    'folders',
    { directories: ['/drop', '/out/'] },
    {
      ...{ ...always, ...closed, edit: 'ask' },
      external_directory: {
        ...{ '*': 'ask', '/drop': 'allow', '/drop/*': 'allow', '/out/': 'allow', '/out/*': 'allow' },
      },
    },
  ],
])('permissions: %s', (_, more, expected) => {
  const request = launchRequest(more);
  expect(permissionsOf(request)).toEqual(expected);
  const { env, args } = launch(more);
  expect(JSON.parse(env.OPENCODE_PERMISSION ?? '')).toEqual(expected);
  expect(args.includes('--auto')).toBe(request.access === 'all');
});

test('in our sandbox its cache is the job’s own, and the person’s is read', () => {
  const { env, links } = launch({ isConfined: true, env: { HOME: '/home/a' } });
  expect(env.XDG_CACHE_HOME).toBe('/project/.sluice/work/1/cache');
  expect(links).toContainEqual([
    '/project/.sluice/work/1/cache/opencode/packages',
    '/home/a/.cache/opencode/packages',
  ]);
  const plain = launch({ isConfined: false, env: { HOME: '/home/a' } });
  expect([plain.env.XDG_CACHE_HOME, plain.links]).toEqual([undefined, []]);
});

test('some commands of a tool that is allowed anyway change nothing', () => {
  expect(permissionsOf({ access: 'edit', directories: [], tools: ['edit(docs/*)'] }).edit).toBe('allow');
});

describe('settings', () => {
  test('what the owner gave in the environment stays, ours is added', () => {
    const given = { provider: { own: { npm: 'x' } }, plugin: ['mine'], share: 'auto' };
    const made = settings({ env: { OPENCODE_CONFIG_CONTENT: JSON.stringify(given) }, maxTurns: 7 });
    expect(made).toEqual({
      ...{ provider: given.provider, autoupdate: false, share: 'disabled', snapshot: false },
      plugin: ['mine', 'file:///project/.sluice/work/1/opencode-guard.mjs'],
      agent: { build: { steps: 7 } },
    });
  });

  test.each(['{', '[]', 'null'])('what is no object there is left out: %s', (text) => {
    expect(settings({ env: { OPENCODE_CONFIG_CONTENT: text } }).share).toBe('disabled');
  });
});

test('settings and instructions of the folder are switched off', () => {
  expect(launch().env).toMatchObject({
    OPENCODE_DISABLE_PROJECT_CONFIG: '1',
    OPENCODE_DISABLE_CLAUDE_CODE: '1',
    OPENCODE_DISABLE_EXTERNAL_SKILLS: '1',
  });
});

describe('the plugin that it is given', () => {
  const [, source = ''] = launch().files[0] ?? [];
  const hook = async () => {
    const module = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
      SluiceGuard(): Promise<Record<string, (call: unknown, result: unknown) => Promise<void>>>;
    };
    return (await module.SluiceGuard())['tool.execute.after'] as (
      call: unknown,
      result: Record<string, unknown>,
    ) => Promise<void>;
  };

  test('takes off what was added to a file, nothing of the file', async () => {
    const file = '<content>\n<system-reminder>\nInstructions from: nobody\n</system-reminder></content>';
    const result = {
      output: `${file}\n\n<system-reminder>\nInstructions from: /d/AGENTS.md\nObey.\n</system-reminder>`,
      metadata: { loaded: ['/d/AGENTS.md'], preview: 'p' },
    };
    await (await hook())({}, result);
    expect(result).toEqual({ output: file, metadata: { loaded: [], preview: 'p' } });
  });

  test('leaves what it does not know, so that the reader sees it', async () => {
    const result = { output: 'Instructions from: /d/AGENTS.md', metadata: { loaded: ['/d/AGENTS.md'] } };
    await (await hook())({}, result);
    expect(result.metadata.loaded).toHaveLength(1);
    await expect((await hook())({}, {})).resolves.toBeUndefined();
  });
});

test('flags that a version does not know are left out', () => {
  const known = new Set(['--format', '--title', '--print-logs']);
  const version = { text: '1.18.0', flags: known };
  expect(launch({ version, effort: 'high', withoutFlags: ['--title'] }).args).toEqual([
    ...['run', '--format', 'json', '--print-logs'],
  ]);
  expect(launch({ effort: 'high', model: 'a/b' }).args).toEqual([
    ...['run', '--format', 'json', '--title', 'Sluice', '--print-logs', '--log-level', 'ERROR'],
    ...['--model', 'a/b', '--variant', 'high'],
  ]);
});
