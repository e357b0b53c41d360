/** What is kept and what goes; a project into a file and back, and files that are no such thing. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Header } from 'tar';
import { expect, test } from 'vitest';
import type { GcReport } from '../../src/operations/gc.ts';
import { importProject } from '../../src/operations/import.ts';
import type { Receipt } from '../../src/types/receipt.ts';
import { stateFolder } from '../ledger/state-folder.ts';
import { config, makeProject, Project } from './sluice.ts';

function age(path: string, days: number): void {
  const at = new Date(Date.now() - days * 86_400_000);
  utimesSync(path, at, at);
}

test('gc: a rehearsal, then the same in earnest, without a daemon and through one', async () => {
  const project = makeProject({ 'inbox/a.txt': 'a', 'inbox/b.bad': 'b' });
  expect((await project.json<GcReport>('gc', '--dry-run')).removed).toEqual([]);
  expect((await project.call('run')).code).toBe(1);
  const leave = (name: string): string => {
    project.write(`.sluice/work/${name}/1/stdout`, 'x'.repeat(1_000));
    age(join(project.dir, '.sluice/work', name), 90);
    return join(project.dir, '.sluice/work', name);
  };
  const old = leave('0123456789abcdef');
  const plan = await project.json<GcReport>('gc', '--dry-run');
  expect(plan).toMatchObject({ dry_run: true, removed: [{ what: 'work', items: 1, bytes: 1_000 }] });
  expect(existsSync(old)).toBe(true);
  expect(plan.kept.map(({ what }) => what)).toEqual(
    expect.arrayContaining(['ledger', 'write-ahead log', 'logs', 'work', 'history', 'undo', 'results']),
  );
  const done = await project.call('gc');
  expect(done.stdout).toContain('1000 B were freed');
  expect(existsSync(old)).toBe(false);

  await project.start();
  const second = leave('fedcba9876543210');
  expect((await project.json<GcReport>('gc', '--dry-run')).removed).toMatchObject([{ what: 'work' }]);
  expect(existsSync(second)).toBe(true);
  expect((await project.json<GcReport>('gc')).removed).toMatchObject([{ what: 'work' }]);
  expect(existsSync(second)).toBe(false);
  expect(await project.json<Receipt[]>('jobs')).toHaveLength(2);
});

test('a project goes into a file while its daemon runs, and comes back elsewhere', async () => {
  const project = makeProject({ 'inbox/a.txt': 'a', 'inbox/b.txt': 'b', 'inbox/ü/ß "x".txt': 'c' });
  expect((await project.call('run')).code).toBe(0);
  project.write('inbox/a.txt', 'a new');
  expect((await project.call('run')).code).toBe(0);
  await project.start();
  const report = await project.json<{ files: number }>('export', 'backup.tar');
  expect(report.files).toBeGreaterThan(6);
  expect(statSync(join(project.dir, 'backup.tar')).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(project.dir, '.sluice')).filter((name) => name.startsWith('export'))).toEqual([]);
  for (const inside of ['.sluice/x.tar', 'processed/x.tar', 'backup.tar'])
    expect((await project.call('export', inside)).code).toBe(2);

  const other = new Project();
  const backup = join(project.dir, 'backup.tar');
  expect(await other.json('import', backup)).toMatchObject({ config_file: 'config/orchestrator.yaml' });
  const jobs = (of: Project) => of.json<Receipt[]>('jobs');
  expect((await jobs(other)).map(({ job_id: id }) => id)).toEqual(
    (await jobs(project)).map(({ job_id: id }) => id),
  );
  for (const path of ['processed/files/inbox/ü/ß "x".txt/result.md', 'config/orchestrator.yaml'])
    expect(readFileSync(join(other.dir, path))).toEqual(readFileSync(join(project.dir, path)));
  expect(readdirSync(join(other.dir, '.sluice/history'))).toEqual(
    readdirSync(join(project.dir, '.sluice/history')),
  );

  // The same files, though others on disk: their results are known, nothing runs again.
  for (const [path, text] of [
    ['inbox/a.txt', 'a new'],
    ['inbox/b.txt', 'b'],
    ['inbox/ü/ß "x".txt', 'c'],
  ] as const)
    other.write(path, text);
  const before = (await jobs(other)).length;
  expect((await other.call('run')).code).toBe(0);
  const since = (await jobs(other)).slice(0, -before).map(({ state }) => state);
  expect(since).toEqual(['cached', 'cached', 'cached']);

  const again = await other.call('import', backup);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('--replace')]);
  writeFileSync(join(other.dir, 'config/orchestrator.yaml'), `${config}\n# mine`);
  const { set_aside: aside } = await other.json<{ set_aside: string }>('import', backup, '--replace');
  expect(readFileSync(join(aside, 'config/orchestrator.yaml'), 'utf8')).toContain('# mine');
  expect(existsSync(join(aside, '.sluice/ledger.db'))).toBe(true);
  expect(await jobs(other)).toHaveLength(4);
});

/** A tar file as somebody who means ill would make it. */
function archive(
  ...entries: { path: string; text?: string; type?: 'File' | 'SymbolicLink' | 'Link'; linkpath?: string }[]
): string {
  const file = join(stateFolder(), 'evil.tar');
  const blocks = entries.flatMap(({ path, text = '', type = 'File', linkpath }) => {
    const block = Buffer.alloc(512);
    new Header({
      path,
      size: text.length,
      mode: 0o644,
      type,
      ...(linkpath !== undefined && { linkpath }),
    }).encode(block);
    const body = Buffer.alloc(Math.ceil(text.length / 512) * 512);
    body.write(text);
    return [block, body];
  });
  writeFileSync(file, Buffer.concat([...blocks, Buffer.alloc(1_024)]));
  return file;
}

const manifest = (more: object = {}): { path: string; text: string } => ({
  path: 'manifest.json',
  text: JSON.stringify({
    schema: 1,
    sluice: '0',
    created_at: '',
    config_file: '',
    output_dir: 'processed',
    files: [],
    links: [],
    ...more,
  }),
});

test.each([
  ['../outside', archive.bind(null, { path: '../outside', text: 'x' }, manifest())],
  [
    'a way out in the middle',
    archive.bind(null, { path: 'project/a/../../../outside', text: 'x' }, manifest()),
  ],
  ['an absolute name', archive.bind(null, { path: '/tmp/outside-sluice', text: 'x' }, manifest())],
  [
    'the state folder by another way',
    archive.bind(null, { path: 'project/.sluice/token', text: 'x' }, manifest()),
  ],
  [
    'a link',
    archive.bind(null, { path: 'project/link', type: 'SymbolicLink', linkpath: '/etc' }, manifest()),
  ],
  [
    'a hard link',
    archive.bind(null, { path: 'project/link', type: 'Link', linkpath: '/etc/passwd' }, manifest()),
  ],
  [
    'the same twice',
    archive.bind(null, { path: 'project/a', text: 'x' }, { path: 'project/a', text: 'y' }, manifest()),
  ],
  ['what the manifest does not name', archive.bind(null, { path: 'project/a', text: 'x' }, manifest())],
  [
    'a wrong checksum',
    archive.bind(
      null,
      { path: 'project/a', text: 'x' },
      manifest({ files: [{ name: 'project/a', bytes: 1, sha256: '0' }] }),
    ),
  ],
  ['a missing file', archive.bind(null, manifest({ files: [{ name: 'project/a', bytes: 1, sha256: '0' }] }))],
  ['an output folder elsewhere', archive.bind(null, manifest({ output_dir: '../../x' }))],
  [
    'a link that leads elsewhere',
    archive.bind(null, manifest({ links: [{ name: 'state/history/a', target: '../../x' }] })),
  ],
  ['a form of the future', archive.bind(null, manifest({ schema: 2 }))],
  ['no manifest', archive.bind(null, { path: 'project/a', text: 'x' })],
  ['nothing', archive.bind(null)],
])('an archive with %s is refused whole', async (_, make) => {
  const projectDir = join(stateFolder(), 'deep/project');
  const importing = importProject({ file: make(), projectDir, replace: false, now: 0 });
  await expect(importing).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
  expect(readdirSync(projectDir)).toEqual(['.sluice']);
  expect(readdirSync(join(projectDir, '.sluice')).filter((name) => !name.startsWith('daemon.'))).toEqual([]);
  expect(existsSync(join(dirname(projectDir), 'outside'))).toBe(false);
});

test('what is no archive at all, and a folder that is a link to elsewhere', async () => {
  const dir = stateFolder();
  writeFileSync(join(dir, 'text.tar'), 'not a tar file at all '.repeat(100));
  const projectDir = join(dir, 'project');
  const load = (file: string) => importProject({ file, projectDir, replace: true, now: 0 });
  await expect(load(join(dir, 'text.tar'))).rejects.toMatchObject({ code: 'NOT_POSSIBLE' });
  await expect(load(join(dir, 'none.tar'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  mkdirSync(join(dir, 'elsewhere'));
  symlinkSync(join(dir, 'elsewhere'), join(projectDir, 'config'));
  const sha256 = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
  const file = archive(
    { path: 'project/config/a.yaml', text: 'x' },
    manifest({ files: [{ name: 'project/config/a.yaml', bytes: 1, sha256 }] }),
  );
  await expect(load(file)).rejects.toMatchObject({
    code: 'NOT_POSSIBLE',
    message: expect.stringContaining('is a link'),
  });
  expect(readdirSync(join(dir, 'elsewhere'))).toEqual([]);
});
