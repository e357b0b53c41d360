/**
 * What the ledger costs: `node bench/ledger.ts [jobs]`. Durable transitions against the plainest thing that is as safe
 * (append and fdatasync each), interleaved, median of five; claims and ends in a small and a large ledger; the CPU of all
 * that one job of `sluice run` asks for. Fresh files in every round, since a file that grows favours whoever goes first.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { JobSpec, Lease, Ledger } from '../src/ledger/ledger.ts';
import { openSqliteLedger } from '../src/ledger/sqlite/open.ts';
import type { AttemptRecord } from '../src/types/job.ts';

const ROUNDS = 5;
const limits = new Map([['sha', Number.POSITIVE_INFINITY]]);

/** Durable transitions a second (three a job), and how many times the plain journal that is. */
export async function durableTransitions(
  jobs = 2_000,
): Promise<{ perSecond: number; plain: number; ratio: number }> {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const plain = await inFolder((dir) => appendAndSync(join(dir, 'journal'), jobs / 4));
    const perSecond = await withLedger((ledger) => transitions(ledger, jobs));
    rounds.push({ perSecond, plain, ratio: perSecond / plain });
  }
  return median(rounds, ({ ratio }) => ratio);
}

/** Microseconds of a claim beside few and many queued jobs, and of an end beside few and many ended ones; in turns. */
export async function growth({ few = 100, many = 100_000 } = {}): Promise<Record<'claim' | 'end', Growth>> {
  const end = { state: 'succeeded', proof: ['exit_code'] } as const;
  return {
    claim: await inTurns(few, many, {
      fill: ({ jobs }, n) => jobs.enqueue(spec(n)),
      measured: (ledger) => claimOne(ledger),
    }),
    end: await inTurns(few, many, {
      fill: ({ jobs }, n) => jobs.record(spec(n), end),
      prepare: async (ledger) => {
        await ledger.jobs.enqueue(spec(0));
        return claimOne(ledger);
      },
      measured: ({ jobs }, lease) => jobs.end(lease as Lease, end),
    }),
  };
}

/** CPU microseconds of everything that one job of `sluice run` asks of the ledger: without and with its commits. */
export async function cpuPerJob(jobs = 5_000): Promise<{ statementsUs: number; withCommitsUs: number }> {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++)
    rounds.push(
      await withLedger(async (ledger) => {
        await hotPath(ledger, 500);
        await ledger.durable();
        const began = cpuUs();
        const statements = await hotPath(ledger, jobs);
        await ledger.durable();
        return { statementsUs: statements / jobs, withCommitsUs: (cpuUs() - began) / jobs };
      }),
    );
  return median(rounds, ({ statementsUs }) => statementsUs);
}

function appendAndSync(path: string, jobs: number): number {
  const fd = openSync(path, 'a');
  const line = Buffer.from(`${JSON.stringify(spec(1))}\n`);
  const began = performance.now();
  for (let n = 0; n < 3 * jobs; n++) {
    writeSync(fd, line);
    fdatasyncSync(fd);
  }
  const ms = performance.now() - began;
  closeSync(fd);
  return (3 * jobs * 1_000) / ms;
}

/** Each transition is waited for; a hundred jobs are under way at once, as changes arrive in bursts. */
async function transitions(ledger: Ledger, jobs: number): Promise<number> {
  const began = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next++ < jobs) {
      await ledger.jobs.enqueue(spec(next));
      await ledger.durable();
      const lease = await claimOne(ledger);
      await ledger.durable();
      await ledger.jobs.end(lease, { state: 'succeeded', proof: ['exit_code'] });
      await ledger.durable();
    }
  };
  await Promise.all(Array.from({ length: 100 }, lane));
  return (3 * jobs * 1_000) / (performance.now() - began);
}

/** @returns CPU microseconds outside of the commits, which run between the groups. */
async function hotPath({ files, jobs, results }: Ledger, count: number): Promise<number> {
  let spent = 0;
  for (let n = 0; n < count; ) {
    const began = cpuUs();
    for (const end = n + 16; n < end; n++) {
      const job = spec(n);
      const { id, key } = job;
      const { root, path, stamp, sha256, bytes } = job.input;
      await files.put({ root, path, stamp, sha256, bytes, jobId: id, seenAt: Date.now(), gone: false });
      await jobs.enqueue(job);
      const [lease] = await jobs.claim({ max: 1, limits, worker: 'bench', leaseMs: 30_000 });
      await jobs.attempted(lease as Lease, attempt, true);
      await jobs.end(lease as Lease, { state: 'succeeded', proof: ['exit_code'] });
      await results.put(key, id);
      await files.setDisposition(root, path, id, 'processed');
      await jobs.published(id);
    }
    spent += cpuUs() - began;
    await setImmediate();
  }
  return spent;
}

const attempt: AttemptRecord = {
  n: 1,
  agent: 'sha',
  startedAt: 1,
  endedAt: 2,
  outcome: 'exited',
  exitCode: 0,
  sandbox: { mode: 'auto', backend: 'none' },
  limits: { timeout: '10m', output: '64MiB' },
  events: 0,
};

function spec(n: number): JobSpec {
  const sha256 = randomBytes(32).toString('hex');
  const path = `folder-${n % 100}/${sha256.slice(0, 12)}.txt`;
  const input = { root: 'inbox', path, sha256, bytes: 1_000, stamp: `123456-1000-1795${n}` };
  return {
    id: sha256.slice(0, 16),
    input,
    rule: 'all',
    agent: 'sha',
    key: sha256,
    priority: n % 5,
    depth: 0,
  };
}

async function claimOne(ledger: Ledger): Promise<Lease> {
  const [lease] = await ledger.jobs.claim({
    max: 1,
    limits: new Map([['sha', 1e6]]),
    worker: 'bench',
    leaseMs: 1,
  });
  return lease as Lease;
}

interface Growth {
  readonly fewUs: number;
  readonly manyUs: number;
}

interface Measurement {
  readonly fill: (ledger: Ledger, n: number) => Promise<unknown>;
  readonly prepare?: (ledger: Ledger) => Promise<Lease>;
  readonly measured: (ledger: Ledger, lease: Lease | undefined) => Promise<unknown>;
}

/** Medians of 90 calls, since the smaller ledger has a hundred jobs to claim; commits are kept out of the time. */
async function inTurns(few: number, many: number, { fill, prepare, measured }: Measurement): Promise<Growth> {
  const filled = async (ledger: Ledger, count: number): Promise<void> => {
    for (let n = 0; n < count; n++) await fill(ledger, n);
  };
  const times = new Map<Ledger, number[]>();
  const timed = async (ledger: Ledger): Promise<void> => {
    const lease = await prepare?.(ledger);
    await ledger.durable();
    const began = performance.now();
    await measured(ledger, lease);
    times.set(ledger, [...(times.get(ledger) ?? []), (performance.now() - began) * 1_000]);
  };
  return withLedger((small) =>
    withLedger(async (large) => {
      await filled(small, few);
      await filled(large, many);
      for (let n = 0; n < 90; n++) for (const ledger of [small, large]) await timed(ledger);
      const us = (ledger: Ledger): number => median(times.get(ledger) ?? [], (time) => time);
      return { fewUs: us(small), manyUs: us(large) };
    }),
  );
}

async function withLedger<T>(use: (ledger: Ledger) => Promise<T>): Promise<T> {
  return inFolder(async (stateDir) => {
    await using ledger = openSqliteLedger({ stateDir }).ledger;
    return await use(ledger);
  });
}

async function inFolder<T>(use: (dir: string) => T | Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    return await use(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function median<T>(rounds: T[], by: (round: T) => number): T {
  return rounds.sort((a, b) => by(a) - by(b))[Math.floor(rounds.length / 2)] as T;
}

if (import.meta.main) {
  const { perSecond, plain, ratio } = await durableTransitions(Number(process.argv[2] ?? 2_000));
  console.log(
    `durable transitions: ${perSecond.toFixed(0)}/s, append+fdatasync ${plain.toFixed(0)}/s: ${ratio.toFixed(1)}× (goal ≥ 8×)`,
  );
  for (const [name, { fewUs, manyUs }] of Object.entries(await growth()))
    console.log(
      `${name} beside 100 / 100,000 jobs: ${fewUs.toFixed(0)} / ${manyUs.toFixed(0)} µs: ${(manyUs / fewUs).toFixed(2)}× (goal ≤ 1.2×)`,
    );
  const { statementsUs, withCommitsUs } = await cpuPerJob();
  console.log(
    `CPU per job of \`sluice run\`: ${statementsUs.toFixed(0)} µs (goal ≤ 120), with commits ${withCommitsUs.toFixed(0)} µs`,
  );
}
