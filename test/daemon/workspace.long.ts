import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { anyDisk, costs, jobsOf, linesOf, statesOf } from './agents.ts';
import { makeProject, type Project, until } from './project.ts';

/** `text` runs in the project folder with `$1` the input in the copy and `$2` the root's copy; starts go to `log`. */
const onCopy = (text: string, more = '', log = true): string => `
routing_rules:
  - { name: todo, pattern: "*.todo", agent: work }
  - { name: derived, pattern: "*.new", agent: second }
agents:
  work:
    kind: command
    command: [sh, -c, ${JSON.stringify(text)}, sh, "\${{ file.path }}", "\${{ file.root }}"]
    workspace: copy
    retry: { attempts: 1 }
    sandbox: { mode: off, reason: it writes down that it began }
    env: { LOG: ${log ? 'starts.log' : '/dev/null'} }
  second:
    kind: command
    command: [sh, -c, 'echo "$1" >> second.log; cat "$2"', sh, "\${{ file.rel }}", "\${{ file.path }}"]
    sandbox: { mode: off, reason: it writes down that it began }
${more}${anyDisk}`;

const edit = `echo "$1" >> $LOG
cd "\${1%/*}"
echo edited >> "$1"
echo from the agent > other.txt
rm -f old.txt
echo derived > made.new`;

const read = (project: Project, path: string): string | undefined => {
  const file = join(project.dir, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
};
const tree = (project: Project): (string | undefined)[] =>
  ['a.todo', 'other.txt', 'old.txt', 'made.new'].map((name) => read(project, `inbox/${name}`));
const jobOf = async (project: Project, path: string): Promise<string> =>
  (await jobsOf(project)).find(({ input }) => input.path === path)?.job_id ?? '';

function lay(project: Project): void {
  project.write('inbox/other.txt', 'before');
  project.write('inbox/old.txt', 'old');
}
const laid = ['task\n', 'before', 'old', undefined];
const done = ['task\nedited\n', 'from the agent\n', undefined, 'derived\n'];

test('what an agent changed is put in place after its proof, starts what it is to start, and can be undone', async () => {
  const project = makeProject(onCopy(edit));
  lay(project);
  const daemon = await project.start();
  project.write('inbox/a.todo', 'task\n');
  await until('the derived file is processed too', () => statesOf(project).succeeded === 2);
  expect(tree(project)).toEqual(done);
  const receipt = project.receipt('a.todo');
  expect(receipt?.promoted?.map(({ path, change }) => `${change} ${path}`).toSorted()).toEqual([
    'added made.new',
    'changed a.todo',
    'changed other.txt',
    'removed old.txt',
  ]);
  expect(receipt?.input.sha256).not.toBe(receipt?.promoted?.find(({ path }) => path === 'a.todo')?.sha256);
  expect(project.receipt('made.new')).toMatchObject({ depth: 1, parent: receipt?.job_id });
  // Its own rewritten input is no new work: not by an event, not by a sweep, not by a run.
  expect((await project.sluice('run')).stdout).toContain('unchanged');
  expect([linesOf(project).length, linesOf(project, 'second.log')]).toEqual([1, ['made.new']]);

  const id = await jobOf(project, 'a.todo');
  const undone = await project.sluice('undo', id.slice(0, 8));
  expect(undone).toMatchObject({ code: 0 });
  expect(tree(project)).toEqual(laid);
  project.write('inbox/end.new', 'last');
  await until('what came after the undo is processed', () => linesOf(project, 'second.log').length === 2);
  expect(linesOf(project)).toHaveLength(1);
  expect((await project.sluice('undo', id)).stdout).toContain('nothing had to be put back');
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
  expect((await project.sluice('run')).code).toBe(0);
  expect([linesOf(project).length, linesOf(project, 'second.log').length]).toEqual([1, 2]);
});

test('undo without a daemon leaves what was edited since, and --force keeps that beside the older versions', async () => {
  const project = makeProject(onCopy(edit));
  lay(project);
  project.write('inbox/a.todo', 'task\n');
  expect((await project.sluice('run')).code).toBe(0);
  expect(tree(project)).toEqual(done);
  writeFileSync(join(project.inbox, 'other.txt'), 'my own edit');
  const id = project.receipt('a.todo')?.job_id ?? '';
  const first = await project.sluice('undo', id, '--json');
  expect(first.code).toBe(1);
  expect(JSON.parse(first.stdout)).toMatchObject({ kept: [{ path: 'other.txt', why: 'changed' }] });
  expect(tree(project)).toEqual(['task\n', 'my own edit', 'old', undefined]);
  expect((await project.sluice('undo', id, '--force')).code).toBe(0);
  expect(tree(project)).toEqual(laid);
  expect(await project.sluice('undo', '0123456789abcdef')).toMatchObject({ code: 1 });
});

test('a failed attempt, and one whose tree was changed meanwhile, leave the tree as it is', async () => {
  const project = makeProject(
    onCopy(
      `${edit}; touch "$OLDPWD/began"; while [ ! -e "$OLDPWD/gate" ]; do sleep 0.02; done; case $1 in */bad.todo) exit 5;; esac`,
    ),
  );
  lay(project);
  await project.start();
  project.write('inbox/bad.todo', 'bad\n');
  await until('the first attempt has made its changes', () => project.exists('began'));
  expect([read(project, 'inbox/bad.todo'), read(project, 'inbox/other.txt')]).toEqual(['bad\n', 'before']);
  project.write('gate', '');
  await until('it failed', () => project.receipt('bad.todo')?.state === 'failed');
  expect(tree(project)).toEqual([undefined, 'before', 'old', undefined]);
  expect(read(project, 'inbox/bad.todo')).toBe('bad\n');
  expect(project.receipt('bad.todo')?.promoted).toBeUndefined();

  const { rmSync } = await import('node:fs');
  rmSync(join(project.dir, 'gate'));
  rmSync(join(project.dir, 'began'));
  project.write('inbox/a.todo', 'task\n');
  await until('the second attempt has made its changes', () => project.exists('began'));
  writeFileSync(join(project.inbox, 'other.txt'), 'a person was here');
  project.write('gate', '');
  await until('it failed', () => project.receipt('a.todo')?.state === 'failed');
  expect(tree(project)).toEqual(['task\n', 'a person was here', 'old', undefined]);
  expect(project.receipt('a.todo')?.message).toContain('other.txt');
  expect(project.receipt('a.todo')?.fix).toContain('sluice jobs retry');
});

test('the project folder itself can be the root; originals are kept whatever preserve_original says', async () => {
  const project = makeProject(
    `watch: [{ path: ., name: all }]\n${onCopy(`${edit.replace('echo "$1" >> $LOG', 'pwd > where.txt')}`)}output_settings: { preserve_original: false }\n`,
  );
  writeFileSync(join(project.dir, 'a.todo'), 'task\n');
  writeFileSync(join(project.dir, 'old.txt'), 'old');
  expect(await project.sluice('run')).toMatchObject({ code: 0 });
  expect(read(project, 'a.todo')).toBe('task\nedited\n');
  expect(read(project, 'old.txt')).toBeUndefined();
  // Commands run in the project folder, which is part of the copy here.
  expect(read(project, 'where.txt')).toMatch(/\.sluice\/work\/.*\/workspace\n$/);
  expect(project.exists('processed/archive')).toBe(false);
  expect((await project.sluice('undo', project.receipt('a.todo')?.job_id ?? '')).code).toBe(0);
  expect(read(project, 'a.todo')).toBe('task\n');
});

test('a batch on a copy is put in place once, and undone by its first job', async () => {
  const project = makeProject(
    onCopy(
      'for f in $(tr "\\0" " " < "$SLUICE_FILES"); do echo edited >> "$f"; done; echo run >> $LOG',
    ).replace('agent: work }', 'agent: work, batch: { max_files: 3, quiet: 30s } }'),
  );
  for (const name of ['a', 'b', 'c']) project.write(`inbox/${name}.todo`, `${name}\n`);
  expect(await project.sluice('run')).toMatchObject({ code: 0 });
  for (const name of ['a', 'b', 'c']) expect(read(project, `inbox/${name}.todo`)).toBe(`${name}\nedited\n`);
  const promoted = project.receipts().filter((receipt) => receipt.promoted);
  expect(promoted.map((receipt) => receipt.promoted?.length)).toEqual([3]);
  expect((await project.sluice('run')).stdout).toContain('3 unchanged');
  expect(linesOf(project)).toHaveLength(1);
  expect((await project.sluice('undo', promoted[0]?.job_id ?? '')).code).toBe(0);
  expect(read(project, 'inbox/b.todo')).toBe('b\n');
});

test('a daemon that dies while it puts changes in place completes that at its next start, and runs nothing again', async () => {
  const many = 400;
  const project = makeProject(
    onCopy(
      `echo "$1" >> $LOG; cd "$2"; i=0; while [ $i -lt ${many} ]; do echo new > made$i.txt; i=$((i+1)); done; echo edited >> "$1"; ${costs(4, 7)}`,
    ),
  );
  const first = await project.start();
  project.write('inbox/a.todo', 'task\n');
  const made = (): number =>
    Array.from({ length: many }, (_, i) => i).filter((i) => project.exists(`inbox/made${i}.txt`)).length;
  await until('the first file is in place', () => made() > 0);
  first.kill('SIGKILL');
  await first.exited;
  await project.start();
  await until('the job has its receipt', () => project.receipt('a.todo') !== undefined);
  expect(project.receipt('a.todo')).toMatchObject({
    ...{ state: 'succeeded', cost_usd: 4, usage: { input_tokens: 7 } },
  });
  expect([made(), read(project, 'inbox/a.todo')]).toEqual([many, 'task\nedited\n']);
  expect(project.receipt('a.todo')?.promoted).toHaveLength(many + 1);
  project.write('inbox/last.new', 'last');
  await until('what came later is processed', () => linesOf(project, 'second.log').includes('last.new'));
  expect(linesOf(project)).toHaveLength(1);
  expect((await jobsOf(project)).filter(({ input }) => input.path === 'a.todo')).toHaveLength(1);
});

test('a ledger that lost its last commit takes what was put in place from the receipt', async () => {
  const project = makeProject(onCopy('echo "$1" >> $LOG; echo edited >> "$1"; echo new > "$2/made.txt"'));
  const first = await project.start();
  project.write('inbox/a.todo', 'task\n');
  await until('the job has its receipt', () => project.receipt('a.todo')?.promoted?.length === 2);
  first.kill('SIGKILL');
  await first.exited;
  // What was written when the job ended; that the files are ours is on disk before anybody sees them.
  const db = new DatabaseSync(join(project.dir, '.sluice/ledger.db'));
  db.exec(`update job set state = 'running', ended_at = null, published = 0, worker = 'gone', lease_until = 0,
    promoted = '[]', attempts = '{}', proof = '[]', outputs = '[]'`);
  db.close();

  await project.start();
  await until('the ledger knows its end', async () => (await jobsOf(project))[0]?.state === 'succeeded');
  const [job, ...others] = await jobsOf(project);
  expect(others).toEqual([]);
  expect(job?.promoted?.map(({ path }) => path).toSorted()).toEqual(['a.todo', 'made.txt']);
  expect(project.receipt('a.todo')?.promoted).toHaveLength(2);
  expect(linesOf(project)).toHaveLength(1);
});

test('what a sandbox would not let it write, and hides, is as much out of its reach in a copy', async () => {
  const project = makeProject(
    `watch: [{ path: ., name: all, default_ignore: false }]\n${onCopy(
      `cd "$2"; cat .env 2>&1; cat "$1"; case $1 in
        *config.todo) sed -i s/required/off/ config/orchestrator.yaml;;
        *module.todo) echo >> .git/modules/sub/config;;
        *flow.todo) mkdir -p workflows && echo 'name: own' > workflows/own.yaml;;
      esac; echo made > made.txt`,
    ).replace('{ mode: off, reason: it writes down that it began }', '{ mode: required }')}`,
  );
  const config = read(project, 'config/orchestrator.yaml');
  writeFileSync(join(project.dir, '.env'), 'KEY=1', { mode: 0o600 });
  project.write('.git/HEAD', 'ref: refs/heads/main\n');
  project.write('.git/modules/sub/HEAD', 'ref: refs/heads/main\n');
  project.write('.git/modules/sub/config', '');
  for (const name of ['config', 'flow', 'module', 'plain'])
    writeFileSync(join(project.dir, `${name}.todo`), `do ${name}`, { mode: 0o600 });
  expect((await project.sluice('run')).code).toBe(1);
  const of = (name: string) =>
    JSON.parse(read(project, `processed/files/all/${name}.todo/receipt.json`) ?? '{}');
  for (const [name, path] of [
    ['config', 'config/orchestrator.yaml'],
    ['flow', 'workflows'],
    ['module', '.git/modules/sub/config'],
  ]) {
    expect(of(name as string)).toMatchObject({ state: 'failed', reason: 'permission_denied' });
    expect(of(name as string).message).toContain(`"${path}"`);
  }
  expect(of('plain')).toMatchObject({
    state: 'succeeded',
    promoted: [{ path: 'made.txt', change: 'added' }],
  });
  expect(read(project, 'processed/files/all/plain.todo/result.md')).toMatch(/Permission denied\ndo plain$/);
  expect(read(project, 'config/orchestrator.yaml')).toBe(config);
  expect(read(project, 'workflows/own.yaml')).toBeUndefined();
});
