/** Configurations come and go while files land: good ones with other limits, agents and rules, and broken ones. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { allReceipts, ended, jobsOf } from '../badinput/rig.ts';
import { type Chance, chanceOf, seedOf } from '../daemon/chance.ts';
import { makeProject } from '../daemon/project.ts';
import { marksOf } from './marks.ts';
import { say, scaled, tell } from './say.ts';

const RELOADS = 60;
const FILES_EACH = 6;

/** Agents and rules change their names: what is queued for one that is gone follows the new ones. */
function goodConfig(chance: Chance): string {
  const agent = chance.pick(['first', 'second', 'third']);
  const batch = chance.next() < 0.4 ? ', batch: { max_files: 5, quiet: 50ms }' : '';
  const load = chance.next() < 0.5 ? `, max_load: ${chance.int(1, 3)}` : '';
  return `version: 1
routing_rules:
  - { name: ${chance.pick(['all', 'every'])}, pattern: "**", agent: ${agent}${batch}${load} }
agents:
  ${agent}:
    kind: command
    command: [sh, -c, 'sleep 0.02; cat "$@"', sh, "\${{ files }}"]
    max_load: ${chance.int(1, 6)}
    sandbox: { mode: off, reason: benchmark }${chance.next() < 0.3 ? `\n    rate: ${chance.int(20, 60)}/s` : ''}
concurrency_limits: { max_processes: ${chance.int(1, 6)}, max_concurrent_files: ${chance.int(2, 12)} }
daemon: { min_free_disk: 1MiB }
`;
}

const broken = [
  'version: 1\nrouting_rules: [',
  'version: 1\nrouting_rules: [{ name: all, pattern: "**", agent: nobody }]\n',
  'version: 1\nconcurrency_limits: { max_processes: -3 }\n',
  '',
  'version: 7\n',
];

test('configurations are reloaded under load', async () => {
  const beganMs = performance.now();
  const chance = chanceOf(seedOf(process.env));
  const project = makeProject('');
  const put = (text: string): void =>
    renameSync(project.write('config/next', text), join(project.dir, 'config/orchestrator.yaml'));
  put(goodConfig(chance));
  const daemon = await project.start();
  const reloads = scaled(RELOADS);
  const names: string[] = [];
  let refused = 0;
  let accepted = 0;
  for (let n = 0; n < reloads; n++) {
    for (let f = 0; f < FILES_EACH; f++) {
      const path = `${n % 7}/${names.length}`;
      project.write(`inbox/${path}`, `content of ${path}`);
      names.push(path);
    }
    const isBroken = chance.next() < 0.35;
    put(isBroken ? chance.pick(broken) : goodConfig(chance));
    const answer = await project.client.post('/api/control/reload').then(
      () => 'accepted',
      () => 'refused',
    );
    if (isBroken === (answer === 'refused')) isBroken ? refused++ : accepted++;
    await sleep(chance.int(0, 60));
  }
  put(goodConfig(chance));
  await project.client.post('/api/control/reload');
  const files = await ended(project, names.length, 60_000).catch(() => undefined);
  const receipts = Map.groupBy(allReceipts(project), ({ input }) => input.path);
  const lost = names.filter(
    (name) => receipts.get(name)?.length !== 1 || files?.get(name)?.disposition !== 'processed',
  );
  const times = Map.groupBy(await jobsOf(project, { state: 'succeeded' }), ({ input }) => input.path);
  const doubled = names.filter((name) => (times.get(name)?.length ?? 0) > 1);
  daemon.kill('SIGTERM');
  const code = await daemon.exited;
  const orphans = marksOf(project).length;
  tell({
    scenario: 'reloads under load, a third of them broken',
    runs: reloads,
    files: names.length,
    lost: lost.length,
    doubled: doubled.length,
    orphans,
    beganMs,
  });
  say(`SEED=${chance.seed}: ${accepted} taken over, ${refused} refused`, beganMs);
  expect({ lost, doubled, orphans, code, answered: accepted + refused }).toEqual({
    lost: [],
    doubled: [],
    orphans: 0,
    code: 0,
    answered: reloads,
  });
});
