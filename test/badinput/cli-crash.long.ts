/** What the daemon's own troubles do to agent CLIs: nothing is paid twice, no success is lost, no process is left. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answers, recorded, voices } from '../agents/cli/fakes/fakes.ts';
import { until } from '../daemon/project.ts';
import { fakeAgent, makeCliProject } from './cli-rig.ts';
import { fillUp } from './fill-up.ts';
import { jobsOf, mountSmall, processesOf } from './rig.ts';

const one = (kind: 'codex' | 'gemini' | 'claude', more = ''): string => `
routing_rules: [{ name: all, pattern: "*", agent: work }]
agents: { work: ${fakeAgent(kind, more)} }
daemon: { min_free_disk: 1KiB }
`;

const isGone = (pid: unknown): boolean => {
  try {
    process.kill(pid as number, 0);
    return false;
  } catch {
    return true;
  }
};

test('kill -9 after it has ended: what it said is taken up, a key in it redacted; it is not run again', async () => {
  const key = 'sk-live-7731-abcdef';
  const project = makeCliProject(one('codex'), { env: { CODEX_API_KEY: key } });
  const gate = join(project.dir, 'gate');
  project
    .fake('codex')
    .play(
      { when: { notArgs: ['--skip-git-repo-check'] }, steps: recorded('codex', 'no-git') },
      { steps: [{ until: gate }, ...answers('codex', 'Done with ${CODEX_API_KEY}.')] },
    );
  const first = await project.start();
  project.write('inbox/a', 'a');
  const started = () => project.fake('codex').seen();
  await until('its second attempt runs', () => started().length === 2 && started()[1]?.stdin !== undefined);
  first.kill('SIGSTOP');
  project.write('gate', '');
  const pid = started()[1]?.pid;
  await until('it has ended', () => isGone(pid));
  await until(
    'that stands in the journal',
    () => readFileSync(join(project.dir, '.sluice/attempts.journal'), 'utf8').split('"exited"').length > 2,
  );
  first.kill('SIGKILL');
  await first.exited;
  await project.start();
  await until('it is processed', () => project.receipt('a')?.state === 'succeeded');
  expect(started(), 'not started again').toHaveLength(2);
  expect(project.receipt('a')).toMatchObject({
    proof: ['exit_code', 'event'],
    usage: { input_tokens: 1000 },
    attempts: [
      { cli: { fault: 'setup' } },
      {
        cli: {
          version: '0.169.0',
          flags: expect.arrayContaining(['--json']),
          correction: { added: ['--skip-git-repo-check'] },
        },
      },
    ],
  });
  expect(readFileSync(join(project.dir, 'processed/files/inbox/a/result.md'), 'utf8')).toBe(
    'Done with [redacted].\n',
  );
  project.write('inbox/b', 'b');
  await until('the next one is processed', () => project.receipt('b')?.state === 'succeeded');
  expect(project.receipt('b')?.attempts, 'it was learned from it, too').toHaveLength(1);
});

test('kill -9 while it runs: its tree is gone, and it is run again', async () => {
  const project = makeCliProject(one('claude'));
  project.fake('claude').play(
    {
      when: { nth: 1 },
      steps: [{ deaf: true }, { fork: true }, { out: voices.claude.began }, { hang: true }],
    },
    { steps: answers('claude') },
  );
  const first = await project.start();
  project.write('inbox/a', 'a');
  await until('it runs', () => project.fake('claude').seen()[0]?.looks?.fork !== undefined);
  const [seen] = project.fake('claude').seen();
  first.kill('SIGKILL');
  await first.exited;
  await project.start();
  await until('it is processed', () => project.receipt('a')?.state === 'succeeded');
  expect([isGone(seen?.pid), isGone(seen?.looks?.fork)]).toEqual([true, true]);
  expect(project.fake('claude').seen()).toHaveLength(2);
});

test('silent for longer than idle_timeout: ended, and tried once more', async () => {
  const project = makeCliProject(one('gemini', 'idle_timeout: 300ms, retry: { attempts: 5, initial: 10ms }'));
  project.fake('gemini').play([{ out: voices.gemini.began }, { hang: true }]);
  project.write('inbox/a', 'a');
  expect((await project.sluice('run')).code).toBe(1);
  expect(project.receipt('a')).toMatchObject({ state: 'failed', reason: 'stalled', attempts: [{}, {}] });
  expect(processesOf(project)).toEqual([]);
});

test('the disk is full when its output is taken up: that waits for space, and nothing is run twice', async (t) => {
  const outer = makeCliProject('');
  const within = join(outer.dir, 'disk');
  mkdirSync(within);
  const refused = mountSmall(within, '8m');
  if (refused) return t.skip(refused.reason);
  const project = makeCliProject(one('gemini'), { within });
  const gate = join(outer.dir, 'gate');
  const { began, ran, said, done } = voices.gemini;
  project
    .fake('gemini')
    .play([
      { out: began },
      { many: { text: ran('make') + ran('test'), times: 500 } },
      { out: said('All done.') + done('') },
      { until: gate },
    ]);
  await project.start();
  project.write('inbox/a', 'a');
  await until('it has said all', async () => {
    const [job] = await jobsOf(project, { state: 'running' });
    if (!job) return false;
    const file = join(project.dir, '.sluice/work', job.job_id, '1/stdout');
    try {
      return readFileSync(file, 'utf8').includes('All done.');
    } catch {
      return false;
    }
  });
  const ballast = join(within, 'ballast');
  fillUp(ballast);
  outer.write('gate', '');
  const [seen] = project.fake('gemini').seen();
  await until('it has ended', () => isGone(seen?.pid));
  await until('a condition says that the disk is full', async () =>
    (await project.status()).conditions.some(({ code }) => code === 'DISK_FULL' || code === 'DISK_LOW'),
  );
  expect(project.receipt('a')).toBeUndefined();
  rmSync(ballast);
  await until('it is processed', () => project.receipt('a')?.state === 'succeeded');
  expect(project.receipt('a')?.attempts).toHaveLength(1);
  expect(readFileSync(join(project.dir, 'processed/files/inbox/a/result.md'), 'utf8')).toBe('All done.\n');
  expect(project.fake('gemini').seen()).toHaveLength(1);
});
