/**
 * Signals at random moments, until everything is done; then the proof that nothing was lost, doubled or left behind.
 * Whether an attempt had ended is asked of those who know: its receipt, or the journal of the process that waited for it.
 * A line that the agent itself writes would not do, for it may be killed between that line and its exit.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { readAttemptsJournal } from '../../src/agents/spawner/journal.ts';
import { readJournal } from '../../src/coordinator/call.ts';
import { makeProject, type Project, until } from '../daemon/project.ts';
import { allReceipts, processesOf } from './rig.ts';

export interface Interruption {
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL';
  readonly afterMs: number;
  /** The same signal once more, so much later. */
  readonly againAfterMs?: number;
}

/** Every seventh leaves a grandchild that is deaf and in a session of its own. */
const config = `
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command:
      - sh
      - -c
      - 'echo "$1" >> starts.log; case $1 in *7.txt) setsid sh -c "trap : TERM INT HUP; while :; do sleep 100; done" & ;; esac; sleep 0.$(($$ % 3)); cat "$2"'
      - sh
      - "\${{ file.rel }}"
      - "\${{ file.path }}"
    sandbox: { mode: auto, write: [project] }
concurrency_limits: { max_processes: 4, max_concurrent_files: 4 }
daemon: { min_free_disk: 1MiB, drain: 100ms }
`;

export interface Survived {
  readonly restarts: number;
  readonly starts: number;
}

/** @param command What is interrupted: the daemon, or a run by itself. */
export async function surviveInterruptions(
  command: 'start' | 'run',
  files: number,
  interruptions: readonly Interruption[],
): Promise<Survived> {
  const project = makeProject(config);
  const names = Array.from({ length: files }, (_, n) => `${n % 5}/file ${n}.txt`);
  for (const name of names) project.write(`inbox/${name}`, `content of ${name}`);
  /** What was known to have succeeded, with the number of its starts then. */
  const ended = new Map<string, number>();
  const check = async (): Promise<void> => {
    const starts = countStarts(project);
    for (const [path, before] of ended) expect([path, starts.get(path)]).toEqual([path, before]);
    for (const path of await succeeded(project)) if (!ended.has(path)) ended.set(path, starts.get(path) ?? 0);
  };
  for (const { signal, afterMs, againAfterMs } of interruptions) {
    const process = project.spawn(command);
    const isOver = Promise.race([process.exited.then(() => true), sleep(afterMs, false)]);
    if (!(await isOver)) {
      const send = (): void => (signal === 'SIGINT' ? process.pressCtrlC() : process.kill(signal));
      send();
      if (againAfterMs !== undefined) {
        await Promise.race([process.exited, sleep(againAfterMs)]);
        send();
      }
    }
    await process.exited;
    // Those that are deaf get five seconds before they are killed.
    await until('no process is left', () => processesOf(project).length === 0);
    await check();
  }
  let last = await project.sluice('run', '--json');
  // Five interruptions in a row, and a job is held until a person lets it go on.
  const released = await project.sluice('jobs', 'release', '--held');
  if (released.stdout !== '') last = await project.sluice('run', '--json');
  expect(last.stderr).toBe('');
  expect(last.code).toBe(0);
  await check();
  const receipts = allReceipts(project);
  expect(receipts.map(({ input }) => input.path).toSorted()).toEqual(names.toSorted());
  expect(new Set(receipts.map(({ state }) => state))).toEqual(new Set(['succeeded']));
  for (const name of names)
    expect(readFileSync(join(project.dir, 'processed/files/inbox', name, 'result.md'), 'utf8')).toBe(
      `content of ${name}`,
    );
  expect(processesOf(project)).toEqual([]);
  const again = await project.sluice('run', '--json');
  expect(JSON.parse(again.stdout).files).toMatchObject({ found: files, unchanged: files });
  await check();
  return {
    restarts: interruptions.length,
    starts: [...countStarts(project).values()].reduce((a, b) => a + b, 0),
  };
}

function countStarts(project: Project): Map<string, number> {
  const counts = new Map<string, number>();
  if (!project.exists('starts.log')) return counts;
  for (const path of readFileSync(join(project.dir, 'starts.log'), 'utf8').trim().split('\n'))
    counts.set(path, (counts.get(path) ?? 0) + 1);
  return counts;
}

async function succeeded(project: Project): Promise<Set<string>> {
  const journal = await readAttemptsJournal(join(project.dir, '.sluice'));
  const inJournal = journal.flatMap(({ exit, journal: text }) =>
    exit.outcome.kind === 'exited' && exit.outcome.exitCode === 0
      ? readJournal(text).map(({ spec }) => spec.input.path)
      : [],
  );
  return new Set([...inJournal, ...allReceipts(project).map(({ input }) => input.path)]);
}
