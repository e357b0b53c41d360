/**
 * Runs of workflows under `kill -9` at random moments: a chain, a fan-out, a sub-workflow, files of a directory and an
 * approval. Whether a step had succeeded is asked of those who know: its receipt, or the journal of the process that
 * waited for its command. A start after that is one too many.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readAttemptsJournal } from '../../src/agents/spawner/journal.ts';
import type { RunReport } from '../../src/aggregator/runs/report.ts';
import { readJournal } from '../../src/coordinator/call.ts';
import type { Receipt } from '../../src/types/receipt.ts';
import { linesOf } from '../daemon/agents.ts';
import { type Chance, chanceOf, seedOf } from '../daemon/chance.ts';
import { makeProject, type Project, until } from '../daemon/project.ts';
import { answer, ended, expectReports, startRun, statesOf, waitsFor } from '../daemon/workflow-rig.ts';
import { marksOf, survivorsOf } from './marks.ts';
import { say, scaled, tell } from './say.ts';

const FILES = 12;
const ITEMS = 20;
const LINKS = 8;

/** Begins by saying where its result will stand, which names run, step and item. */
const work = (more = '') =>
  `[sh, -c, 'echo "$1" >> starts.log; sleep 0.0$(($$ % 8)); ${more}', sh, "\${{ run.id }}/steps/NAME"]`;
const step = (name: string, more = '', command = work()) =>
  `  - { name: ${name}, type: custom_command, command: ${command.replace('NAME', name)}${more && `, ${more}`} }\n`;

const workflow = (approval: string) => `name: w
steps:
${Array.from({ length: LINKS }, (_, n) => step(`link${n}`, n === 0 ? 'needs: []' : '')).join('')}${step('fan', `needs: [], for_each: [${Array.from({ length: ITEMS }, (_, n) => n).join(', ')}], max_parallel: 3`, work().replace('NAME', 'NAME/${{ index }}'))}  - { name: files, type: file_processing, directory: data, needs: [] }
  - { name: sub, type: workflow, workflow: sub, needs: [] }
${approval}${step('join', `needs: [link${LINKS - 1}, fan, files, sub${approval === '' ? '' : ', after_ask'}]`)}`;

const approval = `  - { name: ask, type: approval, message: well?, needs: [] }\n${step('after_ask', 'needs: [ask]')}`;

const sub = `name: sub
steps:
${step('deep0')}${step('deep1')}${step('deep_fan', 'needs: [deep1], for_each: [a, b, c]', work().replace('NAME', 'NAME/${{ index }}'))}`;

const config = `
routing_rules: [{ name: files, pattern: "data/**", agent: files, cache: off }]
agents:
  files:
    kind: command
    command: [sh, -c, 'echo "$1" >> starts.log; sleep 0.0$(($$ % 8)); cat "$2"', sh, "\${{ file.rel }}", "\${{ file.path }}"]
    sandbox: { mode: auto, write: [project] }
concurrency_limits: { max_processes: 4, max_concurrent_files: 4 }
daemon: { min_free_disk: 1MiB }
`;

function project(withApproval: boolean): Project {
  const made = makeProject(config);
  made.write('workflows/w.yaml', workflow(withApproval ? approval : ''));
  made.write('workflows/sub.yaml', sub);
  for (let n = 0; n < FILES; n++) made.write(`data/${n}.txt`, `content ${n}`);
  return made;
}

/** What is known to have succeeded, with the number of its starts then; what was started again after that. */
class Truth {
  readonly #project: Project;
  readonly #known = new Map<string, number>();
  readonly doubled = new Set<string>();

  constructor(of: Project) {
    this.#project = of;
  }

  async check(): Promise<void> {
    const before = this.starts();
    for (const [path, count] of this.#known) if ((before.get(path) ?? 0) > count) this.doubled.add(path);
    const paths = await this.#succeeded();
    // Counted after that: a daemon may be at work meanwhile.
    const now = this.starts();
    for (const path of paths) if (!this.#known.has(path)) this.#known.set(path, now.get(path) ?? 0);
  }

  get known(): number {
    return this.#known.size;
  }

  starts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const line of linesOf(this.#project, 'starts.log')) counts.set(line, (counts.get(line) ?? 0) + 1);
    return counts;
  }

  async #succeeded(): Promise<readonly string[]> {
    const { dir } = this.#project;
    const journal = await readAttemptsJournal(join(dir, '.sluice'));
    const inJournal = journal.flatMap(({ exit, journal: told }) =>
      exit.outcome.kind === 'exited' && exit.outcome.exitCode === 0
        ? readJournal(told).map(({ spec }) => spec.input.path)
        : [],
    );
    return [...inJournal, ...receiptsOf(dir).map(({ input }) => input.path)].map((path) =>
      path.replace(/^(w|sub)\//, ''),
    );
  }
}

function receiptsOf(dir: string): Receipt[] {
  const folder = join(dir, 'processed');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name === 'receipt.json')
    .map((entry) => JSON.parse(readFileSync(join(entry.parentPath, entry.name), 'utf8')) as Receipt)
    .filter(({ state }) => state === 'succeeded');
}

/** Every step of both runs, and every file, has begun. */
function expectedOf(run: RunReport, withApproval: boolean): string[] {
  const deep = run.steps.find(({ name }) => name === 'sub')?.sub_run?.run_id;
  const own = [
    ...Array.from({ length: LINKS }, (_, n) => `link${n}`),
    ...Array.from({ length: ITEMS }, (_, n) => `fan/${n}`),
    ...(withApproval ? ['after_ask'] : []),
    'join',
  ];
  return [
    ...own.map((name) => `${run.run_id}/steps/${name}`),
    ...['deep0', 'deep1', 'deep_fan/0', 'deep_fan/1', 'deep_fan/2'].map((name) => `${deep}/steps/${name}`),
  ];
}

test('kill -9 of the daemon at random moments of runs', async () => {
  const beganMs = performance.now();
  const chance = chanceOf(seedOf(process.env));
  const made = project(true);
  const truth = new Truth(made);
  let orphans = 0;
  let kills = 0;
  let daemon = await made.start();
  const killSoon = async (most: number): Promise<void> => {
    await sleep(chance.int(0, most));
    const before = marksOf(made);
    daemon.kill('SIGKILL');
    await daemon.exited;
    kills += 1;
    daemon = await made.start();
    orphans += survivorsOf(before).length;
    await truth.check();
  };
  const ids = [await startRun(made, 'w'), await startRun(made, 'w')];
  // Five interruptions in a row, and a job is held until a person lets it go on.
  const release = () => made.client.post('/api/jobs/release', { held: true });
  for (let kill = 0; kill < scaled(5); kill++) await killSoon(300);
  await release();
  for (const id of ids) {
    await waitsFor(made, id, 'ask');
    await killSoon(50);
    await waitsFor(made, id, 'ask');
    await answer(made, id, 'approved', { step: 'ask' });
    await killSoon(60);
    await release();
  }
  const runs: RunReport[] = [];
  for (const id of ids) runs.push(await ended(made, id));
  await truth.check();
  daemon.kill('SIGTERM');
  const code = await daemon.exited;
  orphans += marksOf(made).length;
  const starts = truth.starts();
  const expected = [
    ...runs.flatMap((run) => expectedOf(run, true)),
    ...Array.from({ length: FILES }, (_, n) => `data/${n}.txt`),
  ];
  const lost = expected.filter((path) => !starts.has(path));
  expect(truth.known).toBe(expected.length);
  tell({
    scenario: 'kill -9 of the daemon, two runs under way',
    runs: kills,
    files: expected.length,
    lost: lost.length,
    doubled: truth.doubled.size,
    orphans,
    beganMs,
  });
  say(`SEED=${chance.seed}: ${kills} kills, ${sum(starts)} starts of ${expected.length} steps`, beganMs);
  expect({ lost, doubled: [...truth.doubled], orphans, code }).toEqual({
    lost: [],
    doubled: [],
    orphans: 0,
    code: 0,
  });
  for (const run of runs) {
    expect([run.state, new Set(Object.values(statesOf(run)))]).toEqual(['succeeded', new Set(['succeeded'])]);
    expectReports(made, run);
  }
  // The second run found the files processed already.
  expect(runs.map((run) => run.steps.find(({ name }) => name === 'files')?.outputs.total)).toEqual([
    FILES,
    FILES,
  ]);
});

test('kill -9 and Ctrl-C of `sluice workflow run` without a daemon', async () => {
  const beganMs = performance.now();
  const chance: Chance = chanceOf(seedOf(process.env) + 1);
  const made = project(false);
  const truth = new Truth(made);
  const rounds = scaled(5);
  let orphans = 0;
  let args = ['workflow', 'run', 'w'];
  for (let round = 0; round < rounds; round++) {
    const command = made.spawn(...args);
    const isOver = await Promise.race([command.exited.then(() => true), sleep(chance.int(100, 700), false)]);
    const before = marksOf(made);
    if (!isOver) {
      if (chance.int(0, 3) === 0) command.pressCtrlC();
      else command.kill('SIGKILL');
    }
    await command.exited;
    await until('no process is left', () => survivorsOf(before).length === 0).catch(() => {
      orphans += survivorsOf(before).length;
    });
    if ((await latest(made)) !== undefined) args = ['workflow', 'resume', 'latest'];
    await truth.check();
    if (isOver && (await latest(made))?.state === 'succeeded') break;
  }
  const last = await latest(made);
  if (last?.state !== 'succeeded') {
    let { code, stderr } = await made.sluice(...args);
    // Interrupted in each round.
    const released = await made.sluice('jobs', 'release', '--held');
    if (released.stdout !== '') ({ code, stderr } = await made.sluice(...args));
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  }
  await truth.check();
  const run = (await latest(made)) as RunReport;
  const starts = truth.starts();
  const expected = [...expectedOf(run, false), ...Array.from({ length: FILES }, (_, n) => `data/${n}.txt`)];
  const lost = expected.filter((path) => !starts.has(path));
  expect(truth.known).toBe(expected.length);
  tell({
    scenario: 'kill -9 and Ctrl-C of `workflow run`',
    runs: rounds,
    files: expected.length,
    lost: lost.length,
    doubled: truth.doubled.size,
    orphans,
    beganMs,
  });
  say(`SEED=${chance.seed}: ${sum(starts)} starts of ${expected.length} steps`, beganMs);
  expect({ lost, doubled: [...truth.doubled], orphans }).toEqual({ lost: [], doubled: [], orphans: 0 });
  expect(statesOf(run)).toEqual(Object.fromEntries(run.steps.map(({ name }) => [name, 'succeeded'])));
  expectReports(made, run);
});

test('a workflow that writes into the root that starts it comes to rest', async () => {
  const beganMs = performance.now();
  const made = makeProject(config);
  made.write(
    'workflows/w.yaml',
    `name: w
on: { file: "*.txt" }
steps:
${step('copy', '', `[sh, -c, 'echo "$1" >> starts.log; echo "$1" > "inbox/made-$(wc -l < starts.log).txt"', sh, "\${{ file.rel }}"]`)}`,
  );
  made.write('inbox/seed.txt', 'x');
  await made.start();
  await until(
    'something is held, and nothing goes on',
    async () => {
      const { queue } = await made.status();
      return queue.held > 0 && queue.running + queue.queued + queue.waiting === 0;
    },
    60_000,
  );
  const starts = linesOf(made, 'starts.log').length;
  const { files, conditions } = await made.status();
  tell({ scenario: 'a workflow that starts itself', runs: starts, files: starts + 1, beganMs });
  say(`it rested after ${starts} runs`, beganMs);
  expect(files).toEqual({ processed: starts, held: 1 });
  expect(conditions.map(({ code }) => code)).toContain('LOOP_SUSPECTED');
  expect(starts).toBeLessThan(45);
});

test('a chain and a fan-out of 1,000 steps', async () => {
  const beganMs = performance.now();
  const made = makeProject(config);
  const steps = 1_000;
  const wide = (n: number) =>
    `  - { name: s${n}, type: custom_command, command: ["true"], needs: [], sandbox: { mode: off, reason: ours } }\n`;
  const long = (n: number) =>
    `  - { name: s${n}, type: custom_command, command: ["true"], needs: [${n === 0 ? '' : `s${n - 1}`}], sandbox: { mode: off, reason: ours } }\n`;
  const text = (name: string, one: (n: number) => string) =>
    `name: ${name}\nsteps:\n${Array.from({ length: steps }, (_, n) => one(n)).join('')}`;
  made.write('workflows/chain.yaml', text('chain', long));
  made.write('workflows/fan.yaml', text('fan', wide));
  await made.start();
  const took: number[] = [];
  for (const name of ['chain', 'fan']) {
    const since = performance.now();
    const run = await ended(made, await startRun(made, name), 200_000);
    took.push(performance.now() - since);
    expect([run.state, run.counts]).toEqual(['succeeded', { succeeded: steps }]);
    expect(run.steps_total).toBe(steps);
  }
  tell({ scenario: 'a chain and a fan-out of 1,000 steps', runs: 2, files: 2 * steps, beganMs });
  say(`${took.map((ms) => `${(ms / steps).toFixed(1)} ms`).join(' and ')} for each step`, beganMs);
});

test('for_each over 100,000 items: memory stays bounded, a killed daemon goes on with it, cancel ends it at once', async () => {
  const beganMs = performance.now();
  const made = makeProject(config);
  const items = 100_000;
  // Refused connections are the cheapest items.
  made.write(
    'workflows/many.yaml',
    `name: many
steps:
  - name: each
    type: http
    url: "http://127.0.0.1:9/\${{ item }}"
    for_each: "\${{ fromJSON(inputs.list) }}"
    max_parallel: 64
    retry: 1
inputs: { list: {} }
`,
  );
  let daemon = await made.start();
  const before = residentMiB(daemon.pid);
  const list = JSON.stringify(Array.from({ length: items }, (_, n) => n));
  const id = await startRun(made, 'many', { list });
  const enough = async (least: number): Promise<number> => {
    let peak = 0;
    let failed = 0;
    await until(
      `${least} items have ended`,
      async () => {
        peak = Math.max(peak, residentMiB(daemon.pid));
        const { counts } = await made.client.get<{ counts: Record<string, Record<string, number>> }>(
          `/api/runs/${id}/progress`,
          { after: 0 },
        );
        failed = Math.max(failed, counts.each?.failed ?? 0);
        return failed >= least;
      },
      60_000,
    );
    return peak;
  };
  const first = await enough(1_500);
  daemon.kill('SIGKILL');
  await daemon.exited;
  daemon = await made.start();
  // Those that had ended are not begun again: they are counted from the start.
  const second = await enough(3_500);
  const since = performance.now();
  expect((await made.sluice('workflow', 'cancel', id)).code).toBe(0);
  const run = await ended(made, id);
  const cancelMs = performance.now() - since;
  expect(run.state).toBe('cancelled');
  const [each] = run.steps;
  expect(each?.items?.counts.failed).toBeGreaterThanOrEqual(3_500);
  expect(each?.items?.counts.failed).toBeLessThan(10_000);
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
  const more = Math.round(Math.max(first, second) - before);
  tell({ scenario: 'for_each over 100,000 items', runs: 1, files: items, beganMs });
  say(`${more} MiB more, cancelled in ${Math.round(cancelMs)} ms`, beganMs);
  expect(more).toBeLessThan(250);
});

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

async function latest(made: Project): Promise<RunReport | undefined> {
  const { code, stdout } = await made.sluice('workflow', 'show', 'latest', '--json');
  return code === 0 ? (JSON.parse(stdout) as RunReport) : undefined;
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((a, b) => a + b, 0);
}
