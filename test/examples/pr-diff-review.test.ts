/** The scripts beside the reviewers: what is put before them, and what becomes of their findings. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { examples, lacks } from './example.ts';

const folder = join(examples, 'pr-diff-review');
const scripts = join(folder, 'workflows/pr-diff-review');
const { asDiff, mostBytes } = (await import(join(scripts, 'take_diff.mjs'))) as {
  asDiff(text: string, name: string): string;
  readonly mostBytes: number;
};
const { placeOf, toSarif } = (await import(join(scripts, 'findings.mjs'))) as {
  placeOf(place: string | null | undefined): { readonly path: string; readonly line: number } | undefined;
  toSarif(review: object): {
    readonly runs: readonly [
      {
        readonly invocations: readonly object[];
        readonly results: readonly object[];
        readonly tool: object;
      },
    ];
  };
};

const hunk = '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n';

describe('what is a diff', () => {
  test.each<readonly [name: string, text: string]>([
    ['of git', `diff --git a/x b/x\n${hunk}`],
    ['of diff -u', hunk],
    ['with several parents', '@@@ -1,2 -1,2 +1,2 @@@\n  a\n'],
    ['a binary file', 'diff --git a/x b/x\nBinary files a/x and b/x differ\n'],
    ['a renamed file', 'diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n'],
    ['another mode', 'diff --git a/x b/x\nold mode 100644\nnew mode 100755\n'],
    ['an empty new file', 'diff --git a/x b/x\nnew file mode 100644\nindex 0000000..e69de29\n'],
  ])('%s', (_, text) => {
    expect(asDiff(text, 'it')).toBe(text);
  });

  test('nothing changed; line ends of Windows; a line of a commit message that looks like an event', () => {
    expect(asDiff(' \n', 'it')).toBe('');
    expect(asDiff(hunk.replaceAll('\n', '\r\n'), 'it')).toBe(hunk);
    expect(asDiff(`{"type":"error","payload":{}}\n${hunk}`, 'it')).toBe(
      ` {"type":"error","payload":{}}\n${hunk}`,
    );
  });

  test.each<readonly [name: string, text: string, said: RegExp]>([
    ['a text', 'Dear colleagues', /it is no unified diff: make one with `git diff`/],
    ['an old form of diff', '1c1\n< a\n---\n> b\n', /no unified diff/],
    [
      'too large to be seen whole',
      `${hunk}${'+x\n'.repeat(mostBytes / 3)}`,
      /has 161 KiB, and reviewers are shown 160\. Review it in parts/,
    ],
  ])('not %s', (_, text, said) => {
    expect(() => asDiff(text, 'it')).toThrow(said);
  });
});

test.skipIf(lacks('git') !== undefined)('the diff of a branch against its base, in a repository', () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-diff-')));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const git = (...args: string[]): void => {
    const identity = ['-c', 'user.name=T', '-c', 'user.email=t@example.org'];
    const { status, stderr } = spawnSync('git', ['-C', dir, ...identity, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  const put = (name: string, text: string): void => writeFileSync(join(dir, name), text);
  const take = (...args: string[]): { readonly code: number | null; readonly out: string } => {
    const { status, stdout, stderr } = spawnSync('node', [join(scripts, 'take_diff.mjs'), ...args], {
      cwd: dir,
      encoding: 'utf8',
    });
    return { code: status, out: status === 0 ? stdout : stderr };
  };
  expect(take('', 'main', '').out).toBe(
    'This folder is in no git repository. Give a diff: `--input diff=FILE`.\n',
  );
  git('init', '-q', '-b', 'main');
  put('straße.js', 'let a = 1;\n');
  put('other.js', 'let b = 1;\n');
  git('add', '.');
  git('commit', '-qm', 'base');
  expect(take('', 'main', '')).toEqual({ code: 0, out: '' });
  git('checkout', '-qb', 'feature');
  put('straße.js', 'let a = 2;\n');
  put('other.js', 'let b = 2;\n');
  git('commit', '-qam', 'change');
  git('checkout', '-q', 'main');
  put('later.js', 'not of the branch\n');
  git('add', '.');
  git('commit', '-qm', 'later');
  git('checkout', '-q', 'feature');
  const all = take('', 'main', '');
  expect(all.out).toContain('+++ b/straße.js');
  expect(all.out).toContain('+let b = 2;');
  expect(all.out).not.toContain('later.js');
  expect(take('', 'main', 'other.js  none').out).not.toContain('straße.js');
  expect(take('', 'trunk', '')).toMatchObject({
    code: 1,
    out: expect.stringContaining('Is "trunk" the right base'),
  });
  expect(take('', '--output=hacked', '')).toMatchObject({ code: 1 });
  expect(existsSync(join(dir, 'hacked'))).toBe(false);
  expect(take('none.diff', 'main', '').code).toBe(1);
});

test.each<readonly [place: string | null | undefined, at: ReturnType<typeof placeOf>]>([
  ['src/a.ts:12', { path: 'src/a.ts', line: 12 }],
  ['src/a.ts:12-14', { path: 'src/a.ts', line: 12 }],
  ['src/a.ts:12:3', { path: 'src/a.ts', line: 12 }],
  ['`src/a b.ts:7`', { path: 'src/a b.ts', line: 7 }],
  ['b/src/a.ts', { path: 'src/a.ts', line: 0 }],
  ['report:3', undefined],
  ['the second hunk', undefined],
  ['../../etc/passwd:1', undefined],
  ['/etc/passwd:1', undefined],
  ['https://example.org/x:1', undefined],
  ['', undefined],
  [null, undefined],
  [undefined, undefined],
])('the place %j', (place, at) => {
  expect(placeOf(place)).toEqual(at);
});

test('findings as SARIF: by severity, where they are; who has not answered is no clean bill of health', () => {
  const sarif = toSarif({
    verdicts: [
      {
        agent: 'first',
        verdict: 'blocker',
        summary: 's',
        findings: [
          { severity: 'blocking', text: 'Wrong.', place: 'src/a b.ts:3', evidence: '+x' },
          { severity: 'minor', text: 'Odd.', place: 'the title' },
        ],
      },
      { agent: 'second', verdict: 'missing', summary: 'its job is failed: auth', findings: [] },
    ],
  });
  const [run] = sarif.runs;
  expect(run.invocations).toEqual([
    {
      executionSuccessful: false,
      toolExecutionNotifications: [
        { level: 'error', message: { text: 'second has given no verdict: its job is failed: auth' } },
      ],
    },
  ]);
  expect(run.results).toMatchObject([
    {
      ruleId: 'first/blocking',
      level: 'error',
      message: { text: 'Wrong.\n\n+x' },
      locations: [
        {
          physicalLocation: { artifactLocation: { uri: 'src/a%20b.ts' }, region: { startLine: 3 } },
        },
      ],
    },
    { ruleId: 'first/minor', level: 'note', message: { text: 'Odd. (the title)' } },
  ]);
  expect(run.results[1]).not.toHaveProperty('locations');
  expect(toSarif({ verdicts: [] }).runs[0].invocations).toEqual([{ executionSuccessful: true }]);
});

test('the samples are diffs that can be reviewed', () => {
  for (const name of ['basket-discounts.diff', 'log-rotation.patch']) {
    const text = readFileSync(join(folder, 'changes', name), 'utf8');
    expect(asDiff(text, name)).toBe(text);
  }
});
