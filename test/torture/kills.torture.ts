/**
 * `kill -9` of the daemon at random moments with 25 files in play, on agents of every kind. Whether something had
 * succeeded is asked of those who know: the receipt, or the journal of the process that waited for the agent. A start
 * after that is one too many.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { readAttemptsJournal } from '../../src/agents/spawner/journal.ts';
import { readJournal } from '../../src/coordinator/call.ts';
import { allReceipts, filesOf } from '../badinput/rig.ts';
import { type Chance, chanceOf, seedOf } from '../daemon/chance.ts';
import { makeProject, type Project, until } from '../daemon/project.ts';
import { marksOf, survivorsOf } from './marks.ts';
import { say, scaled, tell } from './say.ts';

const KILLS = 30;
const IN_PLAY = 25;

const places = ['inbox/plain', 'inbox/batch', 'tree/copy', 'inbox/web', 'inbox/boxed'];

const config = (port: number): string => `
watch: [{ path: ./inbox }, { path: ./tree }]
routing_rules:
  - { name: made, pattern: "**/*.made", action: ignore }
  - { name: batch, pattern: "batch/**", agent: batcher, batch: { max_files: 5, quiet: 50ms } }
  - { name: copy, pattern: "copy/**", agent: copier }
  - { name: web, pattern: "web/**", agent: web }
  - { name: boxed, pattern: "boxed/**", agent: boxed }
  - { name: plain, pattern: "**", agent: plain }
agents:
  plain:
    kind: command
    command: [sh, -c, 'echo "$1" >> starts.log; sleep 0.$(($$ % 3)); cat "$2"', sh, "\${{ file.rel }}", "\${{ file.path }}"]
    sandbox: { mode: off, reason: one that is not confined }
  boxed:
    kind: command
    command: [sh, -c, 'echo "$1" >> starts.log; sleep 0.1; cat "$2"', sh, "\${{ file.rel }}", "\${{ file.path }}"]
    sandbox: { mode: auto, write: [project] }
  batcher:
    kind: command
    command: [sh, -c, 'for f in "$@"; do echo "batch/\${f##*/}" >> starts.log; done; sleep 0.1; cat "$@"', sh, "\${{ files }}"]
    sandbox: { mode: off, reason: one that is not confined }
  copier:
    kind: command
    command: [sh, -c, 'echo "$1" >> starts.log; cp "$2" "$2.made"; sleep 0.1; cat "$2"', sh, "\${{ file.rel }}", "\${{ file.path }}"]
    workspace: copy
    sandbox: { mode: off, reason: one that is not confined }
  web: { kind: http, url: "http://127.0.0.1:${port}/" }
concurrency_limits: { max_processes: 5, max_concurrent_files: 12 }
daemon: { min_free_disk: 1MiB }
`;

test('kill -9 at 50 random moments', async () => {
  const beganMs = performance.now();
  const chance = chanceOf(seedOf(process.env));
  const webStarts: string[] = [];
  const port = await webAgent(chance, webStarts);
  const project = makeProject(config(port));
  for (const place of places) mkdirSync(join(project.dir, place), { recursive: true });
  const names: string[] = [];
  const startsOf = (): Map<string, number> => countOf([...linesOf(project), ...webStarts]);
  /** What is known to have succeeded, with the number of its starts then. */
  const known = new Map<string, number>();
  const doubled = new Set<string>();
  const check = async (): Promise<void> => {
    const starts = startsOf();
    for (const [path, before] of known) if ((starts.get(path) ?? 0) > before) doubled.add(path);
    const ended = await succeeded(project);
    // Counted after that: a daemon is at work meanwhile.
    const now = startsOf();
    for (const path of ended) if (!known.has(path)) known.set(path, now.get(path) ?? 0);
  };
  let orphans = 0;
  const startMs: number[] = [];
  const runs = scaled(KILLS);
  let daemon = await project.start();
  for (let kill = 0; kill < runs; kill++) {
    const done = new Set(allReceipts(project).map(({ input }) => input.path));
    for (let open = names.filter((name) => !done.has(name)).length; open < IN_PLAY; open++) {
      const place = places[names.length % places.length] as string;
      const path = `${place.slice(place.indexOf('/') + 1)}/${names.length}`;
      project.write(`${place}/${names.length}`, `content of ${path}`);
      names.push(path);
    }
    await sleep(chance.int(0, 400));
    const before = marksOf(project);
    daemon.kill('SIGKILL');
    await daemon.exited;
    const began = performance.now();
    daemon = await project.start();
    startMs.push(performance.now() - began);
    orphans += survivorsOf(before).length;
    await check();
  }
  await project.client.post('/api/jobs/release', { held: true });
  await until('every file has its receipt', () => allReceipts(project).length >= names.length).catch(
    () => {},
  );
  const lost = await lostOf(project, names);
  await check();
  daemon.kill('SIGTERM');
  const code = await daemon.exited;
  orphans += marksOf(project).length;
  const slowestMs = Math.max(...startMs);
  tell({
    scenario: 'kill -9 of the daemon, 25 files in play',
    runs,
    files: names.length,
    lost: lost.length,
    doubled: doubled.size,
    orphans,
    beganMs,
  });
  const attempts = [...startsOf().values()].reduce((a, b) => a + b, 0);
  say(
    `SEED=${chance.seed}: ${runs} kills, ${names.length} files, ${attempts} starts; slowest start ${Math.round(slowestMs)} ms`,
    beganMs,
  );
  expect({ lost, doubled: [...doubled], orphans, code }).toEqual({
    lost: [],
    doubled: [],
    orphans: 0,
    code: 0,
  });
});

/** Answers after a moment; what it was asked for stands in `starts`. */
async function webAgent(chance: Chance, starts: string[]): Promise<number> {
  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => '');
    const path = /"path":\s*"([^"]+)"/.exec(body)?.[1];
    if (path !== undefined) starts.push(path);
    setTimeout(() => response.end(`web: ${path}`), chance.int(0, 200));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function linesOf(project: Project): string[] {
  return project.exists('starts.log')
    ? readFileSync(join(project.dir, 'starts.log'), 'utf8').trim().split('\n')
    : [];
}

function countOf(paths: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(path, (counts.get(path) ?? 0) + 1);
  return counts;
}

async function succeeded(project: Project): Promise<Set<string>> {
  const journal = await readAttemptsJournal(join(project.dir, '.sluice'));
  const inJournal = journal.flatMap(({ exit, journal: told }) =>
    exit.outcome.kind === 'exited' && exit.outcome.exitCode === 0
      ? readJournal(told).map(({ spec }) => spec.input.path)
      : [],
  );
  return new Set([...inJournal, ...allReceipts(project).map(({ input }) => input.path)]);
}

async function lostOf(project: Project, names: readonly string[]): Promise<string[]> {
  const files = await filesOf(project);
  const receipts = Map.groupBy(allReceipts(project), ({ input }) => input.path);
  return names.filter((name) => {
    const [receipt, ...more] = receipts.get(name) ?? [];
    return more.length > 0 || receipt?.state !== 'succeeded' || files.get(name)?.disposition !== 'processed';
  });
}
