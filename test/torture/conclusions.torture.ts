/**
 * The daemon dies while the end of an attempt is made into results: a batch is being divided, a copy of a tree is being
 * put in place. What the agent did is done once, and each file has the receipt that it would have had.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { StatusReport } from '../../src/operations/status.ts';
import { stayWithinDay, withClock } from '../badinput/rig.ts';
import { anyDisk, costs, linesOf, statesOf, unconfined } from '../daemon/agents.ts';
import { makeProject, type Project, until } from '../daemon/project.ts';
import { scaled, tell } from './say.ts';

const FILES = 40;

const dividing = `
routing_rules: [{ name: all, pattern: "**", agent: work, batch: { max_files: ${FILES}, quiet: 30s } }]
agents:
  work:
    kind: command
    command: [sh, -c, ${JSON.stringify(`while [ ! -e gate ]; do sleep 0.01; done
for f in $(tr '\\0' ' ' < "$SLUICE_FILES"); do n=$(basename $f); cp $f "$SLUICE_OUTPUT_DIR/$n.out"
case $n in *bad*) echo "{\\"file\\":\\"$n\\",\\"state\\":\\"failed\\",\\"message\\":\\"bad $n\\"}" >> "$SLUICE_OUTPUT_DIR/results.jsonl";; esac; done
echo all of them; ${costs(4)}; echo done >> done.log`)}]
    ${unconfined}
    retry: { attempts: 1 }
    budget: { usd_per_day: 100 }
concurrency_limits: { max_processes: 2, max_concurrent_files: 64 }
${anyDisk}`;

const placing = `
routing_rules: [{ name: all, pattern: "*.todo", agent: work }]
agents:
  work:
    kind: command
    command: [sh, -c, ${JSON.stringify(`while [ ! -e gate ]; do sleep 0.01; done
i=0; while [ $i -lt ${FILES} ]; do echo new > "$2/made$i.txt"; i=$((i+1)); done; echo edited >> "$1"; echo done >> done.log`)}, sh, "\${{ file.path }}", "\${{ file.root }}"]
    workspace: copy
    ${unconfined}
    retry: { attempts: 1 }
${anyDisk}`;

/** Kills the daemon so long after the agent's last word, starts another and waits until nothing is open. */
async function dieAfter(project: Project, afterMs: number): Promise<void> {
  const first = await project.start();
  await until('the attempt runs', async () => (await project.status()).queue.running > 0);
  project.write('gate', '');
  await until(
    'it is written down that the agent has ended',
    () => linesOf(project, '.sluice/attempts.journal').length > 0,
  );
  await sleep(afterMs);
  first.kill('SIGKILL');
  await first.exited;
  const second = await project.start();
  await until('nothing is open', async () => {
    const { queue, files } = await project.status();
    return queue.queued + queue.running + queue.waiting === 0 && Object.keys(files).length > 0;
  });
  second.kill('SIGTERM');
  await second.exited;
}

/** Dense where the work is done; the last ones come when all is over. */
const moments = (): number[] => {
  const times = scaled(5);
  return Array.from({ length: times }, (_, n) => Math.round((n / times) ** 2 * 150));
};

test('a batch that is being divided', async () => {
  const began = performance.now();
  let lost = 0;
  let doubled = 0;
  for (const afterMs of moments()) {
    const project = makeProject(dividing, withClock);
    stayWithinDay(project);
    const names = Array.from({ length: FILES }, (_, n) => `${n % 7 === 0 ? 'bad' : 'f'}${n}.txt`);
    for (const name of names) project.write(`inbox/${name}`, `content of ${name}`);
    await dieAfter(project, afterMs);
    doubled += (linesOf(project, 'done.log').length - 1) * FILES;
    const { limits } = JSON.parse((await project.sluice('status', '--json')).stdout) as StatusReport;
    expect(limits['agents.work.usd_per_day']?.used).toBeCloseTo(4);
    for (const name of names) {
      const receipt = project.receipt(name);
      const wanted = name.startsWith('bad') ? 'failed' : 'succeeded';
      const output = join(project.dir, 'processed/files/inbox', name, 'outputs', `${name}.out`);
      const isRight =
        receipt?.state === wanted &&
        receipt.attempts[0]?.batch?.files === FILES &&
        receipt.outputs.map(({ path }) => path).join() === `${name}.out` &&
        readFileSync(output, 'utf8') === `content of ${name}`;
      if (!isRight) lost += 1;
    }
  }
  tell({
    scenario: 'killed: batch divided',
    runs: moments().length,
    files: moments().length * FILES,
    lost,
    doubled,
    orphans: 0,
    beganMs: began,
  });
  expect([lost, doubled]).toEqual([0, 0]);
});

test('a copy of a tree that is being put in place', async () => {
  const began = performance.now();
  let lost = 0;
  let doubled = 0;
  for (const afterMs of moments()) {
    const project = makeProject(placing);
    project.write('inbox/a.todo', 'task\n');
    await dieAfter(project, afterMs);
    const jobs = await project.sluice('jobs', 'list', '--json');
    const made = Array.from({ length: FILES }, (_, n) => project.exists(`inbox/made${n}.txt`)).filter(
      Boolean,
    );
    doubled += linesOf(project, 'done.log').length - 1;
    const isRight =
      statesOf(project).succeeded === 1 &&
      (JSON.parse(jobs.stdout) as unknown[]).length === 1 &&
      made.length === FILES &&
      readFileSync(join(project.inbox, 'a.todo'), 'utf8') === 'task\nedited\n' &&
      project.receipt('a.todo')?.promoted?.length === FILES + 1;
    if (!isRight) lost += 1;
  }
  tell({
    scenario: 'killed: copy put in place',
    runs: moments().length,
    files: moments().length,
    lost,
    doubled,
    orphans: 0,
    beganMs: began,
  });
  expect([lost, doubled]).toEqual([0, 0]);
});
