/** A batch that is divided when its process dies: what is expected of all was there, and is not missed in what is left. */
import { expect, test } from 'vitest';
import { House } from './reviewed-house.ts';

const config = `version: 1
watch: [{ path: ./inbox }]
routing_rules: [{ name: all, pattern: "**", agent: a, batch: { max_files: 3, quiet: 1m }, expect: { outputs: [c.out] } }]
agents: { a: { kind: command, command: ["true"], retry: { attempts: 1 }, sandbox: { mode: off, reason: a test plays it } } }
daemon: { min_free_disk: 1MiB }
`;
const names = ['a', 'b', 'c'];

test('it dies between any two writes: each file succeeds, with what was made of it', async () => {
  let deaths = 0;
  for (let lastWrite = 12; ; lastWrite += 1) {
    const told = `after write ${lastWrite}`;
    const house = new House(() => ({ kind: 'accept' }), { config });
    const first = await house.start(lastWrite);
    const isOver = await Promise.race([
      first.died.then(() => false),
      house
        .drop(first, ...names)
        .then(first.settled)
        .then(() => true),
    ]);
    await first.die();
    if (isOver) return expect(deaths).toBeGreaterThan(3);
    if (house.attempts.length === 0) continue;
    deaths += 1;
    const second = await house.start();
    await house.drop(second, ...names);
    await second.settled();
    expect([told, house.attempts]).toEqual([told, ['a,b,c']]);
    for (const name of names) {
      const { state, message, proof, outputs = [] } = house.receipt(name) ?? {};
      const found = [state, message, proof, outputs.map(({ path }) => path)];
      expect([told, ...found]).toEqual([
        told,
        'succeeded',
        undefined,
        ['exit_code', 'outputs'],
        [`${name}.out`],
      ]);
    }
    expect([told, await second.ledger.kept.list('job_note')]).toEqual([told, []]);
    await second.die();
  }
});
