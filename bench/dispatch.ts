/**
 * How fast commands are started and collected through the helper process, against `xargs` on the same files in the same
 * run: `node bench/dispatch.ts [files] [rounds]`. Rounds are interleaved; the figures are medians. The last column holds
 * 500 MiB in the daemon, which makes starting processes from it directly twenty times slower.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { openSpawner, type Spawner } from '../src/agents/spawner/spawner.ts';

const files = Number(process.argv[2] ?? 1_000);
const rounds = Number(process.argv[3] ?? 5);
const atOnce = 4;

// Nothing is deleted between rounds: ext4 makes the creation of files twenty times slower for minutes after many deletions.
const dir = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const inputs: string[] = [];
for (let i = 0; i < files; i += 1) {
  const file = join(dir, `input-${i}.txt`);
  writeFileSync(file, `file ${i}\n`.repeat(100));
  inputs.push(file);
}
const never = new AbortController().signal;
const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: '/tmp', LANG: 'C.UTF-8' };

function xargs(): number {
  const began = performance.now();
  spawnSync('xargs', ['-0', `-P${atOnce}`, '-n1', 'sha256sum'], {
    input: inputs.join('\0'),
    maxBuffer: 1 << 30,
  });
  return performance.now() - began;
}

async function throughSpawner(spawner: Spawner, round: string): Promise<{ ms: number; cpuMs: number }> {
  const out = join(dir, round);
  mkdirSync(out);
  const began = performance.now();
  const cpu = process.cpuUsage();
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < files; i = next++) {
      const argv = ['sha256sum', inputs[i] as string];
      const paths = { stdout: join(out, `${i}.out`), stderr: join(out, `${i}.err`) };
      const request = { job: `${i}`, n: 1, journal: '{}', argv, env, cwd: dir, ...paths, files: [] };
      const { outcome } = await spawner.run(
        { ...request, timeoutMs: 60_000, maxOutputBytes: 1 << 20 },
        never,
      );
      if (outcome.kind !== 'exited' || outcome.exitCode !== 0) throw new Error(JSON.stringify(outcome));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000 };
}

/** One `true` at a time, from the request to its end told. */
async function roundTrips(spawner: Spawner, count: number): Promise<number[]> {
  const out = join(dir, 'trips');
  mkdirSync(out);
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const paths = { stdout: join(out, `${i}.out`), stderr: join(out, `${i}.err`) };
    const request = {
      job: `trip-${i}`,
      n: 1,
      journal: '{}',
      argv: ['true'],
      env,
      cwd: dir,
      ...paths,
      files: [],
    };
    const began = performance.now();
    await spawner.run({ ...request, timeoutMs: 60_000, maxOutputBytes: 1 << 20 }, never);
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b);
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

try {
  const conditions = { raise: console.error, clear: () => {} };
  await using spawner = await openSpawner({
    stateDir: dir,
    tag: `bench-${process.pid}`,
    graceMs: 1_000,
    conditions,
  });
  const peer: number[] = [];
  const small: number[] = [];
  const big: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    peer.push(xargs());
    const plain = await throughSpawner(spawner, `small-${round}`);
    small.push(plain.ms);
    cpu.push(plain.cpuMs / files);
    const ballast = Array.from({ length: 500 }, () => Buffer.alloc(1 << 20, 1));
    big.push((await throughSpawner(spawner, `big-${round}`)).ms);
    ballast.length = 0;
    await spawner.checkpoint({ open: [], endedBefore: Date.now() });
  }
  const [xargsMs, smallMs, bigMs] = [median(peer), median(small), median(big)];
  const row = (name: string, ms: number) => {
    console.log(
      `${name.padEnd(34)} ${ms.toFixed(0).padStart(6)} ms ${((files / ms) * 1000).toFixed(0).padStart(6)}/s  ${(ms / xargsMs).toFixed(2)}x xargs`,
    );
  };
  console.log(`${files} × sha256sum, ${atOnce} at once, median of ${rounds}`);
  row(`xargs -P${atOnce} -n1`, xargsMs);
  row('spawner', smallMs);
  row('spawner, 500 MiB in the daemon', bigMs);
  const trips = await roundTrips(spawner, 300);
  console.log(`one \`true\`: p50 ${trips[150]?.toFixed(2)} ms, p99 ${trips[296]?.toFixed(2)} ms`);
  console.log(`daemon CPU ${median(cpu).toFixed(3)} ms a command`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
