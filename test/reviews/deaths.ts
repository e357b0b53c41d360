/** A review from the first file to the decision, whose process dies before one of its writes to the ledger. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { AgentCall } from '../../src/types/agent.ts';
import { House } from '../coordinator/reviewed-house.ts';
import { answer } from './rig.ts';

const sandbox = '{ mode: off, reason: a test plays it }';

/** An author and two reviewers, whom a test plays. @param on What is reviewed. */
export const playedConfig = (on = 'result'): string => `version: 1
watch: [{ path: ./inbox }]
routing_rules: [{ name: all, pattern: "**", agent: author, review: true }]
agents:
  author: { kind: command, command: ["true"], sandbox: ${sandbox} }
  one: { kind: command, command: ["true"], capabilities: [code_review], sandbox: ${sandbox} }
  two: { kind: command, command: ["true"], capabilities: [code_review], sandbox: ${sandbox} }
reviews: { on: [${on}] }
concurrency_limits: { max_processes: 4, max_concurrent_files: 16 }
daemon: { min_free_disk: 1MiB }
`;
const wrong = { severity: 'blocking', text: 'It is 5.', place: null, evidence: null };

/** The author is sent back once, by one of its two reviewers. */
function answerOf({ agent, step, guidance }: AgentCall): string {
  if (agent.name === 'author') return guidance === undefined ? 'It is 4.' : 'It is 5.';
  const blocks = agent.name === 'one' && step?.step.includes('round-1');
  return blocks ? answer('blocker', wrong) : answer('approved');
}

/** @returns false: everything was over before that write, and nobody died. */
export async function survives(lastWrite: number): Promise<boolean> {
  const house = new House(() => ({ kind: 'accept' }), { config: playedConfig(), answer: answerOf });
  execFileSync('git', ['init', '-q', join(house.dir, 'inbox')]);
  const first = await house.start(lastWrite);
  const isOver = await Promise.race([
    first.died.then(() => false),
    house
      .drop(first, 'a')
      .then(first.settled)
      .then(() => true),
  ]);
  await first.die();
  if (isOver) return false;
  // Somebody works in the same tree: what is shown of it is not what it was.
  writeFileSync(join(house.dir, 'inbox/somebody'), 'was here\n');
  const second = await house.start();
  await house.drop(second, 'a');
  await second.settled();
  const told = `after write ${lastWrite}`;
  // Nobody has worked, or was asked, twice.
  expect([told, ...house.attempts.toSorted()]).toEqual([
    told,
    'author a',
    'author a',
    ...['one round-1-one', 'one round-2-one', 'two round-1-two', 'two round-2-two'],
  ]);
  const { state, attempts, reviews = [] } = house.receipt('a') ?? {};
  expect([told, state, attempts?.length]).toEqual([told, 'succeeded', 2]);
  expect([told, ...reviews.map(({ round, decision }) => [round, decision])]).toEqual([
    told,
    [1, 'stop'],
    [2, 'continue'],
  ]);
  expect([told, house.delivered('a', 'result.md')]).toEqual([told, 'It is 5.']);
  const folder = join(house.dir, 'processed/files/inbox/a/reviews');
  const files = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  expect([told, ...files]).toEqual([told, 'round-1.json', 'round-1.md', 'round-2.json', 'round-2.md']);
  const told2 = readFileSync(join(folder, 'round-2.md'), 'utf8');
  expect([told, told2.startsWith('# Review, round 2: continue')]).toEqual([told, true]);
  const rows = await second.ledger.reviews.list({ limit: 9 });
  expect([told, rows.length, rows.every(({ decision }) => decision !== undefined)]).toEqual([told, 2, true]);
  expect([told, await second.ledger.kept.list('job_note')]).toEqual([told, []]);
  await second.die();
  return true;
}
