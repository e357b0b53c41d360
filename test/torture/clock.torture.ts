/**
 * A clock that jumps a day ahead or back while a rate, a budget, an open breaker and back-offs are pending, with a
 * `kill -9` now and then: all of it goes on, and nothing is lost or done twice.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allReceipts, setClock, withClock } from '../badinput/rig.ts';
import { chanceOf, seedOf } from '../daemon/chance.ts';
import { makeProject, until } from '../daemon/project.ts';
import { marksOf } from './marks.ts';
import { say, scaled, tell } from './say.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PER_ROUND = 4;
const places = ['rated', 'paid', 'broken', 'later'] as const;

/** `broken` and `later` work once there is a file `repaired`; what succeeds is a line in `done.log`. */
const config = `
routing_rules:
  - { name: rated, pattern: "rated/**", agent: rated }
  - { name: paid, pattern: "paid/**", agent: paid }
  - { name: broken, pattern: "broken/**", agent: broken }
  - { name: later, pattern: "later/**", agent: later }
  - { name: plain, pattern: "**", agent: plain }
agents:
  plain: { kind: command, command: [sh, -c, 'echo "$1" >> done.log', sh, "\${{ file.rel }}"], sandbox: &off { mode: off, reason: it writes down what it did } }
  rated: { kind: command, command: [sh, -c, 'echo "$1" >> done.log', sh, "\${{ file.rel }}"], sandbox: *off, rate: 5/min }
  paid:
    kind: command
    command: [sh, -c, 'echo "{\\"type\\":\\"status\\",\\"payload\\":{\\"cost_usd\\":0.01}}"; echo "$1" >> done.log', sh, "\${{ file.rel }}"]
    sandbox: *off
    max_load: 1
    budget: { usd_per_day: 0.05, unknown_cost: allow }
  broken:
    kind: command
    command: [sh, -c, 'test -e repaired || exit 127; echo "$1" >> done.log', sh, "\${{ file.rel }}"]
    sandbox: *off
    retry: { attempts: 50, initial: 500ms, max: 1s }
    circuit_breaker: { error_rate: 0.5, minimum: 3, reset: 60s }
  later:
    kind: command
    command: [sh, -c, 'test -e repaired || exit 1; echo "$1" >> done.log', sh, "\${{ file.rel }}"]
    sandbox: *off
    retry: { attempts: 50, initial: 2m, max: 2m }
daemon: { min_free_disk: 1MiB }
`;

test('clock jumps while rates, budgets, breakers and back-offs are pending', async () => {
  const beganMs = performance.now();
  const chance = chanceOf(seedOf(process.env));
  const project = makeProject(config, withClock);
  const names: string[] = [];
  let offsetMs = 0;
  const jump = (byMs: number): void => {
    offsetMs += byMs;
    setClock(project, offsetMs);
  };
  const drop = (path: string): void => {
    project.write(`inbox/${path}`, `content of ${path}`);
    names.push(path);
  };
  const isDone = (path: string): boolean => doneIn(project.dir).includes(path);
  const stuck: string[] = [];
  /** Plain work goes on whatever the clock does; it also makes the daemon look at what is due. */
  const alive = async (name: string): Promise<void> => {
    drop(`plain-${name}`);
    await until(`${name}: plain work goes on`, () => isDone(`plain-${name}`)).catch(
      (error: Error) => void stuck.push(error.message),
    );
  };
  let daemon = await project.start();
  const jumps = chance.shuffle([
    DAY_MS,
    -DAY_MS,
    ...Array.from({ length: scaled(2) }, () => chance.pick([DAY_MS, -DAY_MS, HOUR_MS, -HOUR_MS])),
  ]);
  for (const [round, byMs] of jumps.entries()) {
    for (const place of places) for (let n = 0; n < PER_ROUND; n++) drop(`${place}/${round}-${n}`);
    await until('breaker and back-offs are pending', async () => {
      const reasons = new Set((await project.status()).waits.map(({ reason }) => reason));
      return reasons.has('breaker') && reasons.has('backoff');
    });
    jump(byMs);
    if (round % 2 === 1) {
      daemon.kill('SIGKILL');
      await daemon.exited;
      daemon = await project.start();
    }
    await alive(`after-jump-${round}`);
  }
  project.write('repaired', '');
  const isEmpty = async (): Promise<boolean> => {
    const { queued, running, waiting, held } = (await project.status()).queue;
    return queued + running + waiting + held === 0;
  };
  // Each day pays for five and rates let five through; what stood behind the breaker goes on with the first. A day may
  // be over on a busy machine before five have run.
  const least = Math.ceil((jumps.length * PER_ROUND) / 5) + 2;
  let days = 0;
  for (; days < least || (days < 10 * least && !(await isEmpty())); days++) {
    jump(DAY_MS);
    await alive(`day-${days}`);
  }
  await until('the queue is empty', isEmpty).catch(async (error: Error) => {
    stuck.push(`${error.message}: ${JSON.stringify((await project.status()).waits)}`);
  });
  const done = doneIn(project.dir);
  const receipts = Map.groupBy(allReceipts(project), ({ input }) => input.path);
  const lost = names.filter(
    (name) => receipts.get(name)?.length !== 1 || receipts.get(name)?.[0]?.state !== 'succeeded',
  );
  const doubled = names.filter((name) => done.filter((path) => path === name).length > 1);
  daemon.kill('SIGTERM');
  const code = await daemon.exited;
  const orphans = marksOf(project).length;
  tell({
    scenario: 'clock jumps of ±1 h and ±1 d',
    runs: jumps.length + days,
    files: names.length,
    lost: lost.length,
    doubled: doubled.length,
    orphans,
    beganMs,
  });
  say(
    `SEED=${chance.seed}: jumps of ${jumps.map((ms) => ms / HOUR_MS).join(', ')} h, then ${days} days`,
    beganMs,
  );
  expect({ stuck, lost, doubled, orphans, code }).toEqual({
    stuck: [],
    lost: [],
    doubled: [],
    orphans: 0,
    code: 0,
  });
});

function doneIn(dir: string): string[] {
  try {
    return readFileSync(join(dir, 'done.log'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}
