/** The README's first screen is a proof: its commands are run, and what it shows is what they print. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');

interface Call {
  readonly command: string;
  readonly output: string;
}

test('the first screen shows what its commands print', () => {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8');
  const screen = /```console\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const calls = toCalls(screen);
  expect(calls.length).toBeGreaterThan(3);

  const dir = mkdtempSync(join(tmpdir(), 'sluice-readme-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const bin = join(dir, '.bin');
  execFileSync('mkdir', [bin]);
  writeFileSync(
    join(bin, 'sluice'),
    `#!/bin/sh\nexec "${process.execPath}" "${repository}/bin/sluice.js" "$@"\n`,
  );
  chmodSync(join(bin, 'sluice'), 0o755);
  for (const { command, output } of calls) {
    const printed = execFileSync('sh', ['-c', command], {
      cwd: dir,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    });
    expect(withoutTimes(printed), command).toBe(withoutTimes(output));
  }
});

function toCalls(screen: string): Call[] {
  return screen
    .split(/^\$ /m)
    .slice(1)
    .map((part) => ({
      command: part.slice(0, part.indexOf('\n')),
      output: part.slice(part.indexOf('\n') + 1),
    }));
}

function withoutTimes(text: string): string {
  return text.replace(/\d+(\.\d+)? (ms|s)\b/g, '<time>');
}
