/** What follows when a real agent CLI was not let in: nothing that it did itself looks like a log-in. */
import { expect } from 'vitest';
import type { Rig } from './rig.ts';

/** Its last job was not let in. Another one waits, also for the next process, and asks nobody. */
export async function isLeftAlone(rig: Rig): Promise<void> {
  const before = rig.requests().length;
  await rig.run({ 'later.md': '# Later\n' });
  const job = await rig.jobThat(({ input }) => input.path === 'later.md', 'it is there');
  expect(job).toMatchObject({ state: 'waiting', reason: 'auth', attempts: [] });
  expect(rig.requests()).toHaveLength(before);
}

/** The same; and it is done when the service lets it in. */
export async function waitsForLogIn(rig: Rig): Promise<void> {
  await isLeftAlone(rig);
  rig.play('text');
  await rig.call('agents', 'resume', 'it');
  await rig.run({});
  expect(rig.receipt('later.md')).toMatchObject({ state: 'succeeded' });
}
