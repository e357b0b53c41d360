/** Agent CLIs over longer times: the grace as it is, and a daemon that is killed again and again while they work. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answers, type FakeKind, recorded, voices } from '../agents/cli/fakes/fakes.ts';
import { until } from '../daemon/project.ts';
import { fakeAgent, makeCliProject } from './cli-rig.ts';
import { jobsOf, processesOf } from './rig.ts';

const kinds: readonly FakeKind[] = ['codex', 'gemini', 'claude'];
const agents = (more: string): string => `
routing_rules: [${kinds.map((kind) => `{ name: ${kind}, pattern: "*.${kind}", agent: ${kind} }`).join(', ')}]
agents:
${kinds.map((kind) => `  ${kind}: ${fakeAgent(kind, more)}`).join('\n')}
concurrency_limits: { max_processes: 6 }
daemon: { min_free_disk: 1MiB }
`;

test('one that hangs after its result is ended after 10 s, and its success is kept', async () => {
  const project = makeCliProject(agents('retry: { attempts: 1 }'));
  for (const kind of kinds) {
    project.fake(kind).play([{ fork: true }, ...answers(kind), { hang: true }]);
    project.write(`inbox/a.${kind}`, kind);
  }
  expect((await project.sluice('run')).code).toBe(0);
  for (const kind of kinds) {
    const receipt = project.receipt(`a.${kind}`);
    expect(receipt, kind).toMatchObject({
      ...{ state: 'succeeded', proof: ['event'] },
      attempts: [{ outcome: 'lingered' }],
    });
    const [attempt] = receipt?.attempts ?? [];
    const tookMs = Date.parse(attempt?.ended_at ?? '') - Date.parse(attempt?.started_at ?? '');
    expect(tookMs, kind).toBeGreaterThanOrEqual(10_000);
  }
  expect(processesOf(project)).toEqual([]);
});

test('what is installed, or updated, while jobs wait for it is used', async () => {
  const project = makeCliProject(`
routing_rules: [{ name: old, pattern: "*.old", agent: old }, { name: gone, pattern: "*.gone", agent: gone }]
agents: { old: ${fakeAgent('codex')}, gone: ${fakeAgent('gemini')} }
daemon: { min_free_disk: 1MiB }
`);
  project.fake('codex').script({ version: '0.20.1', plays: [] });
  await project.start();
  for (const name of ['a.old', 'a.gone']) project.write(`inbox/${name}`, name);
  const unavailable = async (): Promise<number> =>
    (await project.status()).conditions.filter(({ code }) => code === 'AGENT_UNAVAILABLE').length;
  await until('both wait', async () => (await project.status()).queue.waiting === 2);
  expect(await unavailable()).toBe(2);
  project.fake('codex').play(answers('codex'));
  project.write('fakes/codex', `${readFileSync(project.fake('codex').file, 'utf8')}\n`);
  project.fake('gemini').play(answers('gemini'));
  await until('both are processed', async () => (await project.status()).files.processed === 2, 60_000);
  await until('nothing is said of it any more', async () => (await unavailable()) === 0);
});

test('a daemon that is killed every second: all work ends as it should, corrections and parkings included', async () => {
  const project = makeCliProject(
    agents(
      'max_load: 2, circuit_breaker: off, permissions: { ceiling: edit }, retry: { attempts: 3, initial: 10ms }',
    ),
  );
  // With one more, a job that runs whenever the daemon dies would be held.
  const rounds = 4;
  const told = join(project.dir, 'told');
  const perKind = 8;
  for (const kind of kinds) {
    const done = [{ sleep: 300 }, ...answers(kind, `From ${kind}.`)];
    const { began, failed } = voices[kind];
    project.fake(kind).play(
      {
        when: { notArgs: ['--skip-git-repo-check'], prompt: '0.codex' },
        steps: recorded('codex', 'no-git'),
      },
      { when: { notArgs: ['acceptEdits'], prompt: '0.claude' }, steps: recorded('claude', 'write-denied') },
      { when: { prompt: `1.${kind}` }, steps: [{ out: began + failed('It broke.') }] },
      { when: { prompt: `2.${kind}` }, steps: [{ deaf: true }, { fork: true }, ...done] },
      {
        when: { prompt: '3.gemini', absent: told },
        steps: [{ write: { file: told, text: '' } }, ...recorded('gemini', 'e429')],
      },
      { steps: done },
    );
    for (let n = 0; n < perKind; n++) project.write(`inbox/${n}.${kind}`, `content ${n} of ${kind}`);
  }
  let daemon = await project.start();
  for (let round = 0; round < rounds; round++) {
    await new Promise((later) => setTimeout(later, 1_000));
    daemon.kill('SIGKILL');
    await daemon.exited;
    daemon = await project.start();
  }
  const total = kinds.length * perKind;
  await until(
    'all have ended',
    async () => project.receipts().length === total && (await openOf()) === 0,
    60_000,
  );
  async function openOf(): Promise<number> {
    const { queue } = await project.status();
    return queue.queued + queue.running + queue.waiting;
  }
  const jobs = await jobsOf(project);
  expect(jobs).toHaveLength(total);
  for (const { input, state, reason, attempts } of jobs) {
    const [n] = input.path.split('.');
    expect([input.path, state, reason], input.path).toEqual([
      input.path,
      ...(n === '1' ? ['failed', 'api_error'] : ['succeeded', undefined]),
    ]);
    // What had ended is not run again: after a success there is nothing more.
    expect(attempts.filter(({ outcome }) => outcome === 'exited').length, input.path).toBeLessThanOrEqual(4);
    if (state === 'succeeded')
      expect(
        readFileSync(join(project.dir, 'processed/files/inbox', input.path, 'result.md'), 'utf8'),
      ).toMatch(/^From \w+\.\n$/);
  }
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
  await until('nothing is left of it', () => processesOf(project).length === 0);
});
