/** How long the answer of a program holds: a day when it is all there, a minute when it is not. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askVersion } from '../../../src/agents/cli/ask-version.ts';
import { never, tempDir } from '../attempts.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

async function ask(script: string, helpArgs: readonly string[] = ['--help']) {
  const file = join(tempDir(), 'own');
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const kind = {
    ...{ name: 'own', title: 'Own', programs: ['own'], install: 'npm install own', minimumVersion: '1.0.0' },
    ...{ versionArgs: ['--version'], helpArgs },
  };
  const { untilMs, ...answer } = await askVersion(kind, file, { path: '/usr/bin:/bin', signal: never });
  return { answer, holdsMs: untilMs - Date.now() };
}

const both = 'case $1 in --help) echo "  --json  -C, --cd DIR" ;; *) echo "own 1.2.3" ;; esac';

test.each<[string, string, readonly string[], object, number]>([
  ['all of it', both, ['--help'], { is: 'known', version: { text: '1.2.3' } }, day],
  ['one that is not asked for help', both, [], { is: 'known', version: { text: '1.2.3' } }, day],
  [
    'one that gives no help',
    'case $1 in --help) exit 1 ;; *) echo 1.2.3 ;; esac',
    ['--help'],
    { is: 'known', version: { text: '1.2.3' } },
    minute,
  ],
  ['one that says no version', 'echo hello', ['--help'], { is: 'broken' }, minute],
  ['one that fails', 'exit 3', ['--help'], { is: 'broken' }, minute],
])('%s', async (_, script, helpArgs, expected, ms) => {
  const { answer, holdsMs } = await ask(script, helpArgs);
  expect(answer).toMatchObject(expected);
  expect(holdsMs).toBeGreaterThan(ms - minute);
  expect(holdsMs).toBeLessThanOrEqual(ms);
});

test('flags are those that its help names', async () => {
  const { answer } = await ask(both);
  expect(answer).toMatchObject({ version: { flags: new Set(['--json', '-C', '--cd']) } });
});
