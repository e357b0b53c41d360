/** A file that takes long to read holds up nobody. */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stampOf } from '../../src/cache/fingerprint.ts';
import type { Change } from '../../src/types/change.ts';
import { House } from './reviewed-house.ts';

test('one that was seen empty and has grown since is read beside the others', async () => {
  const house = new House(() => ({ kind: 'accept' }));
  const started = await house.start();
  const written = (path: string, content: string): Change => {
    const file = join(house.dir, 'inbox', path);
    writeFileSync(file, content);
    const stamp = stampOf(file);
    if (!stamp) throw new Error(`${file} is not there`);
    return { type: 'added', root: 'inbox', path, stamp, found: 'event' };
  };
  const changes = [written('grown', ''), written('small', 'small')];
  truncateSync(join(house.dir, 'inbox/grown'), 512 << 20);
  const taken = async () =>
    (await started.ledger.jobs.list({ limit: 10 }))
      .map(({ input }) => `${input.path} ${input.bytes}`)
      .toSorted();

  const { reading } = await started.coordinator.submitAll(changes, () => ({}));
  expect(await taken()).toEqual(['small 5']);
  await reading;
  expect(await taken()).toEqual([`grown ${512 << 20}`, 'small 5']);
  await started.die();
});
