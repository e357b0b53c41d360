/** What an agent CLI left of an attempt goes to the receipt and comes back from it. */
import { expect, test } from 'vitest';
import { formatReceipt, parseReceipt, toReceipt } from '../../src/aggregator/receipt.ts';
import { toAttempts } from '../../src/coordinator/job-end.ts';
import type { CliRecord } from '../../src/types/agent-cli.ts';
import type { JobRecord } from '../../src/types/job.ts';
import type { Receipt } from '../../src/types/receipt.ts';

const jobWith = (cli: CliRecord): JobRecord => ({
  ...{ id: 'j1', rule: 'r', agent: 'writer', key: 'k', state: 'succeeded', proof: ['event'], priority: 0 },
  input: { root: 'inbox', path: 'a.md', sha256: 'ab', bytes: 7, stamp: '1-7-1' },
  ...{ lane: 'writer', fallbacks: [], promoted: [], depth: 0, queuedAt: 1, costUsd: 0.5, outputs: [] },
  attempts: [
    {
      ...{ n: 1, agent: 'writer', startedAt: 1, endedAt: 2, outcome: 'exited', events: 2, cli },
      ...{ sandbox: { mode: 'required', backend: 'bwrap' }, limits: {} },
    },
  ],
});

const whole: CliRecord = {
  kind: 'claude',
  version: '2.1.328',
  model: 'sonnet',
  sessionId: '6afd6028-4531-4bfd-a16e-87280abe34c2',
  resume: 'cd /p && claude --resume 6afd6028',
  flags: ['--output-format', 'stream-json'],
  fault: 'rate',
  denials: ['Write: /etc/x'],
  correction: { added: ['--add-dir', '/p'], removed: ['--model'], access: 'edit', directories: ['/p'] },
  next: { skipGitCheck: true },
};

test('a whole record', () => {
  const receipt = toReceipt(jobWith(whole));
  expect(receipt.attempts[0]?.cli).toEqual({
    kind: 'claude',
    version: '2.1.328',
    model: 'sonnet',
    session_id: whole.sessionId,
    resume: whole.resume,
    flags: whole.flags,
    fault: 'rate',
    denials: whole.denials,
    correction: { added: ['--add-dir', '/p'], removed: ['--model'] },
  });
  const [back] = toAttempts(parseReceipt(formatReceipt(receipt)) as Receipt);
  const { next: _, ...kept } = whole;
  expect(back?.cli).toEqual({ ...kept, correction: { added: ['--add-dir', '/p'], removed: ['--model'] } });
});

test('the least of it', () => {
  const receipt = toReceipt(jobWith({ kind: 'codex', flags: [], denials: [] }));
  expect(receipt.attempts[0]?.cli).toEqual({ kind: 'codex', flags: [] });
  expect(toAttempts(receipt)[0]?.cli).toEqual({ kind: 'codex', flags: [], denials: [] });
});

test.each([
  [null, undefined],
  [5, undefined],
  ['claude', undefined],
  [{}, undefined],
  [{ kind: 7 }, undefined],
  [{ kind: 'x' }, { kind: 'x', flags: [], denials: [] }],
  [
    { kind: 'x', flags: 'no', denials: [1, 'a'], version: {}, correction: { added: ['+'] } },
    { kind: 'x', flags: [], denials: ['a'], correction: { added: ['+'], removed: [] } },
  ],
])('a receipt that somebody edited: %j', (cli, found) => {
  const receipt = structuredClone(toReceipt(jobWith(whole))) as unknown as {
    attempts: { cli: unknown }[];
  };
  for (const attempt of receipt.attempts) attempt.cli = cli;
  expect(toAttempts(parseReceipt(JSON.stringify(receipt)) as Receipt)[0]?.cli).toEqual(found);
});
