/**
 * The watcher against its peers, interleaved in one run: set-up and warm start on 100,000 files, bursts, slow writers.
 * Each function prints ratios and gives them back. Trees are made under the system's temporary folder and removed.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

type Kind = 'sluice' | 'sluice-portable' | 'chokidar' | 'chokidar-await';

interface Report {
  readonly at?: string;
  readonly ms: number;
  readonly rssMiB: number;
  readonly peakMiB: number;
  readonly watches: number;
  readonly questions?: number;
  readonly reportedFiles?: number;
  readonly count?: number;
  readonly reported?: readonly (readonly [string, readonly number[]])[];
}

/** Time to *watching*, memory and watches on a large tree, against chokidar alone. */
export async function benchWatchSetUp(o = { files: 100_000, rounds: 5 }) {
  await using tree = makeTree(o.files);
  const ours: Report[] = [];
  const theirs: Report[] = [];
  for (let round = 0; round < o.rounds; round++) {
    await using chokidar = startChild('chokidar', tree.dir, tree.freshState());
    theirs.push(await chokidar.next('watching'));
    const state = tree.freshState();
    let watching: Report;
    {
      await using first = startChild('sluice', tree.dir, state, 'all');
      watching = await first.next('watching');
      await first.next('swept');
    }
    // Memory when everything is known, as in a daemon that runs: the first sweep answers this bench's own questions.
    await using sluice = startChild('sluice', tree.dir, state, 'all');
    const swept = await sluice.next('swept');
    ours.push({ ...swept, ms: watching.ms });
  }
  const result = {
    files: o.files,
    folders: tree.folders,
    sluiceMs: median(ours.map((r) => r.ms)),
    chokidarMs: median(theirs.map((r) => r.ms)),
    timeRatio: ratio(median(ours.map((r) => r.ms)), median(theirs.map((r) => r.ms))),
    sluiceRssMiB: median(ours.map((r) => r.rssMiB)),
    chokidarRssMiB: median(theirs.map((r) => r.rssMiB)),
    rssRatio: ratio(median(ours.map((r) => r.rssMiB)), median(theirs.map((r) => r.rssMiB))),
    watches: ours.at(-1)?.watches,
  };
  console.log('watch set-up', result);
  return result;
}

/** From start to the end of the first sweep with nothing changed, whole process, against plain `git status`. */
export async function benchWarmStart(o = { files: 100_000, rounds: 5 }) {
  await using tree = makeTree(o.files);
  const git = (...args: string[]) => run('git', ['-C', tree.dir, '-c', 'gc.auto=0', ...args]);
  await git('init', '-q');
  await git('add', '-A');
  await git('-c', 'user.name=b', '-c', 'user.email=b@localhost', 'commit', '-q', '-m', 'all');
  await git('status', '--porcelain');
  for (let warmUp = 0; warmUp < 2; warmUp++) {
    await using first = startChild('sluice', tree.dir, tree.state, 'all');
    await first.next('swept');
  }
  const ours: number[] = [];
  const theirs: number[] = [];
  let last: Report | undefined;
  for (let round = 0; round < o.rounds; round++) {
    theirs.push(await git('status', '--porcelain'));
    const start = performance.now();
    await using sluice = startChild('sluice', tree.dir, tree.state, 'all');
    last = await sluice.next('swept');
    ours.push(performance.now() - start);
  }
  const result = {
    files: o.files,
    sluiceMs: median(ours),
    gitStatusMs: median(theirs),
    ratio: ratio(median(ours), median(theirs)),
    questions: last?.questions,
    changes: last?.reportedFiles,
    rssMiB: last?.rssMiB,
  };
  console.log('warm start', result);
  return result;
}

/** Files lost in bursts: copied and unpacked trees, saves by rename, and a reader that is stopped until the queue overflows. */
export async function benchBurst(
  o: { files: number; kind: 'sluice' | 'sluice-portable' } = { files: 20_000, kind: 'sluice' },
) {
  await using tree = makeTree(o.files);
  await run('tar', ['cf', join(tree.base, 'all.tar'), '-C', tree.dir, '.']);
  const results: Record<string, { lost: number; peakMiB: number; ms: number }> = {};
  for (const way of ['cp', 'tar', 'rename', 'overflow'] as const) {
    const target = join(tree.base, `to-${way}`);
    mkdirSync(target);
    if (way === 'rename' || way === 'overflow')
      tree.eachFolder((folder) => mkdirSync(join(target, folder), { recursive: true }));
    await using watcher = startChild(o.kind, target, tree.freshState());
    await watcher.next('swept');
    const start = performance.now();
    if (way === 'overflow') process.kill(watcher.pid, 'SIGSTOP');
    if (way === 'cp') await run('cp', ['-r', `${tree.dir}/.`, target]);
    else if (way === 'tar') await run('tar', ['xf', join(tree.base, 'all.tar'), '-C', target]);
    else
      tree.eachFile((file) => {
        const path = join(target, file);
        writeFileSync(way === 'rename' ? `${path}.new` : path, 'x'.repeat(300));
        if (way === 'rename') renameSync(`${path}.new`, path);
      });
    if (way === 'overflow') process.kill(watcher.pid, 'SIGCONT');
    const expected = new Set<string>();
    tree.eachFile((file) => expected.add(join(target, file)));
    const deadline = performance.now() + 90_000;
    let lost = expected.size;
    let report = await watcher.ask('count');
    while (lost > 0 && performance.now() < deadline) {
      await delay(100);
      report = await watcher.ask('count');
      if ((report.count ?? 0) < expected.size) continue;
      const seen = new Set((await watcher.ask('reported')).reported?.map(([path]) => path));
      lost = [...expected].filter((path) => !seen.has(path)).length;
    }
    results[way] = { lost, peakMiB: report.peakMiB, ms: Math.round(performance.now() - start) };
    rmSync(target, { recursive: true });
  }
  console.log(`burst of ${o.files} files, ${o.kind}`, results);
  return results;
}

/** Writers that keep the file open: how many reports, and how long after the close, against awaitWriteFinish. */
export async function benchSlowWriter(o = { writers: 5, gapsMs: [50, 200, 600, 1200, 2000], chunks: 3 }) {
  await using tree = makeTree(0);
  const results: Record<string, { reportsPerFile: number; afterCloseMs: number }> = {};
  for (const kind of ['sluice', 'chokidar-await'] as const) {
    const dir = join(tree.base, kind);
    mkdirSync(dir);
    await using watcher = startChild(kind, dir, tree.freshState());
    await watcher.next('watching');
    const closedAt = new Map<string, number>();
    await Promise.all(
      Array.from({ length: o.writers }, async (_, index) => {
        const path = join(dir, `file${index}.txt`);
        const fd = openSync(path, 'w');
        for (let chunk = 0; chunk < o.chunks; chunk++) {
          writeSync(fd, 'x'.repeat(1000));
          await delay(o.gapsMs[index % o.gapsMs.length]);
        }
        closeSync(fd);
        closedAt.set(path, performance.timeOrigin + performance.now());
      }),
    );
    await delay(3_000);
    const reported = (await watcher.ask('reported')).reported ?? [];
    const after = reported.map(([path, times]) => (times.at(-1) ?? 0) - (closedAt.get(path) ?? 0));
    results[kind] = {
      reportsPerFile: reported.reduce((sum, [, times]) => sum + times.length, 0) / o.writers,
      afterCloseMs: round(median(after)),
    };
  }
  const result = {
    ...results,
    ratio: ratio(results.sluice?.afterCloseMs ?? 0, results['chokidar-await']?.afterCloseMs ?? 1),
  };
  console.log('slow writers', result);
  return result;
}

function startChild(kind: Kind, dir: string, stateDir: string, knows = '') {
  const child: ChildProcess = fork(
    fileURLToPath(new URL('./watch-child.ts', import.meta.url)),
    [kind, dir, stateDir, knows],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  const reports: Report[] = [];
  child.on('message', (report: Report) => reports.push(report));
  const take = async (fits: (report: Report) => boolean): Promise<Report> => {
    for (;;) {
      const at = reports.findIndex(fits);
      if (at >= 0) return reports.splice(at, 1)[0] as Report;
      await once(child, 'message', { signal: AbortSignal.timeout(120_000) });
    }
  };
  return {
    pid: child.pid as number,
    next: (at: string) => take((report) => report.at === at),
    ask(question: 'count' | 'reported') {
      child.send({ ask: question });
      return take((report) => report[question] !== undefined);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/** 100 files a folder, folders three deep. */
function makeTree(files: number) {
  const base = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const dir = join(base, 'tree');
  const extensions = ['py', 'ts', 'md', 'json', 'pdf', 'txt', 'js', 'csv', 'log', 'yaml'];
  const leaf = (i: number) => `d${Math.floor(i / 100)}/e${Math.floor(i / 10) % 10}/f${i % 10}`;
  const leaves = Math.ceil(files / 100);
  const eachFolder = (visit: (folder: string) => void) => {
    for (let i = 0; i < leaves; i++) visit(leaf(i));
  };
  const eachFile = (visit: (file: string) => void) => {
    for (let i = 0; i < files; i++)
      visit(`${leaf(Math.floor(i / 100))}/file${i % 100}.${extensions[i % 10]}`);
  };
  mkdirSync(dir);
  eachFolder((folder) => mkdirSync(join(dir, folder), { recursive: true }));
  eachFile((file) => writeFileSync(join(dir, file), `${file} `.repeat(20)));
  const freshState = () => mkdtempSync(join(base, 'state-'));
  return {
    base,
    dir,
    state: freshState(),
    freshState,
    folders: 1 + leaves + Math.ceil(leaves / 10) + Math.ceil(leaves / 100),
    eachFolder,
    eachFile,
    async [Symbol.asyncDispose]() {
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Runs a command to its end; gives its wall time in milliseconds. */
async function run(command: string, args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(command, args, { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return round(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN);
}

function ratio(ours: number, theirs: number): number {
  return Math.round((ours / theirs) * 1000) / 1000;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

if (import.meta.main) {
  await benchWatchSetUp();
  await benchWarmStart();
  await benchSlowWriter();
  await benchBurst();
  await benchBurst({ files: 20_000, kind: 'sluice-portable' });
}
