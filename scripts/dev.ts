/** `npm run dev`: builds, runs `sluice start` with the arguments given, and does both again when a source is saved. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { watch } from 'chokidar';

const root = join(import.meta.dirname, '..');
let daemon: ChildProcess | undefined;
let turn = Promise.resolve();

async function restart(): Promise<void> {
  if (spawnSync(process.execPath, ['scripts/build.ts'], { cwd: root, stdio: 'inherit' }).status !== 0) return;
  if (daemon && daemon.exitCode === null && daemon.signalCode === null) {
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
  }
  daemon = spawn(process.execPath, ['bin/sluice.js', 'start', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
}

watch(join(root, 'src'), { ignoreInitial: true }).on('all', () => {
  turn = turn.then(restart);
});
turn = turn.then(restart);
