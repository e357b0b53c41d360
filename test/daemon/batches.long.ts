import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { anyDisk, jobsOf, linesOf, resultOf, statesOf, unconfined } from './agents.ts';
import { makeProject, type Project, until } from './project.ts';

/** An agent that gets many files: `$LIST` has their names, one per line. Each attempt is a line `<number> <names>`. */
const batched = (batch: string, text: string, o: { agent?: string; more?: string } = {}): string => `
routing_rules: [{ name: all, pattern: "**", agent: work, batch: { ${batch} } }]
agents:
  work:
    kind: command
    command: [sh, -c, ${JSON.stringify(
      `LIST=$(tr '\\0' '\\n' < "$SLUICE_FILES"); echo $(echo "$LIST" | wc -l) $(for f in $LIST; do basename $f; done) >> starts.log\n${text}`,
    )}]
    ${unconfined}
    ${o.agent ?? 'retry: { attempts: 1 }'}
concurrency_limits: { max_processes: 2, max_concurrent_files: 64 }
${o.more ?? ''}${anyDisk}`;

const sizes = (project: Project): number[] => linesOf(project).map((line) => Number.parseInt(line, 10));
const drop = (project: Project, n: number, name = (i: number) => `f${i}.txt`): void => {
  for (let i = 0; i < n; i++) project.write(`inbox/${name(i)}`, `content ${i}`);
};

test('five files are one attempt with a receipt each; outputs go to the file they are named after', async () => {
  const project = makeProject(
    batched(
      'max_files: 5, quiet: 30s',
      'for f in $LIST; do cp "$f" "$SLUICE_OUTPUT_DIR/$(basename $f).out"; done; echo together; echo x > "$SLUICE_OUTPUT_DIR/summary"',
    ),
  );
  drop(project, 5);
  const run = await project.sluice('run');
  expect(run).toMatchObject({ code: 0 });
  expect(sizes(project)).toEqual([5]);
  expect(statesOf(project)).toEqual({ succeeded: 5 });
  const receipts = project.receipts();
  expect(new Set(receipts.map(({ attempts }) => attempts[0]?.batch?.id)).size).toBe(1);
  expect(receipts.map(({ attempts }) => attempts[0]?.batch?.files)).toEqual([5, 5, 5, 5, 5]);
  for (const { input, outputs } of receipts) {
    expect(outputs.map(({ path }) => path)).toContain(`${input.path}.out`);
    expect(resultOf(project, input.path)).toBe('together\n');
    const out = join(project.dir, 'processed/files/inbox', input.path, 'outputs', `${input.path}.out`);
    expect(readFileSync(out, 'utf8')).toBe(`content ${input.path[1]}`);
  }
  expect(receipts.filter(({ outputs }) => outputs.length === 2)).toHaveLength(1);
});

test('${{ files }} is an argument for each file, names with blanks and quotes included', async () => {
  const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: work, batch: { max_files: 3, quiet: 30s } }]
agents: { work: { kind: command, command: [sh, -c, 'for a in "$@"; do basename "$a"; done', sh, "\${{ files }}"] } }
concurrency_limits: { max_concurrent_files: 8 }
${anyDisk}`);
  for (const name of ['a b.txt', "it's $HOME.txt", '-n.txt']) project.write(`inbox/${name}`, name);
  expect((await project.sluice('run')).code).toBe(0);
  expect(resultOf(project, 'a b.txt').trimEnd().split('\n').toSorted()).toEqual(
    ['a b.txt', "it's $HOME.txt", '-n.txt'].toSorted(),
  );
});

test('results.jsonl says what became of each: one failure, own texts, the rest shares the attempt', async () => {
  const project = makeProject(
    batched(
      'max_files: 4, quiet: 30s',
      `cat > "$SLUICE_OUTPUT_DIR/results.jsonl" <<'END'
{"file":"f0.txt","state":"failed","message":"line 3 has 4 columns"}
{"file":"f1.txt","state":"succeeded","result":"fine","outputs":["odd"]}
{"file":"../../etc/passwd","state":"succeeded"}
no json
END
echo odd > "$SLUICE_OUTPUT_DIR/odd"; echo all`,
    ),
  );
  drop(project, 4);
  const run = await project.sluice('run');
  expect(run.code).toBe(1);
  expect(run.stdout + run.stderr).toContain('line 3 has 4 columns');
  expect(statesOf(project)).toEqual({ succeeded: 3, failed: 1 });
  expect(project.receipt('f0.txt')).toMatchObject({ state: 'failed', message: 'line 3 has 4 columns' });
  expect(resultOf(project, 'f1.txt')).toBe('fine');
  expect(project.receipt('f1.txt')?.outputs.map(({ path }) => path)).toEqual(['odd']);
  expect(resultOf(project, 'f2.txt')).toBe('all\n');
  expect(sizes(project)).toEqual([4]);
});

const poisoned = 'for f in $LIST; do case $f in */bad*) echo "poison" >&2; exit 3;; esac; done';

test('of 32 files one or three poisoned ones are found by halving; nobody else fails', async () => {
  const hunt = async (bad: number, most: number): Promise<void> => {
    const project = makeProject(batched('max_files: 32, quiet: 30s', poisoned));
    drop(project, 32, (i) => (i % 11 === 5 && i < bad * 11 ? `bad${i}.txt` : `f${i}.txt`));
    expect((await project.sluice('run')).code).toBe(1);
    expect(statesOf(project)).toEqual({ succeeded: 32 - bad, failed: bad });
    for (const { input, state, reason } of project.receipts())
      expect([input.path, state, reason]).toEqual(
        input.path.startsWith('bad')
          ? [input.path, 'failed', 'exit_code']
          : [input.path, 'succeeded', undefined],
      );
    expect(sizes(project)[0]).toBe(32);
    expect(sizes(project).length).toBeLessThanOrEqual(most);
  };
  await Promise.all([hunt(1, 11), hunt(3, 29)]);
});

test('on_failure: fail fails all of the batch with one attempt', async () => {
  const project = makeProject(batched('max_files: 8, quiet: 30s, on_failure: fail', poisoned));
  drop(project, 8, (i) => (i === 3 ? 'bad.txt' : `f${i}.txt`));
  expect((await project.sluice('run')).code).toBe(1);
  expect(statesOf(project)).toEqual({ failed: 8 });
  expect(sizes(project)).toEqual([8]);
});

test('by: folder takes a folder that is copied slowly as one unit, files beside it one by one', async () => {
  const project = makeProject(batched('by: folder, quiet: 2s', 'true'));
  await project.start();
  project.write('inbox/alone.txt', 'alone');
  let [lastAt, longestMs] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < 6; i++) {
    project.write(`inbox/photos/${i % 2 ? 'deep/' : ''}p${i}.txt`, `photo ${i}`);
    longestMs = Math.max(longestMs, performance.now() - lastAt);
    lastAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  await until('all have a receipt', () => project.receipts().length === 7);
  // A machine that stops us for longer than the quiet time has copied two units.
  if (longestMs < 1_000) expect(sizes(project).toSorted()).toEqual([1, 6]);
});

test('max_files: auto grows while whole batches succeed', async () => {
  const project = makeProject(batched('max_files: auto, quiet: 2s', 'true'));
  drop(project, 60);
  expect((await project.sluice('run')).code).toBe(0);
  const made = sizes(project);
  expect(made.reduce((a, b) => a + b, 0)).toBe(60);
  expect(made[0]).toBe(8);
  expect(Math.max(...made)).toBeGreaterThan(8);
});

test('cancel, and a change under way, take one file out of the batch and leave the others', async () => {
  const takeOut = async (whose: 'first' | 'third'): Promise<void> => {
    const project = makeProject(
      batched('max_files: 4, quiet: 2s', 'while [ ! -e gate ]; do sleep 0.02; done; cat $LIST'),
    );
    await project.start();
    drop(project, 4);
    await until('the batch runs', () => sizes(project).length === 1);
    const first = linesOf(project)[0]?.split(' ')[1] ?? '';
    const changed = whose === 'first' ? first : (linesOf(project)[0]?.split(' ')[3] ?? '');
    const cancelled = linesOf(project)[0]?.split(' ')[whose === 'first' ? 3 : 1] ?? '';
    const job = (await jobsOf(project)).find(({ input }) => input.path === cancelled)?.job_id ?? '';
    expect((await project.sluice('jobs', 'cancel', job)).code).toBe(0);
    project.write(`inbox/${changed}`, 'new content');
    await until('the change was taken in', async () => (await jobsOf(project)).length === 5);
    project.write('gate', '');
    await until('all others have a receipt', () => project.receipts().length === 3);
    await until('nothing is open', async () => {
      const { queue } = await project.status();
      return queue.queued + queue.running + queue.waiting === 0;
    });
    const jobs = await jobsOf(project);
    const of = (path: string) => jobs.filter(({ input }) => input.path === path).map(({ state }) => state);
    expect(of(cancelled)).toEqual(['cancelled']);
    expect(of(changed)).toEqual(['succeeded', 'superseded']);
    expect(statesOf(project)).toEqual({ succeeded: 3 });
    expect(sizes(project)).toEqual([4, 1]);
    expect(resultOf(project, changed)).toBe('new content');
  };
  await Promise.all([takeOut('first'), takeOut('third')]);
});

test('a daemon that dies while a batch runs, or after it finished, gives every file one receipt', async () => {
  const project = makeProject(
    batched(
      'max_files: 6, quiet: 30s',
      `while [ ! -e gate ]; do sleep 0.02; done
echo '{"file":"f1.txt","state":"failed","message":"bad columns"}' > "$SLUICE_OUTPUT_DIR/results.jsonl"
for f in $LIST; do cp "$f" "$SLUICE_OUTPUT_DIR/$(basename $f).out"; done; echo done >> done.log`,
    ),
  );
  const first = await project.start();
  drop(project, 6);
  await until('the batch runs', () => sizes(project).length === 1);
  first.kill('SIGKILL');
  await first.exited;
  const second = await project.start();
  await until('it runs again', () => sizes(project).length === 2);
  // Killed at a moment at which the attempt has ended and its files are being put in place.
  project.write('gate', '');
  await until('the first receipt is there', () => project.receipts().length > 0);
  second.kill('SIGKILL');
  await second.exited;
  await project.start();
  await until('all have a receipt', () => project.receipts().length === 6);
  await until('nothing is open', async () => {
    const { queue } = await project.status();
    return queue.queued + queue.running + queue.waiting === 0;
  });
  expect(linesOf(project, 'done.log')).toHaveLength(1);
  expect(statesOf(project)).toEqual({ succeeded: 5, failed: 1 });
  expect(project.receipt('f1.txt')).toMatchObject({ state: 'failed', message: 'bad columns' });
  for (const { input, outputs } of project.receipts())
    expect(outputs.map(({ path }) => path)).toEqual([`${input.path}.out`]);
});

test('what is cached, or has the same content as another of the batch, is not run', async () => {
  const project = makeProject(batched('max_files: 8, quiet: 2s', 'true'));
  project.write('inbox/a.txt', 'same');
  expect((await project.sluice('run')).code).toBe(0);
  project.write('inbox/b.txt', 'same');
  project.write('inbox/c.txt', 'other');
  project.write('inbox/d.txt', 'other');
  project.write('inbox/e.txt', 'third');
  expect((await project.sluice('run')).code).toBe(0);
  expect(statesOf(project)).toEqual({ succeeded: 3, cached: 2 });
  expect(sizes(project)).toEqual([1, 2]);
});
