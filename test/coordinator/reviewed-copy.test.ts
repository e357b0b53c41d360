/** Work on a copy of a tree that is reviewed: what is put in place is the job's own input, too. */
import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stampOf } from '../../src/cache/fingerprint.ts';
import { formatStamp, type Stamp } from '../../src/types/change.ts';
import type { PromotedFile } from '../../src/types/job.ts';
import type { PromoteOptions, Workspaces } from '../../src/workspace/workspaces.ts';
import { House } from './reviewed-house.ts';

const config = `version: 1
watch: [{ path: ./inbox }]
routing_rules: [{ name: all, pattern: "**", agent: a, review: true }]
agents: { a: { kind: command, command: ["true"], workspace: copy, sandbox: { mode: off, reason: a test plays it } } }
reviews: { on: [result] }
daemon: { min_free_disk: 1MiB }
`;

test('its process dies between any two writes of the settlement: it is put in place once, done once, and has its receipt', async () => {
  for (let lastWrite = 4; ; lastWrite++) {
    const told = `after write ${lastWrite}`;
    let edits = 0;
    const house = new House(() => ({ kind: 'accept' }), { config, workspaces: placing(() => (edits += 1)) });
    const first = await house.start(lastWrite);
    const isOver = await Promise.race([
      first.died.then(() => false),
      house
        .drop(first, 'a')
        .then(first.settled)
        .then(() => true),
    ]);
    await first.die();
    if (isOver) return expect(lastWrite).toBeGreaterThan(9);
    if (house.wanted.length === 0) continue;
    // While it waited for its review another process has been there: only the ledger knows of its attempt.
    house.cutJournal();
    const second = await house.start();
    await house.drop(second, 'a');
    await second.settled();
    expect([told, house.attempts, edits]).toEqual([told, ['a'], 1]);
    const { state, promoted = [] } = house.receipt('a') ?? {};
    expect([told, state, promoted.map(({ path }) => path)]).toEqual([told, 'succeeded', ['a']]);
    expect(readFileSync(join(house.dir, 'inbox/a'), 'utf8')).toBe('edited');
    const file = await second.ledger.files.get('inbox', 'a');
    expect([told, file?.disposition]).toEqual([told, 'processed']);
    await second.die();
  }
});

/** As the real ones, of one file: told before it can be seen, placed by a rename, and known after a crash. */
function placing(onEdit: () => void): Partial<Workspaces> {
  let done: readonly PromotedFile[] | undefined;
  return {
    prepare: async ({ into, attempt, jobId }) => {
      mkdirSync(into);
      return { dir: into, attempt, jobId } as never;
    },
    discard: async () => {},
    promote: async ({ jobId, from, onPlaced, root }: PromoteOptions & { root?: { dir: string } }) => {
      if (done) return done;
      const file = join(root?.dir ?? '', 'a');
      const part = join(from, 'part');
      writeFileSync(part, 'edited');
      const stamp = formatStamp(stampOf(part) as Stamp);
      const sha256 = hash('sha256', 'edited', 'hex');
      await onPlaced?.({ jobId, root: 'inbox', path: 'a', change: 'changed', stamp, sha256 });
      renameSync(part, file);
      onEdit();
      done = [{ path: 'a', change: 'changed', sha256, bytes: 6 }];
      return done;
    },
  };
}
