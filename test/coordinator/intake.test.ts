/** What was seen may be past when it is taken in: what counts is the version that stands there, and whether it is known. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fingerprint, stampOf } from '../../src/cache/fingerprint.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type IntakeDeps, take } from '../../src/coordinator/intake.ts';
import { Recipes } from '../../src/coordinator/recipes.ts';
import { openSqliteLedger } from '../../src/ledger/sqlite/open.ts';
import { type Change, formatStamp } from '../../src/types/change.ts';

test('a change that is older than what a job has put in place starts no work', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-intake-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (const folder of ['config', 'inbox']) mkdirSync(join(dir, folder));
  writeFileSync(
    join(dir, 'config/orchestrator.yaml'),
    'version: 1\nrouting_rules: [{ pattern: "**", agent: a }]\nagents: { a: { kind: builtin } }\n',
  );
  const { config } = await loadConfig(join(dir, 'config/orchestrator.yaml'));
  const { ledger } = openSqliteLedger({ stateDir: config.stateDir });
  onTestFinished(() => ledger[Symbol.asyncDispose]());
  const recipes = new Recipes(config, { version: async () => '' });
  const deps = { ledger, now: Date.now, reading: new AbortController().signal } as unknown as IntakeDeps;

  const file = join(dir, 'inbox/a.txt');
  writeFileSync(file, 'as it was');
  const seen = stampOf(file);
  writeFileSync(file, 'as a job left it');
  const read = await fingerprint(file);
  if (!seen || read.kind !== 'read') throw new Error('the file cannot be read');
  const version = { stamp: formatStamp(read.stamp), sha256: read.sha256, bytes: read.stamp.size };
  await ledger.files.put({
    ...{ root: 'inbox', path: 'a.txt', ...version },
    ...{ jobId: 'j1', disposition: 'processed', seenAt: Date.now(), gone: false },
  });

  const change: Change = { type: 'changed', root: 'inbox', path: 'a.txt', stamp: seen, found: 'sweep' };
  expect(await take(deps, recipes, change)).toEqual({ kind: 'known', jobId: 'j1', disposition: 'processed' });
});
