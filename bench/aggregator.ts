/**
 * What it costs to publish a small result: with 100 results in the output folder, and with 100,000 (`--results N`). The
 * two are measured in turns, in one process, so that a busy machine slows both. CPU time, ours and the kernel's, in a file
 * system in memory where there is one (`--dir` elsewhere; 100,000 results take 1 GiB): on a disk that others write to, the
 * kernel's share varies fivefold. Run: `node bench/aggregator.ts`.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createAggregator } from '../src/aggregator/aggregator.ts';
import { openSqliteLedger } from '../src/ledger/sqlite/open.ts';
import type { JobRecord } from '../src/types/job.ts';

const { values } = parseArgs({
  options: {
    results: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '7' },
    dir: { type: 'string', default: existsSync('/dev/shm') ? '/dev/shm' : tmpdir() },
  },
});
const perRound = 500;

const small = await project(100);
const large = await project(Number(values.results));
const rows = {
  small: [] as number[],
  large: [] as number[],
  refresh: { small: [] as number[], large: [] as number[] },
};
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, at] of [
    ['small', small],
    ['large', large],
  ] as const) {
    rows[name].push(await at.publish(perRound));
    rows.refresh[name].push(await at.refresh());
  }
}
const publish = { small: median(rows.small), large: median(rows.large) };
const refresh = { small: median(rows.refresh.small), large: median(rows.refresh.large) };
console.log(`publish, 100 results there       ${publish.small.toFixed(3)} ms CPU a job`);
console.log(
  `publish, ${values.results} results there    ${publish.large.toFixed(3)} ms CPU a job   ratio ${(publish.large / publish.small).toFixed(2)}`,
);
console.log(`overview, 100 results            ${refresh.small.toFixed(1)} ms CPU`);
console.log(
  `overview, ${values.results} results         ${refresh.large.toFixed(1)} ms CPU   ratio ${(refresh.large / refresh.small).toFixed(2)}`,
);
await small.close();
await large.close();

/** A project with so many results, 100 to a folder, each recorded in a real ledger. */
async function project(results: number) {
  const dir = mkdtempSync(join(values.dir, 'sluice-bench-aggregator-'));
  const stateDir = join(dir, '.sluice');
  const { ledger } = openSqliteLedger({ stateDir });
  const output = {
    dir: join(dir, 'processed'),
    preserveOriginal: true,
    logLevel: 'info',
    retentionMs: 1e10,
    retentionJobs: Number.POSITIVE_INFINITY,
    fileMode: 0o644,
  } as const;
  const conditions = { raise: ({ message }: { message: string }) => console.error(message), clear: () => {} };
  const aggregator = createAggregator({
    output,
    projectDir: dir,
    stateDir,
    ledger,
    redact: (text) => text,
    conditions,
    now: Date.now,
  });
  const count = { jobs: 0 };

  const prepare = async (): Promise<{ job: JobRecord; workDir: string }> => {
    const n = count.jobs++;
    const id = `job-${n}`;
    const workDir = join(stateDir, 'work', id, '1');
    mkdirSync(workDir, { recursive: true });
    writeFileSync(join(workDir, 'result.md'), `# Result ${n}\n\n${'text '.repeat(100)}\n`);
    const path = `folder-${Math.floor(n / 100)}/file-${n}.txt`;
    const input = { root: 'inbox', path, sha256: 'ab'.repeat(32), bytes: 500, stamp: `1-500-${n}` };
    const spec = { id, input, rule: 'all', agent: 'sum', key: '', priority: 0, depth: 0 };
    const recorded = await ledger.jobs.record(spec, {
      state: 'succeeded',
      proof: ['exit_code'],
      outputs: [],
    });
    const at = Date.now();
    const attempt = {
      n: 1,
      agent: 'sum',
      startedAt: at - 40,
      endedAt: at,
      outcome: 'exited',
      exitCode: 0,
      sandbox: { mode: 'auto' as const },
      limits: { timeout: '10m', output: '64MiB' },
      events: 0,
    };
    return { job: { ...recorded, startedAt: at - 40, endedAt: at, attempts: [attempt] }, workDir };
  };

  const publish = async (jobs: number): Promise<number> => {
    const ready = [];
    for (let i = 0; i < jobs; i++) ready.push(await prepare());
    await ledger.durable();
    const before = process.cpuUsage();
    for (const { job, workDir } of ready) await aggregator.publish(job, workDir);
    const { user, system } = process.cpuUsage(before);
    for (const { job } of ready) rmSync(join(stateDir, 'work', job.id), { recursive: true });
    return (user + system) / 1000 / jobs;
  };
  for (let left = results; left > 0; left -= 1000) await publish(Math.min(left, 1000));

  return {
    publish,
    refresh: async (): Promise<number> => {
      await aggregator.flush();
      const before = process.cpuUsage();
      for (let i = 0; i < 5; i++) {
        aggregator.scheduleOverview();
        await aggregator.flush();
      }
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000 / 5;
    },
    close: async () => {
      await aggregator[Symbol.asyncDispose]();
      await ledger[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true });
    },
  };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
}
