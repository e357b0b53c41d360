import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PublishStep } from '../../src/aggregator/publish.ts';
import type { Receipt } from '../../src/types/receipt.ts';
import { createRig, memory, type Rig, treeOf } from './rig.ts';

const filesOf = (rig: Rig) => treeOf(join(rig.output, 'files'));
const historyOf = (rig: Rig) => treeOf(join(rig.stateDir, 'history'));
const receiptAt = (rig: Rig, place: string): Receipt =>
  JSON.parse(readFileSync(join(rig.output, 'files', place, 'receipt.json'), 'utf8'));

test('result, outputs and receipt appear under the path of the input', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const { job, workDir } = await rig.endJob('a/b.txt', {
    result: '# hello',
    outputs: { 'x.json': '{}', 'd/y': 'why' },
  });
  await aggregator.publish(job, workDir);
  expect(Object.keys(filesOf(rig)).sort()).toEqual([
    'inbox/a/b.txt/outputs/d/y',
    'inbox/a/b.txt/outputs/x.json',
    'inbox/a/b.txt/receipt.json',
    'inbox/a/b.txt/result.md',
  ]);
  expect(receiptAt(rig, 'inbox/a/b.txt')).toMatchObject({
    job_id: job.id,
    state: 'succeeded',
    result_bytes: 7,
    outputs: job.outputs,
  });
  expect(await aggregator.locate(job)).toEqual({
    resultFile: join(rig.output, 'files/inbox/a/b.txt/result.md'),
    outputsDir: join(rig.output, 'files/inbox/a/b.txt/outputs'),
  });
});

test('file_mode holds for everything that comes out, whatever the umask', async () => {
  await using rig = createRig({ fileMode: 0o640 });
  const umask = process.umask(0o077);
  try {
    await using aggregator = rig.start();
    const { job, workDir } = await rig.endJob('a/b.txt', { result: 'r', outputs: { 'd/y': 'why' } });
    await aggregator.publish(job, workDir);
    await aggregator.flush();
    const modeOf = (path: string) => (statSync(join(rig.output, path)).mode & 0o777).toString(8);
    const at = 'files/inbox/a/b.txt';
    expect(
      [`${at}/result.md`, `${at}/receipt.json`, `${at}/outputs/d/y`, 'index.html', 'index.json'].map(modeOf),
    ).toEqual(Array(5).fill('640'));
    expect(['.', 'files', 'files/inbox/a', at, `${at}/outputs`, `${at}/outputs/d`].map(modeOf)).toEqual(
      Array(6).fill('750'),
    );
  } finally {
    process.umask(umask);
  }
});

test('a newer result replaces the older one, which stands in the history', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const first = await rig.endJob('a', { result: 'one', outputs: { x: '1' } });
  await aggregator.publish(first.job, first.workDir);
  const second = await rig.endJob('a', { result: 'two' });
  await aggregator.publish(second.job, second.workDir);
  expect(Object.keys(filesOf(rig)).sort()).toEqual(['inbox/a/receipt.json', 'inbox/a/result.md']);
  expect(filesOf(rig)['inbox/a/result.md']).toBe('two');
  expect(historyOf(rig)).toMatchObject({
    [`${first.job.id}/result.md`]: 'one',
    [`${first.job.id}/outputs/x`]: '1',
  });
  expect(await aggregator.hasResult(first.job.id)).toBe(true);
  rmSync(join(rig.dir, '.sluice/history', first.job.id), { recursive: true });
  expect(await aggregator.hasResult(first.job.id)).toBe(false);
});

test('a result that was held up does not replace a newer one', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const first = await rig.endJob('a', { result: 'one', outputs: { x: '1' } });
  const second = await rig.endJob('a', { result: 'two' });
  await aggregator.publish(second.job, second.workDir);
  await aggregator.publish(first.job, first.workDir);
  expect(filesOf(rig)['inbox/a/result.md']).toBe('two');
  expect(historyOf(rig)).toMatchObject({
    [`${first.job.id}/result.md`]: 'one',
    [`${first.job.id}/outputs/x`]: '1',
  });
});

test('with the clock set back the newer result still wins', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const first = await rig.endJob('a', { result: 'one' });
  await aggregator.publish(first.job, first.workDir);
  rig.clock.now -= 3_600_000;
  const second = await rig.endJob('a', { result: 'two' });
  await aggregator.publish(second.job, second.workDir);
  expect(filesOf(rig)['inbox/a/result.md']).toBe('two');
});

test('a failed job says what failed, what to do and its last lines, without secrets', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const first = await rig.endJob('a', { result: 'one', outputs: { x: '1' } });
  await aggregator.publish(first.job, first.workDir);
  const end = {
    reason: 'exit_code',
    message: 'sum ended with 3',
    fix: 'See its errors.',
    outputs: [],
  } as const;
  const { job, workDir } = await rig.endJob(
    'a',
    { result: 'half', stderr: 'password hunter2\n\u001b[31mno ``` such file\u001b[0m\n' },
    { state: 'failed', end },
  );
  await aggregator.publish(job, workDir);
  const page = filesOf(rig)['inbox/a/result.md'] ?? '';
  for (const part of [
    '**exit_code**',
    'sum ended with 3',
    'See its errors.',
    'password ***',
    '````text',
    `sluice jobs retry ${job.id}`,
  ])
    expect(page).toContain(part);
  expect(page).not.toContain('\u001b');
  expect(filesOf(rig)).not.toHaveProperty('inbox/a/outputs/x');
  expect(historyOf(rig)).toHaveProperty(`${first.job.id}/outputs/x`);
  // Again when the work folder is gone: the page keeps what it knew.
  rmSync(workDir, { recursive: true });
  await aggregator.publish(job);
  expect(filesOf(rig)['inbox/a/result.md']).toBe(page);
});

test('cancelled and superseded jobs leave what stands there', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const first = await rig.endJob('a', { result: 'one' });
  await aggregator.publish(first.job, first.workDir);
  const before = filesOf(rig);
  for (const state of ['cancelled', 'superseded'] as const) {
    const { job, workDir } = await rig.endJob('a', { result: 'two' }, { state });
    await aggregator.publish(job, workDir);
  }
  expect(filesOf(rig)).toEqual(before);
});

test('a cached job at the same path only gets its receipt', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const first = await rig.endJob('a', { result: 'one', outputs: { x: '1' } });
  await aggregator.publish(first.job, first.workDir);
  const inode = statSync(join(rig.output, 'files/inbox/a/result.md')).ino;
  const again = await rig.endJob(
    'a',
    {},
    { state: 'cached', end: { cachedFrom: first.job.id, outputs: first.job.outputs } },
  );
  await aggregator.publish(again.job);
  expect(receiptAt(rig, 'inbox/a')).toMatchObject({
    job_id: again.job.id,
    cached_from: first.job.id,
    result_bytes: 3,
  });
  expect(statSync(join(rig.output, 'files/inbox/a/result.md')).ino).toBe(inode);
  expect(await aggregator.hasResult(first.job.id)).toBe(true);

  // Other content, then the first content again: the first result comes back from the history.
  const other = await rig.endJob('a', { result: 'other' });
  await aggregator.publish(other.job, other.workDir);
  expect(await aggregator.hasResult(first.job.id)).toBe(true);
  const back = await rig.endJob(
    'a',
    {},
    { state: 'cached', end: { cachedFrom: first.job.id, outputs: first.job.outputs } },
  );
  await aggregator.publish(back.job);
  expect(filesOf(rig)).toMatchObject({ 'inbox/a/result.md': 'one', 'inbox/a/outputs/x': '1' });
  expect(historyOf(rig)).toHaveProperty(`${other.job.id}/result.md`, 'other');
});

test('a cached job at another path gets a copy of its own', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const first = await rig.endJob('a', { result: 'one', outputs: { x: '1' } });
  await aggregator.publish(first.job, first.workDir);
  const twin = await rig.endJob(
    'b',
    {},
    { state: 'cached', end: { cachedFrom: first.job.id, outputs: first.job.outputs } },
  );
  await aggregator.publish(twin.job);
  writeFileSync(join(rig.output, 'files/inbox/b/result.md'), 'edited by a person');
  expect(filesOf(rig)).toMatchObject({
    'inbox/a/result.md': 'one',
    'inbox/b/outputs/x': '1',
    'inbox/b/result.md': 'edited by a person',
  });
  expect(() => statSync(join(rig.output, '.tmp', twin.job.id))).toThrow('ENOENT');
});

test('a cached job whose source is gone says so, and is no source itself', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const first = await rig.endJob('a', { result: 'one', outputs: { x: '1' } });
  await aggregator.publish(first.job, first.workDir);
  rmSync(join(rig.output, 'files/inbox/a'), { recursive: true });
  expect(await aggregator.hasResult(first.job.id)).toBe(false);
  const twin = await rig.endJob(
    'b',
    {},
    { state: 'cached', end: { cachedFrom: first.job.id, outputs: first.job.outputs } },
  );
  await aggregator.publish(twin.job);
  expect(filesOf(rig)['inbox/b/result.md']).toContain('sluice run --force');
  expect(await aggregator.hasResult(first.job.id)).toBe(false);
});

test('only listed regular files are delivered, and an original that was linked in is left alone', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const original = join(rig.dir, 'original');
  writeFileSync(original, 'mine', { mode: 0o600 });
  const { job, workDir } = await rig.endJob('a', { result: 'r', outputs: { x: '1', linked: 'mine' } });
  rmSync(join(workDir, 'outputs/linked'));
  linkSync(original, join(workDir, 'outputs/linked'));
  symlinkSync('/etc/passwd', join(workDir, 'outputs/passwd'));
  writeFileSync(join(workDir, 'outputs/late'), 'written after the outputs were listed');
  await aggregator.publish(job, workDir);
  expect(
    Object.keys(filesOf(rig))
      .filter((path) => path.includes('outputs'))
      .sort(),
  ).toEqual(['inbox/a/outputs/linked', 'inbox/a/outputs/x']);
  expect(statSync(original).mode & 0o777).toBe(0o600);
  writeFileSync(join(rig.output, 'files/inbox/a/outputs/linked'), 'edited');
  expect(readFileSync(original, 'utf8')).toBe('mine');
});

test('a planted link is never written through', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const outside = join(rig.dir, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'precious'), 'precious');
  const first = await rig.endJob('d/a', { result: 'one' });
  await aggregator.publish(first.job, first.workDir);

  const plant = [
    () => symlinkSync(outside, join(rig.output, 'files/inbox/d')),
    () => symlinkSync(outside, join(rig.output, 'files/inbox/d/a/outputs')),
    () => symlinkSync(join(outside, 'precious'), join(rig.output, 'files/inbox/d/a/result.md')),
    () => symlinkSync(join(outside, 'precious'), join(rig.output, 'files/inbox/d/a/receipt.json')),
    () => symlinkSync(join(outside, 'precious'), join(rig.output, 'files/inbox/d/a/.receipt.tmp')),
  ];
  for (const [i, link] of plant.entries()) {
    const at = i === 0 ? 'files/inbox/d' : 'files/inbox/d/a';
    rmSync(join(rig.output, at), { recursive: true });
    if (i > 0) mkdirSync(join(rig.output, at));
    link();
    const { job, workDir } = await rig.endJob('d/a', { result: `r${i}`, outputs: { x: '1' } });
    await aggregator.publish(job, workDir);
    expect(filesOf(rig)).toMatchObject({ 'inbox/d/a/result.md': `r${i}`, 'inbox/d/a/outputs/x': '1' });
    expect(treeOf(outside)).toEqual({ precious: 'precious' });
  }
});

/** Steps of a publication in their order; a crash after any of them must change nothing in the end. */
const steps: PublishStep[] = [
  'folder',
  'parcel',
  'room',
  'pending',
  'result',
  'outputs',
  'reviews',
  'receipt',
  'discard',
];

type Scene = (
  rig: Rig,
) => Promise<{ first?: Awaited<ReturnType<Rig['endJob']>>[]; last: Awaited<ReturnType<Rig['endJob']>> }>;
const made = { result: 'new', outputs: { x: 'new x', 'd/y': 'new y' } };

const scenes: Record<string, Scene> = {
  'a first result': async (rig) => ({ last: await rig.endJob('a', made) }),
  'a newer result': async (rig) => ({
    first: [await rig.endJob('a', { result: 'old', outputs: { x: 'old x' } })],
    last: await rig.endJob('a', made),
  }),
  'a newer result without a text': async (rig) => ({
    first: [await rig.endJob('a', { result: 'old', outputs: { x: 'old x' } })],
    last: await rig.endJob('a', { outputs: { z: '1' } }),
  }),
  'a failure after a success': async (rig) => ({
    first: [await rig.endJob('a', { result: 'old', outputs: { x: 'old x' } })],
    last: await rig.endJob(
      'a',
      { stderr: 'no\n' },
      { state: 'failed', end: { reason: 'exit_code', message: 'm', fix: 'f' } },
    ),
  }),
  'a cached result at its path': async (rig) => {
    const first = await rig.endJob('a', { result: 'old', outputs: { x: 'old x' } });
    return {
      first: [first],
      last: await rig.endJob(
        'a',
        {},
        { state: 'cached', end: { cachedFrom: first.job.id, outputs: first.job.outputs } },
      ),
    };
  },
  'a cached result over another one': async (rig) => {
    const first = await rig.endJob('b', { result: 'old', outputs: { x: 'old x' } });
    const other = await rig.endJob('a', { result: 'other', outputs: { x: 'other x' } });
    return {
      first: [first, other],
      last: await rig.endJob(
        'a',
        {},
        { state: 'cached', end: { cachedFrom: first.job.id, outputs: first.job.outputs } },
      ),
    };
  },
  'a file that was a folder': async (rig) => ({
    first: [
      await rig.endJob('a/result.md', made),
      await rig.endJob('a/outputs/receipt.json', made),
      await rig.endJob('a/receipt.json', made),
    ],
    last: await rig.endJob('a', made),
  }),
  'a folder that was a file': async (rig) => ({
    first: [await rig.endJob('a', made)],
    last: await rig.endJob('a/outputs/result.md', made),
  }),
};

for (const [name, scene] of Object.entries(scenes)) {
  test(`${name}: a crash after any step changes nothing in the end`, async () => {
    const ends: [Record<string, string>, Record<string, string>][] = [];
    for (const crashAfter of [undefined, ...steps]) {
      await using rig = createRig();
      const { first = [], last } = await scene(rig);
      await using before = rig.start();
      for (const { job, workDir } of first) await before.publish(job, workDir);
      const crash = new Error('the machine stopped here');
      await using crashing = rig.start({
        afterStep: (step) => {
          if (step === crashAfter) throw crash;
        },
      });
      const publication = crashing.publish(last.job, last.workDir);
      if (crashAfter === undefined) await publication;
      else await publication.catch((error) => expect(error).toBe(crash));
      await using after = rig.start();
      await after.publish(last.job);
      await after.publish(last.job);
      ends.push([filesOf(rig), historyOf(rig)]);
      expect(await after.locate(last.job), `after ${crashAfter}`).toBeDefined();
    }
    for (const [i, end] of ends.entries()) expect(end, `crash after ${steps[i - 1]}`).toEqual(ends[0]);
  });
}

test('an older result that a crash left half in the history is moved there whole', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const first = await rig.endJob('a', { result: 'one', outputs: { x: '1' } });
  await aggregator.publish(first.job, first.workDir);
  const second = await rig.endJob('a', { result: 'two', outputs: { x: '2' } });
  const history = join(rig.stateDir, 'history', first.job.id);
  mkdirSync(history, { recursive: true });
  renameSync(join(rig.output, 'files/inbox/a/outputs'), join(history, 'outputs'));
  await aggregator.publish(second.job, second.workDir);
  expect(historyOf(rig)).toMatchObject({
    [`${first.job.id}/result.md`]: 'one',
    [`${first.job.id}/outputs/x`]: '1',
  });
  expect(filesOf(rig)).toMatchObject({ 'inbox/a/result.md': 'two', 'inbox/a/outputs/x': '2' });
});

test('once the placing has begun, the receipt says how the job ended', async () => {
  for (const crashAfter of steps) {
    await using rig = createRig();
    const { job, workDir } = await rig.endJob('a', made);
    await using aggregator = rig.start({
      afterStep: (step) => {
        if (step === crashAfter) throw new Error('the machine stopped here');
      },
    });
    await aggregator.publish(job, workDir).catch(() => {});
    const begun = steps.indexOf(crashAfter) >= steps.indexOf('pending');
    const receipt = aggregator.receiptOf(job.id, job.input);
    // 'room' is no step here: nothing stood in the way.
    if (crashAfter !== 'room') expect(receipt?.outputs, crashAfter).toEqual(begun ? job.outputs : undefined);
    expect(aggregator.receiptOf('another', job.input)).toBeUndefined();
  }
});

test('a torn receipt is written again and takes nothing with it', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  const { job, workDir } = await rig.endJob('a', { result: 'one', outputs: { x: '1' } });
  await aggregator.publish(job, workDir);
  const whole = filesOf(rig);
  for (const torn of ['', '{"schema":1,"job_id', '{"schema":1,"job_id":"../../escape"}', 'null']) {
    writeFileSync(join(rig.output, 'files/inbox/a/receipt.json'), torn);
    expect(await aggregator.locate(job)).toBeUndefined();
    await aggregator.publish(job);
    expect(filesOf(rig)).toEqual(whole);
  }
});

test('people put their own files there: they are moved out of the way, not lost', async () => {
  await using rig = createRig();
  await using aggregator = rig.start();
  mkdirSync(join(rig.output, 'files/inbox/a/outputs'), { recursive: true });
  writeFileSync(join(rig.output, 'files/inbox/a/result.md'), 'my notes');
  writeFileSync(join(rig.output, 'files/inbox/a/outputs/mine'), 'my file');
  writeFileSync(join(rig.output, 'files/inbox/d'), 'my d');
  for (const path of ['a', 'd/x']) {
    const { job, workDir } = await rig.endJob(path, { result: 'r', outputs: { x: '1' } });
    await aggregator.publish(job, workDir);
  }
  expect(filesOf(rig)).toMatchObject({ 'inbox/a/result.md': 'r', 'inbox/d/x/result.md': 'r' });
  expect(Object.values(historyOf(rig)).sort()).toEqual(['my d', 'my file', 'my notes']);
});

test.skipIf(statSync(memory).dev === statSync(tmpdir()).dev)(
  'an output folder on another file system (skipped where there is no second one)',
  async () => {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-aggregator-')));
    try {
      await using rig = createRig({ dir: join(dir, 'processed') });
      await using aggregator = rig.start();
      const big = 'x'.repeat(200_000);
      for (const n of [1, 2]) {
        const { job, workDir } = await rig.endJob('a', {
          result: `r${n}`,
          outputs: { big: big + n, 'd/y': 'y' },
        });
        await aggregator.publish(job, workDir);
        expect(await aggregator.locate(job)).toBeDefined();
      }
      expect(filesOf(rig)).toMatchObject({ 'inbox/a/result.md': 'r2', 'inbox/a/outputs/big': `${big}2` });
      expect(historyOf(rig)).toMatchObject({ 'job-0001/result.md': 'r1', 'job-0001/outputs/big': `${big}1` });
      const cached = await rig.endJob(
        'b',
        {},
        { state: 'cached', end: { cachedFrom: 'job-0001', outputs: [] } },
      );
      await aggregator.publish(cached.job);
      expect(filesOf(rig)['inbox/b/result.md']).toBe('r1');
    } finally {
      rmSync(dir, { recursive: true });
    }
  },
);
