// The tests that every agent kind of Sluice has to pass, over streams that the CLI really wrote. Recordings are made once:
//   echo hello | ./parrot.js --json > test/recordings/success.jsonl
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as sluice from 'sluice/plugin';
import { agentKindContract } from 'sluice/plugin/contract';
import plugin from '../index.js';

const recording = (name, exitCode, expect) => ({
  name,
  stdout: readFileSync(new URL(`./recordings/${name}.jsonl`, import.meta.url), 'utf8'),
  exitCode,
  expect,
});

const checks = agentKindContract(await plugin(sluice), {
  recordings: [
    recording('success', 0, {
      ...{ terminal: 'success', text: 'hello', fault: null, denials: 0, costUsd: null },
      usage: { input_tokens: 6, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 5 },
    }),
    recording('denied', 0, { terminal: 'success', denials: 1 }),
    recording('rate-limited', 1, { terminal: 'failure', fault: 'rate' }),
  ],
});
for (const { name, run } of checks) test(name, run);
