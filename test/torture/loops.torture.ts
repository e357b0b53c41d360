/** What takes long to tell apart, side by side: a command that changes its own input, and steady streams of drops. */
import { expect, test } from 'vitest';
import { comesToRest, runs, served, startRules, stream } from '../daemon/loops-rig.ts';
import { say, tell } from './say.ts';

const DROPS = 36;

async function appender(): Promise<number> {
  // With events, a file that is reopened at once has to be quiet for up to five seconds: that would take minutes.
  const root = ', mode: poll, sweep: 1s, settle: 100ms';
  const project = await startRules({ a: 'sleep 0.1; echo more >> $1' }, { root });
  project.write('inbox/a-seed', 'x');
  await comesToRest(project);
  return runs(project).length;
}

/** A drop every 0.3 s for an agent that takes 1 s. */
async function steadyStream(
  processes: number,
): Promise<{ readonly succeeded: number; readonly held: number }> {
  const project = await startRules({ a: 'sleep 1' }, { processes });
  await stream(project, DROPS);
  return served(project, DROPS);
}

test('a command that appends to its own input comes to rest; streams are never held, whether the agent keeps up or not', async () => {
  const beganMs = performance.now();
  const [rested, ...streams] = await Promise.all([appender(), steadyStream(1), steadyStream(4)]);
  const succeeded = streams.reduce((sum, stream) => sum + stream.succeeded, 0);
  tell({
    scenario: 'a loop, and two streams',
    runs: rested + 2 * DROPS,
    files: 1 + 2 * DROPS,
    lost: 2 * DROPS - succeeded,
    beganMs,
  });
  expect(streams).toEqual([1, 2].map(() => ({ succeeded: DROPS, held: 0 })));
  say(`a loop rested after ${rested} runs; of ${2 * DROPS} drops in two streams none was held`, beganMs);
});
