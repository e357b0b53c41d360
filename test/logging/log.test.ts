/** What people and disks do to the log. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLog } from '../../src/logging/log.ts';
import { RotatingFile } from '../../src/logging/rotating-file.ts';

function stateFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return join(dir, '.sluice');
}

test('its folder goes: it is written anew when it is its turn; one that cannot be written stops nobody', () => {
  const stateDir = stateFolder();
  const dir = join(stateDir, 'logs');
  const file = new RotatingFile({ dir, name: 'sluice', maxTotalBytes: 60 });
  const line = (n: number) => file.write(`line ${n}\n`);
  line(1);
  rmSync(dir, { recursive: true });
  line(2);
  expect(readFileSync(join(dir, 'sluice.jsonl'), 'utf8')).toBe('line 2\n');
  rmSync(stateDir, { recursive: true });
  writeFileSync(stateDir, 'a file');
  for (let n = 3; n < 8; n++) line(n);
  // The project has gone as a whole: it is not made again.
  rmSync(stateDir);
  line(8);
  expect(existsSync(stateDir)).toBe(false);
  mkdirSync(stateDir);
  line(9);
  expect(readFileSync(join(dir, 'sluice.jsonl'), 'utf8')).toBe('line 9\n');
  file.close();
});

test('none can be written: it is said, and what to do', async () => {
  const stateDir = stateFolder();
  writeFileSync(stateDir, 'a file');
  const opened = openLog({ stateDir, level: 'info', redact: (text) => text, stderr: 'none' });
  await expect(opened).rejects.toMatchObject({
    code: 'STATE_UNWRITABLE',
    fix: expect.stringContaining(stateDir),
  });
});
