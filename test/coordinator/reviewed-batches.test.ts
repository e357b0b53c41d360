/**
 * Work on several files at once that is reviewed: over a ledger on disk, with an agent and reviewers that a test plays. The
 * daemon dies before each of its writes to the ledger in turn: nothing is lost, doubled, or made a second time.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createAggregator } from '../../src/aggregator/aggregator.ts';
import { collectOutputs } from '../../src/aggregator/outputs.ts';
import { stampOf } from '../../src/cache/fingerprint.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Coordinator } from '../../src/coordinator/coordinator.ts';
import type { CoordinatorDeps } from '../../src/coordinator/deps.ts';
import type { Settlement } from '../../src/coordinator/reviewing.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import type { AgentCall, AgentResult } from '../../src/types/agent.ts';
import type { JobRecord } from '../../src/types/job.ts';
import type { Receipt } from '../../src/types/receipt.ts';

const config = (files: number): string => `version: 1
watch: [{ path: ./inbox }]
routing_rules: [{ name: all, pattern: "**", agent: a, review: true, batch: { max_files: ${files}, quiet: 1m } }]
agents: { a: { kind: command, command: ["true"], sandbox: { mode: off, reason: a test plays it } } }
reviews: { on: [result] }
concurrency_limits: { max_processes: 4, max_concurrent_files: 16 }
daemon: { min_free_disk: 1MiB }
`;

/** What its reviewers make of the work of a file, from its path and attempt. */
type Judge = (path: string, call: AgentCall) => Settlement;

interface Started {
  readonly coordinator: Coordinator;
  readonly ledger: Ledger;
  readonly died: Promise<void>;
  /** Resolves when no job is open that goes on by itself. */
  settled(): Promise<void>;
  /** As `kill -9`: nothing of it goes on. */
  die(): Promise<void>;
}

class House {
  readonly dir = mkdtempSync(join(tmpdir(), 'sluice-reviewed-'));
  /** Names of the files of each attempt, with what it was told. */
  readonly attempts: string[] = [];
  /** What was given to be reviewed. */
  readonly wanted: { readonly job: JobRecord; readonly call: AgentCall }[] = [];
  readonly #finished: { readonly n: number; readonly journal: string; readonly workDir: string }[] = [];
  readonly #judge: Judge;
  readonly #results: string;

  constructor(judge: Judge, o: { readonly files?: number; readonly results?: string } = {}) {
    this.#judge = judge;
    this.#results = o.results ?? '';
    onTestFinished(() => rmSync(this.dir, { recursive: true, force: true }));
    for (const folder of ['config', 'inbox']) mkdirSync(join(this.dir, folder));
    writeFileSync(join(this.dir, 'config/orchestrator.yaml'), config(o.files ?? 4));
  }

  /** @param lastWrite The process dies before the write to the ledger after this one. */
  async start(lastWrite = Number.POSITIVE_INFINITY): Promise<Started> {
    const { config: loaded } = await loadConfig(join(this.dir, 'config/orchestrator.yaml'));
    const opened = openSqliteLedger({ stateDir: loaded.stateDir }).ledger;
    const life = new Life(opened, lastWrite);
    const { ledger } = life;
    const aggregator = createAggregator({
      ...{ output: loaded.output, projectDir: this.dir, stateDir: loaded.stateDir, ledger, now: Date.now },
      redact: (text) => text,
      conditions: nothing,
      hasReviews: () => false,
    });
    const coordinator = new Coordinator({
      ...{ config: loaded, ledger, now: Date.now, random: Math.random, worker: `w${Math.random()}` },
      agents: {
        run: (call) => this.#run(call),
        version: async () => '1',
        available: async () => undefined,
      },
      results: {
        collectOutputs: (dir) => collectOutputs(dir),
        publish: (job, workDir) => aggregator.publish(job, workDir),
        hasResult: (id) => aggregator.hasResult(id),
        receiptOf: (id, input) => aggregator.receiptOf(id, input),
        archiveOriginal: async () => undefined,
        quarantine: async () => undefined,
      },
      conditions: nothing,
      checkSecrets: async () => undefined,
      redact: (text) => text,
      explainFailure: () => undefined,
      isUnderReview: () => false,
      isConfined: () => true,
      workspaces: {} as CoordinatorDeps['workspaces'],
      states: { grant: async () => undefined, revoke: async () => {} },
      nesting: { depth: 0 },
    });
    const review = (job: JobRecord, call: AgentCall): void => {
      this.wanted.push({ job, call });
      void coordinator.settle(job.id, this.#judge(job.input.path, call)).catch(() => {});
    };
    coordinator.events.subscribe((event) => {
      if (event.type === 'review_wanted') review(event.job, event.call);
    });
    const finished = this.#finished.map(({ n, journal, workDir }) => ({
      ...{ n, journal },
      collect: async (call: AgentCall) => {
        // The folder of the whole attempt is there as long as anybody needs it.
        if (!existsSync(workDir)) throw new Error(`the folder of the attempt is gone: ${workDir}`);
        return resultOf(call);
      },
    }));
    const begin = async (): Promise<void> => {
      await coordinator.start(finished);
      for (const job of await ledger.jobs.list({ states: ['waiting'], limit: 100 })) {
        const found = job.reason === 'review' ? await coordinator.proved(job.id) : undefined;
        if (found) review(found.job, found.call);
      }
    };
    await Promise.race([begin(), life.ended]);
    return {
      ...{ coordinator, ledger, died: life.ended },
      settled: async () => {
        for (;;) {
          const { queued, running, waiting } = await ledger.jobs.counts();
          const unpublished = await ledger.jobs.unpublished(1);
          if (queued + running + waiting + unpublished.length === 0) return;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
      die: async () => {
        life.end();
        // Its timers; it waits for its attempts for ever.
        void coordinator.drain(0);
        await opened[Symbol.asyncDispose]();
      },
    };
  }

  async drop({ coordinator }: Pick<Started, 'coordinator'>, ...names: readonly string[]): Promise<void> {
    for (const name of names) {
      const file = join(this.dir, 'inbox', name);
      // Again: a sweep finds it as it stands there.
      if (!existsSync(file)) writeFileSync(file, `content of ${name}`);
      const stamp = stampOf(file);
      if (stamp)
        await coordinator.submit({ type: 'changed', root: 'inbox', path: name, stamp, found: 'event' });
    }
  }

  receipt(path: string): Receipt | undefined {
    const file = join(this.dir, 'processed/files/inbox', path, 'receipt.json');
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Receipt) : undefined;
  }

  delivered(path: string, name: string): string {
    return readFileSync(join(this.dir, 'processed/files/inbox', path, name), 'utf8');
  }

  get leftWork(): readonly string[] {
    return readdirSync(join(this.dir, '.sluice/work')).filter((name) => !name.startsWith('spare-'));
  }

  /** The work of an attempt: an output for each of its files, and a word on all of them. */
  async #run(call: AgentCall): Promise<AgentResult> {
    const { inputs, guidance, workDir, outputDir, attempt: n, journal } = call;
    const told = guidance === undefined ? '' : ` told ${guidance}`;
    this.attempts.push(`${inputs.map(({ path }) => path).toSorted()}${told}`);
    for (const { path } of inputs) writeFileSync(join(outputDir, `${path}.out`), `made of ${path}${told}`);
    if (this.#results !== '' && inputs.length > 1)
      writeFileSync(join(outputDir, 'results.jsonl'), this.#results);
    writeFileSync(join(workDir, 'result.md'), `done${told}`);
    this.#finished.push({ n, journal, workDir });
    return resultOf(call);
  }
}

function resultOf({ workDir }: AgentCall): AgentResult {
  return {
    outcome: { kind: 'exited', exitCode: 0 },
    ...{ startedAt: 1_000, endedAt: 2_000, resultBytes: 4, events: 0, costUsd: 0.3, stderrTail: '' },
    resultFile: join(workDir, 'result.md'),
    sandbox: { mode: 'off' },
    limits: {},
  };
}

const nothing = { raise: () => {}, clear: () => {} };

const writes = new Set([
  ...[
    'attempted',
    'end',
    'retry',
    'release',
    'hold',
    'adopt',
    'regroup',
    'put',
    'published',
    'setDisposition',
  ],
]);

/** The ledger as one process has it: from its death on nobody gets an answer. */
class Life {
  readonly ledger: Ledger;
  readonly ended: Promise<void>;
  readonly end: () => void;
  #isOver = false;
  #left: number;

  constructor(ledger: Ledger, lastWrite: number) {
    this.#left = lastWrite;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.end = () => {
      this.#isOver = true;
      resolve();
    };
    this.ledger = this.#guarded(ledger) as Ledger;
  }

  #guarded(value: object): object {
    return new Proxy(value, {
      get: (target, name) => {
        const found = Reflect.get(target, name) as unknown;
        if (typeof found === 'function')
          return async (...args: unknown[]): Promise<unknown> => {
            if (writes.has(String(name)) && this.#left-- <= 0) this.end();
            if (this.#isOver) await new Promise(() => {});
            return (found as (...a: unknown[]) => unknown).apply(target, args);
          };
        return typeof found === 'object' && found !== null ? this.#guarded(found) : found;
      },
    });
  }
}

test('each file waits for its own review, with its own work; what blocks one holds up nobody', async () => {
  const house = new House(
    (path, { attempt }) => {
      if (path === 'b' && attempt === 1) return { kind: 'revise', guidance: 'It is 5.' };
      if (path === 'c') return { kind: 'hold', reason: 'clarify', message: 'Which?', fix: 'Say which.' };
      return { kind: 'accept', ...(path === 'd' && { warning: 'accepted with a warning: hm' }) };
    },
    { results: '{"file":"a","state":"succeeded","result":"about a"}\n' },
  );
  const { coordinator, ledger, settled, die } = await house.start();
  await house.drop({ coordinator }, 'a', 'b', 'c', 'd');
  await settled();
  expect(house.attempts).toEqual(['a,b,c,d', 'b told It is 5.']);
  expect(house.wanted).toHaveLength(5);
  for (const { job, call } of house.wanted) {
    expect(call.inputs.map(({ path }) => path)).toEqual([job.input.path]);
    expect(call.workDir).toContain(job.id);
    expect([call.jobId, job.attempts.at(-1)?.n]).toEqual([job.id, call.attempt]);
  }
  const own = house.receipt('a');
  expect([own?.state, own?.proof, own?.attempts[0]?.batch?.files]).toEqual(['succeeded', ['exit_code'], 4]);
  expect([own?.cost_usd, own?.outputs.map(({ path }) => path)]).toEqual([0.075, ['a.out']]);
  expect([house.delivered('a', 'result.md'), house.delivered('d', 'result.md')]).toEqual(['about a', 'done']);
  const mended = house.receipt('b');
  expect(mended?.attempts.map(({ batch }) => batch?.files)).toEqual([4, undefined]);
  expect(mended?.cost_usd).toBeCloseTo(0.375);
  expect(house.delivered('b', 'outputs/b.out')).toBe('made of b told It is 5.');
  expect(house.receipt('d')?.message).toBe('accepted with a warning: hm');
  const [held] = await ledger.jobs.list({ states: ['held'], limit: 9 });
  expect([held?.input.path, held?.reason, held?.message]).toEqual(['c', 'clarify', 'Which?']);
  expect(house.leftWork).toEqual([held?.id]);
  // A person accepts it: what was made with the others is there.
  expect(await coordinator.unhold(held?.id ?? '')).toBe(true);
  await settled();
  expect([house.receipt('c')?.state, house.delivered('c', 'outputs/c.out')]).toEqual([
    'succeeded',
    'made of c',
  ]);
  expect([house.leftWork, house.attempts.length]).toEqual([[], 2]);
  await die();
});

test('files that are told something are told it by themselves; what the agent says that failed is not reviewed', async () => {
  const house = new House(
    (_path, { attempt }) => (attempt === 1 ? { kind: 'revise', guidance: 'Once more.' } : { kind: 'accept' }),
    { results: '{"file":"b","state":"failed","message":"no columns"}\n' },
  );
  const { coordinator, settled, die } = await house.start();
  await house.drop({ coordinator }, 'a', 'b', 'c', 'd');
  await settled();
  expect(house.attempts.toSorted()).toEqual([
    'a told Once more.',
    'a,b,c,d',
    'c told Once more.',
    'd told Once more.',
  ]);
  expect(house.receipt('b')).toMatchObject({ state: 'failed', message: 'no columns' });
  expect(house.wanted.map(({ job }) => job.input.path)).not.toContain('b');
  await die();
});

test('killed before any write from the division to the end of the reviews', async () => {
  const names = ['a', 'b', 'c'];
  const judge: Judge = (path, { attempt }) =>
    path === 'b' && attempt === 1 ? { kind: 'revise', guidance: 'It is 5.' } : { kind: 'accept' };
  let deaths = 0;
  for (let lastWrite = 10; ; lastWrite++) {
    const house = new House(judge, { files: 3 });
    const first = await house.start(lastWrite);
    const dropping = house.drop(first, ...names);
    const isOver = await Promise.race([
      first.died.then(() => false),
      dropping.then(first.settled).then(() => true),
    ]);
    await first.die();
    if (isOver) break;
    if (house.attempts.length === 0) continue;
    deaths++;
    const second = await house.start();
    await house.drop(second, ...names);
    await second.settled();
    const told = `after write ${lastWrite}`;
    expect([told, ...house.attempts]).toEqual([told, 'a,b,c', 'b told It is 5.']);
    for (const name of names) {
      const receipt = house.receipt(name);
      expect([told, receipt?.state, receipt?.outputs.map(({ path }) => path)]).toEqual([
        ...[told, 'succeeded'],
        [`${name}.out`],
      ]);
      expect(receipt?.attempts.map(({ n }) => n)).toHaveLength(name === 'b' ? 2 : 1);
    }
    expect(house.delivered('b', 'outputs/b.out')).toBe('made of b told It is 5.');
    await second.die();
  }
  expect(deaths).toBeGreaterThan(15);
});
