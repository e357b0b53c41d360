/**
 * From `close()` of a new file until its command has started, in an idle daemon, against `inotifywait -m` piped to a
 * shell that starts the same command: `node bench/latency.ts [files]`. The command reports by a FIFO.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { benchProject, startDaemon } from './project.ts';
import { line, quantile } from './stats.ts';

const files = Number(process.argv[2] ?? 300);
const report = 'printf "%s\\n" "$1" > "$2"';

const project = benchProject(
  `
routing_rules: [{ name: all, pattern: "**", agent: report }]
agents:
  report:
    kind: command
    command: [sh, -c, '${report}', sh, "\${{ file.name }}", FIFO]
    sandbox: { mode: off, reason: benchmark }
daemon: { min_free_disk: 1MiB }
`.replace('FIFO', 'fifo'),
);
const fifo = join(project.dir, 'fifo');
const peerDir = join(project.dir, 'peer');
mkdirSync(peerDir);
spawnSync('mkfifo', [fifo]);
// Open for both, so that neither side ever waits for the other or sees an end.
const keepOpen = openSync(fifo, 'r+');
const started = new Map<string, PromiseWithResolvers<number>>();
createInterface({ input: createReadStream(fifo) }).on('line', (name) =>
  started.get(name)?.resolve(performance.now()),
);

const loop = `inotifywait -m -q -e close_write --format '%f' "$1" | while IFS= read -r f; do sh -c '${report}' sh "$f" "$2" & done`;
const peer = spawn('sh', ['-c', loop, 'sh', peerDir, fifo], { stdio: 'ignore', detached: true });
const daemon = await startDaemon(project.dir);
await sleep(500);

async function measure(dir: string, name: string): Promise<number> {
  const done = Promise.withResolvers<number>();
  started.set(name, done);
  const fd = openSync(join(dir, name), 'w');
  writeSync(fd, name.repeat(20));
  closeSync(fd);
  const closed = performance.now();
  const ms = (await done.promise) - closed;
  await sleep(5 + Math.random() * 10);
  return ms;
}

const ours: number[] = [];
const theirs: number[] = [];
for (let n = 0; n < files; n += 1) {
  ours.push(await measure(project.inbox, `ours-${n}`));
  theirs.push(await measure(peerDir, `peer-${n}`));
}
process.kill(-(peer.pid as number), 'SIGTERM');
for (const [q, goal] of [
  [0.5, '≤ 3'],
  [0.99, '≤ 5'],
] as const) {
  const [a, b] = [quantile(ours, q), quantile(theirs, q)];
  line(
    `close → command started, p${q * 100} (peer: inotifywait)`,
    a / b,
    goal,
    `${a.toFixed(2)} ms against ${b.toFixed(2)} ms`,
  );
}
closeSync(keepOpen);
// The FIFO's reader would keep the process alive; what was started is put away by hand.
await daemon[Symbol.asyncDispose]();
project[Symbol.dispose]();
process.exit(0);
