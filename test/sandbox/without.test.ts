/** A machine without bubblewrap, had by hiding it from one process: needs root. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findTool } from '../../src/sandbox/probe.ts';
import { tree } from './rig.ts';

const bwrap = findTool('bwrap', '');
const missing =
  process.getuid?.() !== 0 ? 'needs root' : bwrap === undefined ? 'there is none here' : undefined;

function without(hide: string) {
  const dir = tree({});
  const script = 'hide=$1; shift; mount --bind "$hide" "$1" && shift && exec "$@"';
  const program = [process.execPath, join(import.meta.dirname, 'fixtures/without.ts'), dir];
  const words = ['-m', 'sh', '-c', script, 'sh', hide, bwrap ?? '', ...program];
  const { status, stdout, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return { dir, ...(JSON.parse(stdout) as { raised: unknown[]; results: unknown[] }) };
}

test.skipIf(missing !== undefined)(
  `auto runs and says so, required is refused with the remedy (${missing ?? 'works here'})`,
  () => {
    const { dir, raised, results } = without('/dev/null');
    expect(raised).toContainEqual(
      expect.objectContaining({
        code: 'SANDBOX_NONE',
        subject: 'auto',
        message: expect.stringContaining('not installed'),
      }),
    );
    expect(raised.filter((one) => (one as { subject: string }).subject === 'required')).toEqual([]);
    const [auto, required] = results;
    expect(auto).toMatchObject({
      outcome: { kind: 'exited', exitCode: 0 },
      sandbox: { mode: 'auto', backend: 'none', reason: expect.stringContaining('bwrap') },
      stderrTail: expect.stringContaining('sluice: refused: rm -rf'),
    });
    expect(existsSync(join(dir, 'made'))).toBe(true);
    expect(required).toMatchObject({
      problem: { code: 'SANDBOX_UNAVAILABLE', fix: expect.stringMatching(/bubblewrap/) },
      outcome: { kind: 'unconfinable' },
      sandbox: { mode: 'required', backend: 'none' },
    });
  },
);

test.skipIf(missing !== undefined)(
  'one that is there and does not work is as good as none, with its words',
  () => {
    const { raised, results } = without('/bin/false');
    expect(raised).toContainEqual(
      expect.objectContaining({ code: 'SANDBOX_NONE', message: expect.stringContaining('cannot confine') }),
    );
    expect(results[1]).toMatchObject({ outcome: { kind: 'unconfinable' } });
  },
);
