/** One watcher in a process of its own, driven by `bench/watch.ts`: so that time, memory and watches are its own. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RootConfig } from '../src/config/config.ts';
import { defaultIgnore } from '../src/config/default-ignore.ts';
import { formatStamp } from '../src/types/change.ts';

const [kind = '', dir = '', stateDir = '', knows = ''] = process.argv.slice(2);
/** Path → when it was last reported, `performance.timeOrigin` clock. */
const reported = new Map<string, number[]>();
const note = (path: string) => {
  const times = reported.get(path) ?? [];
  times.push(performance.timeOrigin + performance.now());
  reported.set(path, times);
};
const say = (message: object) => process.send?.({ ...message, ms: performance.now(), ...memory() });

process.on('message', (message: { readonly ask: string }) => {
  if (message.ask === 'reported') say({ reported: [...reported] });
  if (message.ask === 'count') say({ count: reported.size });
  if (message.ask === 'end') process.exit(0);
});

if (kind === 'sluice' || kind === 'sluice-portable')
  await watchWithSluice(kind === 'sluice' ? 'auto' : 'portable');
else await watchWithChokidar();

async function watchWithSluice(mode: RootConfig['mode']): Promise<void> {
  // The compiled program when it was built: that is what people run.
  const built = new URL('../dist/watch/start.js', import.meta.url);
  const entry = existsSync(built) ? built : new URL('../src/watch/start.ts', import.meta.url);
  const { startWatcher } = (await import(entry.href)) as typeof import('../src/watch/start.ts');
  const root: RootConfig = {
    name: 'root',
    dir,
    ignore: [],
    defaultIgnore,
    mode,
    settle: { kind: 'auto' },
    sweepMs: 60_000,
    initial: 'process',
    onChange: 'queue',
    on: new Set(['added', 'changed']),
  };
  let questions = 0;
  const watcher = startWatcher({
    roots: [root],
    excluded: [],
    stateDir,
    ledgerId: 'bench',
    known: async (_root, folders) => {
      questions += folders.length;
      return folders.map((folder) =>
        knows === 'all' ? everything(join(dir, folder)) : new Map<string, string>(),
      );
    },
    conditions: { raise: (condition) => console.error(condition.message), clear: () => undefined },
  });
  void watcher.watching.then(() => say({ at: 'watching', questions }));
  void watcher.swept.then(() => say({ at: 'swept', questions, reportedFiles: reported.size }));
  for await (const batch of watcher.changes(new AbortController().signal))
    for (const change of batch) if (change.type !== 'removed') note(join(dir, change.path));
}

async function watchWithChokidar(): Promise<void> {
  const { watch } = await import('chokidar');
  const options = kind === 'chokidar-await' ? { awaitWriteFinish: true } : {};
  watch(dir, { ignoreInitial: true, ...options })
    .on('add', note)
    .on('change', note)
    .on('ready', () => say({ at: 'watching' }));
}

function everything(folder: string): Map<string, string> {
  const known = new Map<string, string>();
  for (const name of readdirSync(folder)) {
    const stats = lstatSync(join(folder, name), { bigint: true });
    if (stats.isFile())
      known.set(name, formatStamp({ ino: stats.ino, size: Number(stats.size), mtimeNs: stats.mtimeNs }));
  }
  return known;
}

function memory(): { rssMiB: number; peakMiB: number; watches: number } {
  const status = readFileSync('/proc/self/status', 'latin1');
  const mib = (key: string) => Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  let watches = 0;
  for (const fd of readdirSync('/proc/self/fdinfo')) {
    try {
      watches += readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1').split('\ninotify').length - 1;
    } catch {
      // It was the descriptor of this listing.
    }
  }
  return { rssMiB: mib('VmRSS'), peakMiB: mib('VmHWM'), watches };
}
