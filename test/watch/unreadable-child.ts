/** Run as a user who is not root: a watcher on a root with a folder that may not be read, later made readable. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { openRig, put } from './watch-rig.ts';

await using rig = await openRig({
  before: (dir) => {
    put(dir, { 'open/a': '', 'closed/b': '' });
    chmodSync(join(dir, 'closed'), 0);
  },
});
const seen = rig.seen.map(({ path }) => path);
const conditions = [...rig.conditions.values()].map(({ code, message }) => `${code} ${message}`);
chmodSync(join(rig.dir, 'closed'), 0o700);
await rig.settled();
await rig.until('the condition to go', () => rig.conditions.size === 0);
console.log(JSON.stringify({ seen, conditions, after: rig.seen.map(({ path }) => path) }));
