import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readReceipts } from '../../src/aggregator/read-receipts.ts';
import { createRig, type Rig, treeOf } from './rig.ts';

const publish = async (rig: Rig, paths: readonly string[]) => {
  await using aggregator = rig.start();
  for (const path of paths) {
    const { job, workDir } = await rig.endJob(path, {
      result: `of ${path}`,
      outputs: { x: path, 'receipt.json': forged(path) },
    });
    await aggregator.publish(job, workDir);
  }
};

/** What an agent could write among its outputs to have a file taken for processed. */
function forged(path: string): string {
  const input = { root: 'inbox', path: `${path}/outputs`, sha256: '', bytes: 0 };
  return JSON.stringify({
    schema: 1,
    job_id: 'forged',
    input,
    rule: 'r',
    agent: 'a',
    state: 'succeeded',
    queued_at: '',
    proof: [],
    attempts: [],
    outputs: [],
  });
}

test('receipts that are missing or torn are written again, and the overview', async () => {
  await using rig = createRig();
  const paths = ['a', 'b/c', 'd', 'e', 'f'];
  await publish(rig, paths);
  const whole = treeOf(join(rig.output, 'files'));
  const at = (path: string) => join(rig.output, 'files/inbox', path);
  rmSync(join(at('a'), 'receipt.json'));
  writeFileSync(join(at('b/c'), 'receipt.json'), '{"schema":1');
  rmSync(at('d'), { recursive: true });
  rmSync(join(at('e'), 'outputs'), { recursive: true });
  rmSync(join(rig.output, 'index.html'));
  await using aggregator = rig.start();
  expect(await aggregator.rebuild()).toEqual({ receipts: 3, results: 0, missing: 2, runs: 0 });
  expect(readFileSync(join(rig.output, 'index.html'), 'utf8')).toContain('5 files processed');
  const rebuilt = treeOf(join(rig.output, 'files'));
  for (const path of ['a', 'b/c', 'f']) expect(rebuilt[`inbox/${path}/outputs/x`]).toBe(path);
  for (const path of ['b/c', 'f'])
    expect(rebuilt[`inbox/${path}/receipt.json`]).toBe(whole[`inbox/${path}/receipt.json`]);
});

test('results come back from the history and from work folders', async () => {
  await using rig = createRig();
  await publish(rig, ['a']);
  cpSync(join(rig.output, 'files/inbox/a'), join(rig.stateDir, 'history/job-0001'), { recursive: true });
  await rig.endJob('never published', { result: 'from work' });
  rmSync(join(rig.output, 'files'), { recursive: true });
  await using aggregator = rig.start();
  expect(await aggregator.rebuild()).toMatchObject({ receipts: 2 });
  expect(treeOf(join(rig.output, 'files'))).toMatchObject({
    'inbox/a/result.md': 'of a',
    'inbox/a/outputs/x': 'a',
  });
});

test('all receipts are read, and only real ones where they belong', async () => {
  await using rig = createRig();
  const paths = ['a', 'b/c', 'b/d/receipt.json', 'w'.repeat(300), 'line\nbreak', 'outputs/x', '\uef80'];
  await publish(rig, paths);
  mkdirSync(join(rig.output, 'files/inbox/torn'));
  writeFileSync(join(rig.output, 'files/inbox/torn/receipt.json'), '{"schema":1,');
  cpSync(join(rig.output, 'files/inbox/a'), join(rig.output, 'files/inbox/copy of a'), { recursive: true });
  const skipped: string[] = [];
  const found = [];
  for await (const receipt of readReceipts(rig.output, (file) => skipped.push(file)))
    found.push(receipt.input.path);
  expect(found.sort()).toEqual([...paths].sort());
  expect(skipped.map((file) => file.slice(rig.output.length + 1)).sort()).toEqual([
    'files/inbox/copy of a/receipt.json',
    'files/inbox/torn/receipt.json',
  ]);
  for await (const receipt of readReceipts(join(rig.dir, 'nothing here'))) expect(receipt).toBeUndefined();
});
