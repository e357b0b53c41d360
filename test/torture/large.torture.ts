/** Sizes that must not reach the daemon's memory: a command that prints 1 GiB, a file of 5 GiB. */
import { readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject, until } from '../daemon/project.ts';
import { say, tell } from './say.ts';

const MAX_RSS_MIB = 400;

const peakRss = (pid: number): number =>
  Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);

test('a command that prints 1 GiB, within its limit and beyond it', async () => {
  const began = performance.now();
  const project = makeProject(`
routing_rules:
  - { name: within, pattern: "within", agent: large }
  - { name: lines, pattern: "lines", agent: large }
  - { name: beyond, pattern: "beyond", agent: small }
agents:
  large: { kind: command, command: [sh, "\${{ file.path }}"], limits: { output: 2GiB } }
  small: { kind: command, command: [sh, "\${{ file.path }}"] }
concurrency_limits: { max_processes: 1 }
daemon: { min_free_disk: 1MiB }
`);
  const daemon = await project.start();
  project.write('inbox/within', 'head -c 1073741824 /dev/zero');
  project.write(
    'inbox/lines',
    'echo \'{"type":"status","payload":{"text":"begin"}}\'; yes "a line, and no event" | head -c 1073741824',
  );
  project.write('inbox/beyond', 'yes');
  await until('all three have ended', () => project.receipts().length === 3, 250_000);
  expect(project.receipt('within')).toMatchObject({ state: 'succeeded' });
  expect(project.receipt('lines')).toMatchObject({ state: 'succeeded', attempts: [{ events: 1 }] });
  expect(project.receipt('beyond')).toMatchObject({ state: 'failed', reason: 'limit_exceeded' });
  for (const name of ['within', 'lines'])
    expect(statSync(join(project.dir, `processed/files/inbox/${name}/result.md`)).size).toBe(2 ** 30);
  const rssMiB = peakRss(daemon.pid);
  expect(rssMiB).toBeLessThan(MAX_RSS_MIB);
  tell({
    scenario: '1 GiB of output, twice and beyond the limit',
    runs: 3,
    files: 3,
    lost: 0,
    beganMs: began,
  });
  say(`1 GiB of output twice, and once beyond the limit: ${rssMiB} MiB resident at most`, began);
});

test('a sparse file of 5 GiB', async () => {
  const began = performance.now();
  const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents: { work: { kind: command, command: [stat, -c, "%s", "\${{ file.path }}"] } }
daemon: { min_free_disk: 1MiB }
`);
  const daemon = await project.start();
  truncateSync(project.write('inbox/sparse', ''), 5 * 2 ** 30);
  project.write('inbox/small', 'small');
  const dropped = performance.now();
  await until('the small one is processed', () => project.receipt('small')?.state === 'succeeded');
  const smallMs = performance.now() - dropped;
  // It was there empty for a moment, and may have been taken in so.
  expect(project.receipt('sparse')?.input.bytes ?? 0, 'the small one is not held up').toBe(0);
  await until('the large one is processed', () => {
    const { state, input } = project.receipt('sparse') ?? {};
    return state === 'succeeded' && input?.bytes === 5 * 2 ** 30;
  });
  expect(project.receipt('sparse')?.input.sha256).toBe(
    '7f06c62352aebd8125b2a1841e2b9e1ffcbed602f381c3dcb3200200e383d1d5',
  );
  const rssMiB = peakRss(daemon.pid);
  expect(rssMiB).toBeLessThan(MAX_RSS_MIB);
  tell({ scenario: 'a file of 5 GiB', runs: 1, files: 2, lost: 0, beganMs: began });
  say(
    `5 GiB read beside a small file that took ${Math.round(smallMs)} ms: ${rssMiB} MiB resident at most`,
    began,
  );
});
