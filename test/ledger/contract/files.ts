/** What is known of files. */
import { expect, test } from 'vitest';
import type { MakePlace } from '../contract.ts';
import { file } from '../specs.ts';

const oddNames = [
  'plain.txt',
  'with space',
  `quote's "both"`,
  '$(rm -rf ~)`x`',
  '-leading',
  'new\nline',
  '\u202eright-to-left',
  'e\u0301.txt',
  '\u00e9.txt',
  '\uef80\uefff-bytes',
  '%_\\like',
  '...',
  '😀'.repeat(60),
];

export function fileContract(makePlace: MakePlace): void {
  test('a file is kept under its root, its folder and its name, whatever they are called', async () => {
    const place = makePlace();
    {
      await using ledger = await place.open(() => 1_000);
      for (const folder of ['', ...oddNames])
        for (const name of oddNames) {
          const path = folder === '' ? name : `${folder}/${name}`;
          await ledger.files.put(file(path, { stamp: `stamp of ${path}` }));
        }
    }
    await using ledger = await place.open(() => 1_000);
    for (const folder of ['', ...oddNames]) {
      const found = await ledger.files.inFolder('inbox', folder);
      expect([...found.keys()].sort()).toEqual([...oddNames].sort());
      for (const name of oddNames) {
        const path = folder === '' ? name : `${folder}/${name}`;
        expect(found.get(name)).toBe(`stamp of ${path}`);
        expect(await ledger.files.get('inbox', path)).toMatchObject({ path, stamp: `stamp of ${path}` });
      }
    }
    expect(await ledger.files.get('outbox', 'plain.txt')).toBeUndefined();
  });

  test('a newer version replaces the older one but for when the file was first seen', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const first = file('p', { sha256: 'aa', jobId: 'one', disposition: 'processed', seenAt: 1 });
    await ledger.files.put(first);
    expect(await ledger.files.get('inbox', 'p')).toEqual({ ...first, firstSeenAt: 1 });
    const second = file('p', { stamp: 'other', bytes: 9, seenAt: 2 });
    await ledger.files.put(second);
    expect(await ledger.files.get('inbox', 'p')).toEqual({ ...second, firstSeenAt: 1 });
  });

  test('a disposition is that of the job the file stands for', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await ledger.files.put(file('p', { jobId: 'two' }));
    await ledger.files.setDisposition('inbox', 'p', 'one', 'failed');
    expect((await ledger.files.get('inbox', 'p'))?.disposition).toBeUndefined();
    await ledger.files.setDisposition('inbox', 'p', 'two', 'processed');
    expect((await ledger.files.get('inbox', 'p'))?.disposition).toBe('processed');
    await ledger.files.setDisposition('inbox', 'p', 'two', undefined);
    expect((await ledger.files.get('inbox', 'p'))?.disposition).toBeUndefined();
  });

  test('a file that is gone is in no listing, and back when it comes back', async () => {
    let now = 1_000;
    await using ledger = await makePlace().open(() => now);
    await ledger.files.put(file('p', { disposition: 'processed' }));
    now = 2_000;
    await ledger.files.setGone('inbox', 'p');
    await ledger.durable();
    expect(await ledger.files.get('inbox', 'p')).toMatchObject({ gone: true, seenAt: 2_000 });
    expect(await ledger.files.inFolder('inbox', '')).toEqual(new Map());
    expect(await ledger.files.list({ limit: 10 })).toEqual([]);
    expect(await ledger.files.counts()).toEqual({});
    await ledger.files.put(file('p', { disposition: 'processed' }));
    expect(await ledger.files.counts()).toEqual({ processed: 1 });
  });

  test('inFolder tells only what is on disk, and does not wait for the rest', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    await ledger.files.put(file('f/durable'));
    await ledger.durable();
    await ledger.files.put(file('f/not yet'));
    expect([...(await ledger.files.inFolder('inbox', 'f')).keys()]).toEqual(['durable']);
    await ledger.durable();
    expect([...(await ledger.files.inFolder('inbox', 'f')).keys()].sort()).toEqual(['durable', 'not yet']);
  });

  test('listings: by root, disposition and folder, newest first', async () => {
    await using ledger = await makePlace().open(() => 1_000);
    const put = (path: string, seenAt: number, facts: Parameters<typeof file>[1] = {}) =>
      ledger.files.put(file(path, { jobId: path, disposition: 'processed', seenAt, ...facts }));
    await put('d/x', 1);
    await put('d/e/y', 2, { disposition: 'failed' });
    await put('d-not/z', 3);
    await put('d0/z', 4);
    await put('d', 5, { root: 'other' });
    const paths = async (query: Omit<Parameters<typeof ledger.files.list>[0], 'limit'>, limit = 10) =>
      (await ledger.files.list({ ...query, limit })).map(({ path }) => path);
    expect(await paths({})).toEqual(['d', 'd0/z', 'd-not/z', 'd/e/y', 'd/x']);
    expect(await paths({}, 2)).toEqual(['d', 'd0/z']);
    expect(await paths({ root: 'inbox', under: 'd' })).toEqual(['d/e/y', 'd/x']);
    expect(await paths({ root: 'inbox', under: 'd/e' })).toEqual(['d/e/y']);
    expect(await paths({ under: '' })).toHaveLength(5);
    expect(await paths({ disposition: 'failed' })).toEqual(['d/e/y']);
    expect(await ledger.files.counts()).toEqual({ processed: 4, failed: 1 });
  });

  test('a root is new until it is marked', async () => {
    const place = makePlace();
    {
      await using ledger = await place.open(() => 1_000);
      expect(await ledger.files.isNewRoot('inbox')).toBe(true);
      expect(await ledger.files.isNewRoot('inbox')).toBe(true);
      await ledger.files.markRoot('inbox');
      await ledger.files.markRoot('inbox');
    }
    await using ledger = await place.open(() => 1_000);
    expect(await ledger.files.isNewRoot('inbox')).toBe(false);
    expect(await ledger.files.isNewRoot('other')).toBe(true);
  });
}
