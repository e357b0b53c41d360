/** A disk that fills up and is emptied again and again while files land, agents work and the daemon is killed. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fillUp } from '../badinput/fill-up.ts';
import { ended, mountSmall } from '../badinput/rig.ts';
import { makeProject, until } from '../daemon/project.ts';
import { say, tell } from './say.ts';

const CYCLES = 8;
const PER_CYCLE = 25;

test('a disk that is full again and again', async (t) => {
  const began = performance.now();
  const outer = makeProject('');
  const within = join(outer.dir, 'disk');
  mkdirSync(within);
  const refused = mountSmall(within, '12m');
  if (refused) return t.skip(refused.reason);
  const project = makeProject(
    `
routing_rules: [{ name: all, pattern: "**", agent: work }]
agents:
  work:
    kind: command
    command: [sh, -ec, 'cat "$1"; cp "$1" "$SLUICE_OUTPUT_DIR/copy"; echo "$1" >> ${outer.dir}/starts.log', sh, "\${{ file.path }}"]
    retry: { attempts: 1 }
    sandbox: { mode: off, reason: test }
daemon: { min_free_disk: 1KiB }
`,
    { within },
  );
  let daemon = await project.start();
  const ballast = join(within, 'ballast');
  const names: string[] = [];
  const staged = join(project.dir, 'staged');
  mkdirSync(staged);
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    for (let n = 0; n < PER_CYCLE; n++) {
      const name = `${cycle}-${n}`;
      writeFileSync(join(staged, name), name);
      names.push(name);
    }
    // A rename needs no space: half of them land while there is none.
    for (let n = 0; n < PER_CYCLE; n++) {
      if (n === PER_CYCLE >> 1) fillUp(ballast);
      renameSync(join(staged, `${cycle}-${n}`), join(project.inbox, `${cycle}-${n}`));
    }
    await sleep(400);
    if (cycle % 3 === 2) {
      daemon.kill('SIGKILL');
      await daemon.exited;
      rmSync(ballast);
      daemon = await project.start();
    } else rmSync(ballast);
  }
  const files = await ended(project, names.length, 60_000);
  await until('every receipt is there', () => project.receipts().length === names.length, 30_000);
  const states = Object.groupBy([...files.values()], ({ disposition = 'open' }) => disposition);
  // A command whose own write met the full disk has failed by itself: that is no fault of ours to hide.
  const failed = states.failed ?? [];
  for (const { path } of failed)
    expect(project.receipt(path)).toMatchObject({ state: 'failed', reason: 'exit_code' });
  for (const { input, state } of project.receipts())
    if (state === 'succeeded')
      expect(readFileSync(join(project.dir, 'processed/files/inbox', input.path, 'result.md'), 'utf8')).toBe(
        input.path,
      );
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
  tell({
    scenario: 'a disk that is full again and again',
    runs: CYCLES,
    files: names.length,
    lost: 0,
    beganMs: began,
  });
  say(
    `${CYCLES} times a full disk, ${names.length} files: ${names.length - failed.length} processed, ${failed.length} commands that met it themselves, none lost`,
    began,
  );
});
