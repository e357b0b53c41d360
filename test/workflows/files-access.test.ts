/** `glob()` and `hashFiles()` on a real tree. */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { evaluate, type FileAccess } from '../../src/expressions/expressions.ts';
import { pathFromBytes } from '../../src/types/path-bytes.ts';
import { createFileAccess } from '../../src/workflows/files-access.ts';

let projectDir: string;
let access: FileAccess;
const rels = async (...patterns: string[]) => (await access.glob(patterns, 1000)).map(({ rel }) => rel);

beforeAll(() => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-files-'));
  projectDir = join(dir, 'project');
  for (const rel of [
    'README.md',
    '.env',
    'src/a.ts',
    'src/b.test.ts',
    'src/deep/er/c.ts',
    'src/new\nline.ts',
    'src/[x].ts',
    'src/node_modules/m/index.ts',
    'node_modules/left-pad/index.js',
    '.git/config',
    '.venv/bin/x.py',
    '__pycache__/x.pyc',
    '.sluice/token',
    '.sluice/work/job/stdout',
    'processed/files/inbox/a/result.md',
    'processed-not/x.md',
    '../outside/secret.txt',
  ])
    put(rel, rel);
  writeFileSync(
    Buffer.concat([Buffer.from(`${projectDir}/src/`), Buffer.from([0x66, 0xff]), Buffer.from('.bin')]),
    'x',
  );
  symlinkSync('../outside', join(projectDir, 'link'));
  symlinkSync('/', join(projectDir, 'src/root'));
  symlinkSync('a.ts', join(projectDir, 'src/same.ts'));
  symlinkSync('..', join(projectDir, 'src/up'));
  access = createFileAccess({
    config: () => ({ projectDir }),
    excluded: () => [join(projectDir, '.sluice'), join(projectDir, 'processed')],
  });
});
afterAll(() => rmSync(dirname(projectDir), { recursive: true, force: true }));

function put(rel: string, content: string): void {
  const path = join(projectDir, rel);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

test.for<[patterns: string[], found: string[]]>([
  [['*'], ['.env', 'README.md']],
  [['README.md'], ['README.md']],
  [
    ['./README.md', '.env'],
    ['.env', 'README.md'],
  ],
  [['src/*.ts'], ['src/[x].ts', 'src/a.ts', 'src/b.test.ts', 'src/new\nline.ts']],
  [
    ['src/**/*.ts', '!**/*.test.ts', '!src/new*'],
    ['src/[x].ts', 'src/a.ts', 'src/deep/er/c.ts'],
  ],
  [['src/deep/**', 'src/**/er/*', '**/c.ts'], ['src/deep/er/c.ts']],
  [['src/{a,b.test}.ts'], ['src/a.ts', 'src/b.test.ts']],
  [['src/\\[x\\].ts'], ['src/[x].ts']],
  [['**/*.md'], ['README.md', 'processed-not/x.md']],
  // Left out, unless a pattern begins with it.
  [['**/*.{js,py,pyc}', '**/config'], []],
  [['node_modules/**/*.js', '**/*.js'], ['node_modules/left-pad/index.js']],
  [['src/node_modules/m/*'], ['src/node_modules/m/index.ts']],
  [['.git/config'], ['.git/config']],
  // Our own: never.
  [['.sluice/**', '.sluice/token', '.sluice/work/job/*', '**/stdout', '**/token'], []],
  [['processed/**', 'processed/files/inbox/a/result.md'], []],
  // Links are not followed, wherever they stand.
  [
    [
      'link/**',
      'link/secret.txt',
      '**/secret.txt',
      'src/root/etc/*',
      'src/up/README.md',
      'src/same.ts',
      'link',
    ],
    [],
  ],
  // Nothing there.
  [['missing/**', 'missing.txt', 'README.md/x', 'src'], []],
])('%j', async ([patterns, found]) => {
  expect(await rels(...patterns)).toEqual(found);
  expect((await access.hash(patterns)) === '').toBe(found.length === 0);
});

test('each file with all that is known of it', async () => {
  expect(await access.glob(['src/b*'], 10)).toEqual([
    {
      path: join(projectDir, 'src/b.test.ts'),
      rel: 'src/b.test.ts',
      name: 'b.test.ts',
      stem: 'b.test',
      ext: '.ts',
      dir: join(projectDir, 'src'),
      root: projectDir,
      sha256: createHash('sha256').update('src/b.test.ts').digest('hex'),
      bytes: 13,
    },
  ]);
});

test('names that are no UTF-8', async () => {
  const [file] = await access.glob(['src/*.bin'], 10);
  expect(file).toMatchObject({
    name: pathFromBytes(Buffer.from([0x66, 0xff, 0x2e, 0x62, 0x69, 0x6e])),
    bytes: 1,
  });
});

test.for([
  [['/etc/*'], 'leads out'],
  [['../outside/*'], 'leads out'],
  [['src/../../outside/*'], 'leads out'],
  [['!/etc/*', '**'], 'leads out'],
  [['{..,a}/*'], 'the project folder'],
  [['src/'], 'ends in "/"'],
  [[''], 'empty'],
  [['src/(a'], 'never closed'],
  [['*a*a*a*a*a*a*a*a*a*a*a'], 'for ever'],
  [['!**'], 'only takes files away'],
] as const)('%j is refused', async ([patterns, message]) => {
  for (const asked of [access.glob(patterns, 10), access.hash(patterns)])
    await expect(asked).rejects.toMatchObject({
      code: 'EXPRESSION',
      message: expect.stringContaining(message),
      fix: expect.stringMatching(/\w/),
    });
});

test('more than the limit is an error, not a cut list', async () => {
  await expect(access.glob(['src/**'], 2)).rejects.toThrow('more than 2 files match src/**');
});

test('the checksum follows names and contents, and nothing else', async () => {
  const hash = () => access.hash(['sums/**']);
  expect(await hash()).toBe('');
  put('sums/a', '1');
  put('sums/b', '2');
  const first = await hash();
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  put('sums/a', '1');
  expect(await hash()).toBe(first);
  put('sums/a', '3');
  expect(await hash()).not.toBe(first);
  put('sums/a', '1');
  renameSync(join(projectDir, 'sums/b'), join(projectDir, 'sums/c'));
  expect(await hash()).not.toBe(first);
  renameSync(join(projectDir, 'sums/c'), join(projectDir, 'sums/b'));
  expect(await hash()).toBe(first);
  // Names and contents are kept apart: moving a byte from one to the other is a change.
  put('sums/a', '');
  const other = await hash();
  unlinkSync(join(projectDir, 'sums/b'));
  expect(new Set([first, other, await hash()]).size).toBe(3);
  expect(await access.hash(['sums/**', 'sums/a'])).toBe(await hash());
});

test('a folder that cannot be read is told', async () => {
  if (process.getuid?.() === 0) return;
  put('locked/x/a', 'a');
  chmodSync(join(projectDir, 'locked/x'), 0);
  onTestFinished(() => chmodSync(join(projectDir, 'locked/x'), 0o700));
  await expect(rels('locked/**')).rejects.toMatchObject({
    code: 'EXPRESSION',
    message: expect.stringContaining('cannot be read'),
  });
});

test('in an expression', async () => {
  const scope = { context: () => undefined, files: access };
  expect(await evaluate("length(glob('src/*.ts', '!**/a.ts'))", scope)).toBe(3);
  expect(await evaluate("hashFiles('src/a.ts') != hashFiles('src/b.test.ts')", scope)).toBe(true);
  await expect(evaluate("glob('../x')", scope)).rejects.toMatchObject({ code: 'EXPRESSION', at: 0 });
});

test('whatever a pattern is, nothing outside and nothing of ours is found', async () => {
  const part = fc.constantFrom(
    '..',
    '.',
    '*',
    '**',
    'src',
    'link',
    '.sluice',
    'processed',
    'secret.txt',
    'outside',
    'token',
    '{a,..}',
    '?',
    '',
    '[.]',
    'up',
    'root',
    '!(a)',
    'work',
  );
  const pattern = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
  await fc.assert(
    fc.asyncProperty(pattern, async (one) => {
      const files = await access.glob([one], 5000).catch((error: { code?: string }) => {
        expect(error.code).toBe('EXPRESSION');
        return [];
      });
      for (const { path, rel } of files) {
        expect(path).toBe(join(projectDir, rel));
        expect(rel).not.toMatch(/^\.sluice|^processed\/|secret|\/(root|up)\/|^link/);
      }
    }),
    { numRuns: 150 },
  );
});

test('a file that is written to all the time has no checksum', async () => {
  onTestFinished(() => rmSync(join(projectDir, 'busy'), { recursive: true }));
  put('busy/log', 'x');
  let goes = true;
  const write = (): void => {
    if (!goes) return;
    appendFileSync(join(projectDir, 'busy/log'), 'x');
    setImmediate(write);
  };
  // Larger than what is read at once: writes come between its slices.
  appendFileSync(join(projectDir, 'busy/log'), 'x'.repeat(8 << 20));
  write();
  try {
    await expect(access.hash(['busy/*'])).rejects.toThrow('"busy/log" is written to all the time');
    expect(await rels('busy/*')).toEqual([]);
  } finally {
    goes = false;
  }
});

test('many files leave the rest of the program its turns', async () => {
  for (let folder = 0; folder < 20; folder += 1) {
    mkdirSync(join(projectDir, `many/${folder}`), { recursive: true });
    for (let file = 0; file < 100; file += 1)
      writeFileSync(join(projectDir, `many/${folder}/${file}`), `${file}`);
  }
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  const found = await rels('README.md').then(() => access.glob(['many/**'], 5000));
  clearInterval(timer);
  expect(found).toHaveLength(2000);
  expect(turns).toBeGreaterThan(0);
  expect(found.map(({ rel }) => rel)).toEqual(found.map(({ rel }) => rel).toSorted());
});
