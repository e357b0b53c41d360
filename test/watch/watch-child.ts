/** A watcher in a process of its own, which a test can stop, limit and look at: one line for each thing that happens. */
import { mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { startWatcher } from '../../src/watch/start.ts';
import { rootConfig } from './watch-rig.ts';

// Beside the root: whoever made that folder removes both, also when this process is killed.
const stateDir = `${process.argv[2]}-state`;
mkdirSync(stateDir);
const before = new Set(readdirSync('/proc/self/fd'));
const watcher = startWatcher({
  roots: [rootConfig(process.argv[2] as string)],
  excluded: [],
  stateDir,
  ledgerId: 'child',
  known: async (_, folders) => folders.map(() => new Map()),
  conditions: {
    raise: ({ code, subject, message, fix }) => console.log(`${code} ${subject} ${message} fix: ${fix}`),
    clear: () => undefined,
  },
});
await watcher.watching;
const stop = new AbortController();
const consumed = (async () => {
  for await (const batch of watcher.changes(stop.signal))
    console.log(batch.map(({ path }) => path).join('\n'));
})();
console.log('watching');
await text(process.stdin);
await watcher[Symbol.asyncDispose]();
await watcher[Symbol.asyncDispose]();
stop.abort();
await consumed;
const descriptors = readdirSync('/proc/self/fd')
  .filter((fd) => !before.has(fd))
  .map(linkOf)
  // Reading stdin takes descriptors of its own.
  .filter((link) => link !== undefined && !link.startsWith('pipe:') && !link.startsWith('socket:'));
const resources = process.getActiveResourcesInfo().filter((name) => !name.startsWith('Pipe'));
console.log(`left: ${JSON.stringify({ descriptors, resources })}`);

function linkOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The descriptor of the listing itself.
    return undefined;
  }
}
