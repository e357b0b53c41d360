/**
 * Work that is reviewed, over a ledger on disk: agents are played by a test, which says before which write to the ledger the
 * process dies. What their reviewers make of it is said by the test as well (`Judge`), or by agents whom it plays, too.
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
import { expect, onTestFinished } from 'vitest';
import { type Aggregator, createAggregator } from '../../src/aggregator/aggregator.ts';
import { collectOutputs } from '../../src/aggregator/outputs.ts';
import { stampOf } from '../../src/cache/fingerprint.ts';
import type { ConditionBoard } from '../../src/conditions/board.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Coordinator } from '../../src/coordinator/coordinator.ts';
import type { CoordinatorDeps } from '../../src/coordinator/deps.ts';
import type { Settlement } from '../../src/coordinator/reviewing.ts';
import { openReviews } from '../../src/engine/reviews.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import type { OpenLog } from '../../src/logging/log.ts';
import type { JobReviews } from '../../src/reviews/job-reviews.ts';
import type { AgentCall, AgentResult } from '../../src/types/agent.ts';
import type { JobRecord } from '../../src/types/job.ts';
import type { Receipt } from '../../src/types/receipt.ts';
import type { Workspaces } from '../../src/workspace/workspaces.ts';

const config = (files: number): string => `version: 1
watch: [{ path: ./inbox }]
routing_rules: [{ name: all, pattern: "**", agent: a, review: true, batch: { max_files: ${files}, quiet: 1m } }]
agents: { a: { kind: command, command: ["true"], sandbox: { mode: off, reason: a test plays it } } }
reviews: { on: [result] }
concurrency_limits: { max_processes: 4, max_concurrent_files: 16 }
daemon: { min_free_disk: 1MiB }
`;

/** What its reviewers make of the work of a file, from its path and attempt. */
export type Judge = (path: string, call: AgentCall) => Settlement;

export interface HouseOptions {
  readonly files?: number;
  readonly results?: string;
  /** It runs until somebody ends it, and does its work when it was told something. */
  readonly asks?: boolean;
  readonly config?: string;
  /** What each agent answers, reviewers included: they are asked as they are by the daemon. Instead of a judge. */
  readonly answer?: (call: AgentCall) => string | Promise<string>;
  /** For agents that work on copies. */
  readonly workspaces?: Partial<Workspaces>;
}

export interface Started {
  readonly coordinator: Coordinator;
  readonly ledger: Ledger;
  /** Where agents are played. */
  readonly reviews?: JobReviews;
  readonly died: Promise<void>;
  /** Resolves when no job is open that goes on by itself. */
  settled(): Promise<void>;
  /** As `kill -9`: nothing of it goes on. */
  die(): Promise<void>;
}

export class House {
  readonly dir = mkdtempSync(join(tmpdir(), 'sluice-reviewed-'));
  /** Names of the files of each attempt, with what it was told. */
  readonly attempts: string[] = [];
  /** What was given to be reviewed. */
  readonly wanted: { readonly job: JobRecord; readonly call: AgentCall }[] = [];
  /** Conditions of reviews that are raised, by job. */
  readonly asking = new Set<string>();
  readonly #finished: { readonly n: number; readonly journal: string; readonly workDir: string }[] = [];
  readonly #judge: Judge;
  readonly #o: HouseOptions;

  constructor(judge: Judge, o: HouseOptions = {}) {
    this.#judge = judge;
    this.#o = o;
    onTestFinished(() => rmSync(this.dir, { recursive: true, force: true }));
    for (const folder of ['config', 'inbox']) mkdirSync(join(this.dir, folder));
    writeFileSync(join(this.dir, 'config/orchestrator.yaml'), o.config ?? config(o.files ?? 4));
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
      hasReviews: () => this.#o.answer !== undefined,
    });
    const coordinator: Coordinator = new Coordinator({
      ...{ config: loaded, ledger, now: Date.now, random: Math.random, worker: `w${Math.random()}` },
      agents: {
        run: (call, signal) => this.#run(call, signal),
        version: async () => '1',
        available: async () => undefined,
        logInEvidence: async () => undefined,
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
      isUnderReview: (id) => reviews?.isUnderReview(id) ?? false,
      isConfined: () => true,
      workspaces: (this.#o.workspaces ?? {}) as CoordinatorDeps['workspaces'],
      states: { grant: async () => undefined, revoke: async () => {} },
      nesting: { depth: 0 },
    });
    const reviews: JobReviews | undefined =
      this.#o.answer && openReviewsOf({ config: () => loaded, ledger, coordinator, aggregator }, this.asking);
    const review = (job: JobRecord, call: AgentCall): void => {
      this.wanted.push({ job, call });
      if (!reviews) void coordinator.settle(job.id, this.#judge(job.input.path, call)).catch(() => {});
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
      if (reviews) return reviews.start();
      for (const job of await ledger.jobs.list({ states: ['waiting'], limit: 100 })) {
        const found = job.reason === 'review' ? await coordinator.proved(job.id) : undefined;
        if (found) review(found.job, found.call);
      }
    };
    await Promise.race([begin(), life.ended]);
    return {
      ...{ coordinator, ledger, died: life.ended },
      ...(reviews && { reviews }),
      settled: async () => {
        for (;;) {
          const { queued, running, waiting } = await ledger.jobs.counts();
          const unpublished = await ledger.jobs.unpublished(1);
          if (queued + running + waiting + unpublished.length === 0) return;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
      die: async () => {
        if (!life.isOver) await aggregator[Symbol.asyncDispose]();
        life.end();
        // Its timers; it waits for its attempts for ever.
        void coordinator.drain(0);
        void reviews?.[Symbol.asyncDispose]();
        await opened[Symbol.asyncDispose]();
      },
    };
  }

  /** As a daemon does from time to time: who ended before is in the ledger alone from then on. */
  cutJournal(): void {
    this.#finished.length = 0;
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
  async #run(call: AgentCall, signal: AbortSignal): Promise<AgentResult> {
    const { inputs, guidance, workDir, outputDir, attempt: n, journal } = call;
    const told = guidance === undefined ? '' : ` told ${guidance}`;
    const { answer, asks = false, results = '' } = this.#o;
    if (answer) {
      this.attempts.push(`${call.agent.name} ${call.step?.step ?? inputs[0]?.path}`);
      const { promise: ended, resolve: end } = Promise.withResolvers<undefined>();
      signal.addEventListener('abort', () => end(undefined));
      const said = await Promise.race([answer(call), ended]);
      if (said === undefined)
        return { ...resultOf(call), outcome: { kind: 'cancelled', reason: String(signal.reason) } };
      writeFileSync(join(workDir, 'result.md'), said);
      this.#finished.push({ n, journal, workDir });
      return resultOf(call);
    }
    this.attempts.push(`${inputs.map(({ path }) => path).toSorted()}${told}`);
    if (asks && guidance === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve());
      await promise;
      return { ...resultOf(call), outcome: signal.reason };
    }
    for (const { path } of inputs) writeFileSync(join(outputDir, `${path}.out`), `made of ${path}${told}`);
    if (results !== '' && inputs.length > 1) writeFileSync(join(outputDir, 'results.jsonl'), results);
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

function openReviewsOf(
  o: Pick<Parameters<typeof openReviews>[0], 'config' | 'coordinator'> & {
    readonly ledger: Ledger;
    readonly aggregator: Aggregator;
  },
  asking: Set<string>,
): JobReviews {
  const { config, coordinator, ledger, aggregator } = o;
  const conditions = {
    raise: ({ subject }: { subject: string }) => asking.add(subject),
    clear: (_code: string, subject: string) => asking.delete(subject),
  };
  return openReviews({
    ...{ config, coordinator, aggregator: () => aggregator, tier: () => undefined },
    record: { ledger, conditions: conditions as unknown as ConditionBoard },
    workspaces: {} as Workspaces,
    redact: (text) => text,
    log: { warn: () => {} } as unknown as OpenLog['log'],
  }).jobs;
}

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
  isOver = false;
  #left: number;

  constructor(ledger: Ledger, lastWrite: number) {
    this.#left = lastWrite;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.end = () => {
      this.isOver = true;
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
            if (this.isOver) await new Promise(() => {});
            return (found as (...a: unknown[]) => unknown).apply(target, args);
          };
        return typeof found === 'object' && found !== null ? this.#guarded(found) : found;
      },
    });
  }
}

/**
 * Three files, one of which is sent back once. The process dies after this write to the ledger; the next one goes on.
 * @returns false: everything was over before that, and nobody died.
 */
export async function survives(lastWrite: number): Promise<boolean> {
  const names = ['a', 'b', 'c'];
  const house = new House(
    (path, { attempt }) =>
      path === 'b' && attempt === 1 ? { kind: 'revise', guidance: 'It is 5.' } : { kind: 'accept' },
    { files: 3 },
  );
  const first = await house.start(lastWrite);
  const isOver = await Promise.race([
    first.died.then(() => false),
    house
      .drop(first, ...names)
      .then(first.settled)
      .then(() => true),
  ]);
  await first.die();
  if (isOver) return false;
  const second = await house.start();
  await house.drop(second, ...names);
  await second.settled();
  const told = `after write ${lastWrite}`;
  expect([told, ...house.attempts]).toEqual([told, 'a,b,c', 'b told It is 5.']);
  for (const name of names) {
    const { state, outputs = [], attempts = [] } = house.receipt(name) ?? {};
    const found = [state, outputs.map(({ path }) => path), attempts.length];
    expect([told, ...found]).toEqual([told, 'succeeded', [`${name}.out`], name === 'b' ? 2 : 1]);
  }
  expect(house.delivered('b', 'outputs/b.out')).toBe('made of b told It is 5.');
  await second.die();
  return true;
}
