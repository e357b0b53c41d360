import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { trimHistory } from '../../src/aggregator/trim-history.ts';

test('the oldest results go first, and only as many as must', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-trim-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const job of ['first', 'second', 'third']) {
    mkdirSync(join(dir, job, 'outputs'), { recursive: true });
    writeFileSync(join(dir, job, 'outputs', 'a.bin'), Buffer.alloc(1000));
  }
  symlinkSync('third', join(dir, 'stand-in'));
  writeFileSync(join(dir, 'second', 'result.md'), Buffer.alloc(500));

  expect(await trimHistory(dir, 3500)).toBe(0);
  expect(await trimHistory(dir, 3499)).toBe(1);
  expect(['first', 'second', 'third'].map((job) => existsSync(join(dir, job)))).toEqual([false, true, true]);
  expect(await trimHistory(dir, 0)).toBeGreaterThan(1);
  expect(existsSync(join(dir, 'third'))).toBe(false);
  expect(await trimHistory(join(dir, 'nowhere'), 0)).toBe(0);
});
