/** A program that waits for each receipt before it drops the next file feeds the rule; the rule does not feed itself. */
import { expect, test } from 'vitest';
import { makeProject, until } from './project.ts';

const FILES = 40;

test('forty files, each dropped when the one before has its receipt: none is held', async () => {
  const project = makeProject(`
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command: [cat, "\${{ file.path }}"]
    sandbox: { mode: off, reason: only who may write into the root can be suspected }
daemon: { min_free_disk: 1MiB }
`);
  await project.start();
  for (let n = 0; n < FILES; n++) {
    project.write(`inbox/${n}`, `${n}`);
    await until(`file ${n} has its receipt`, () => project.receipt(`${n}`)?.state === 'succeeded');
  }
  const { files, conditions } = await project.status();
  expect(files).toEqual({ processed: FILES });
  expect(conditions.map(({ code }) => code)).not.toContain('LOOP_SUSPECTED');
});
