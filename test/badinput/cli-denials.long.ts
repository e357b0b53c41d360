/** Agent CLIs that are denied what they want: mended within the ceiling, held beyond it, bounded when it is lowered. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Receipt } from '../../src/types/receipt.ts';
import { answers, recorded } from '../agents/cli/fakes/fakes.ts';
import { type Daemon, until } from '../daemon/project.ts';
import { type CliProject, fakeAgent, makeCliProject } from './cli-rig.ts';
import { jobsOf } from './rig.ts';

const daemon = 'daemon: { min_free_disk: 1MiB }';

/** The flags that a launch got and a plain one had not, of each attempt. Settings of Claude Code change with its mode. */
const added = (receipt: Receipt | undefined) =>
  receipt?.attempts.map(({ cli }) =>
    (cli?.correction?.added ?? []).filter((flag) => !flag.startsWith('--settings')),
  );

test('within the ceiling each is started again with what it lacked, and the next job begins with it', async () => {
  const project = makeCliProject(`
routing_rules: [{ name: x, pattern: "*.codex", agent: codex }, { name: g, pattern: "*.gemini", agent: gemini }, { name: c, pattern: "*.claude", agent: claude }]
agents:
  codex: ${fakeAgent('codex')}
  gemini: ${fakeAgent('gemini', 'permissions: { directories: [/etc] }')}
  claude: ${fakeAgent('claude', 'permissions: { ceiling: edit }')}
${daemon}
`);
  project
    .fake('codex')
    .play(
      { when: { notArgs: ['--skip-git-repo-check'] }, steps: recorded('codex', 'no-git') },
      { steps: answers('codex') },
    );
  project
    .fake('gemini')
    .play(
      { when: { notArgs: ['/etc'] }, steps: recorded('gemini', 'readout-default') },
      { steps: answers('gemini') },
    );
  project
    .fake('claude')
    .play(
      { when: { notArgs: ['acceptEdits'] }, steps: recorded('claude', 'write-denied') },
      { steps: answers('claude') },
    );
  for (const kind of ['codex', 'gemini', 'claude']) project.write(`inbox/a.${kind}`, kind);
  expect((await project.sluice('run')).code).toBe(0);
  const of = (kind: string) => project.receipt(`a.${kind}`);
  for (const kind of ['codex', 'gemini', 'claude'])
    expect(of(kind), kind).toMatchObject({ state: 'succeeded', proof: ['exit_code', 'event'] });
  expect(added(of('codex'))).toEqual([[], ['--skip-git-repo-check']]);
  expect(added(of('gemini'))).toEqual([[], ['--include-directories /etc']]);
  expect(added(of('claude'))).toEqual([[], ['--permission-mode acceptEdits']]);
  expect(of('claude')?.attempts[0]?.cli?.denials?.[0]).toContain('hello.txt');
  expect(of('gemini')?.attempts[0]?.cli?.denials).toEqual([
    'read_file: Path not in workspace: "/etc/hostname"',
  ]);
  for (const kind of ['codex', 'gemini', 'claude']) project.write(`inbox/b.${kind}`, `more ${kind}`);
  expect((await project.sluice('run')).code).toBe(0);
  for (const kind of ['codex', 'gemini', 'claude'])
    expect(project.receipt(`b.${kind}`)?.attempts, kind).toHaveLength(1);
});

/** @param load Tells one configuration from another. */
const wanting = (ceiling: string, load: number): string => `
routing_rules: [{ name: all, pattern: "*.md", agent: writer }, { name: other, pattern: "*.txt", agent: other }]
agents:
  writer: ${fakeAgent('claude', `permissions: { ceiling: ${ceiling} }, max_load: ${load}`)}
  other: ${fakeAgent('gemini')}
${daemon}
`;

async function configure(project: CliProject, running: Daemon, ceiling: string, load: number): Promise<void> {
  project.write('config/orchestrator.yaml', `version: 1\n${wanting(ceiling, load)}`);
  running.kill('SIGHUP');
  await until(`ceiling ${ceiling} is in force`, async () =>
    (await project.status()).agents.some(({ max_load }) => max_load === load),
  );
}

const wanted = async (project: CliProject) =>
  (await project.status()).conditions.find(({ code }) => code === 'PERMISSION_WANTED');

test('beyond the ceiling a job is held, its agent goes on; released with a higher one it has what it wanted', async () => {
  const project = makeCliProject(wanting('read', 2));
  project
    .fake('claude')
    .play(
      { when: { prompt: 'plain' }, steps: answers('claude') },
      { when: { notArgs: ['acceptEdits'] }, steps: recorded('claude', 'write-denied') },
      { steps: answers('claude') },
    );
  project.fake('gemini').play(answers('gemini'));
  const first = await project.start();
  project.write('inbox/a.md', 'wants to write');
  await until('it is held', async () => (await project.status()).queue.held === 1);
  const [held] = await jobsOf(project, { state: 'held' });
  expect(held).toMatchObject({
    reason: 'permission_denied',
    message: expect.stringContaining('was denied'),
    fix: expect.stringContaining('raise `permissions.ceiling` of agent "writer" to `edit` (now `read`)'),
    attempts: [{ cli: { denials: [expect.stringContaining('hello.txt')] } }],
  });
  expect(held?.fix).toContain(`sluice jobs release ${held?.job_id}`);
  expect(await wanted(project)).toMatchObject({ subject: 'writer', fix: held?.fix });
  first.kill('SIGKILL');
  await first.exited;
  const running = await project.start();
  expect(await wanted(project), 'a restart forgets no question').toMatchObject({ fix: held?.fix });
  project.write('inbox/plain.md', 'a plain one');
  project.write('inbox/b.txt', 'other');
  await until('the others are processed', async () => (await project.status()).files.processed === 2);

  // Nothing has changed: it is denied again.
  expect((await project.sluice('jobs', 'release', held?.job_id ?? '')).code).toBe(0);
  await until('it has been tried again', async () => {
    const [job] = await jobsOf(project, { state: 'held' });
    return job?.attempts.length === 2;
  });
  await configure(project, running, 'edit', 3);
  expect((await project.sluice('jobs', 'release', held?.job_id ?? '')).code).toBe(0);
  await until('it is processed', () => project.receipt('a.md')?.state === 'succeeded');
  expect(added(project.receipt('a.md'))).toEqual([[], [], ['--permission-mode acceptEdits']]);
  await until('the condition is over', async () => (await wanted(project)) === undefined);

  // What was learned holds for the next one, and not under a lower ceiling.
  project.write('inbox/c.md', 'wants to write, too');
  await until('the next is processed', () => project.receipt('c.md')?.state === 'succeeded');
  expect(added(project.receipt('c.md'))).toEqual([['--permission-mode acceptEdits']]);
  await configure(project, running, 'read', 4);
  project.write('inbox/d.md', 'wants to write as well');
  await until('it is held', async () => (await project.status()).queue.held === 1);
  expect(project.fake('claude').seen().at(-1)?.argv).not.toContain('acceptEdits');
  const [again] = await jobsOf(project, { state: 'held' });
  expect((await project.sluice('jobs', 'cancel', again?.job_id ?? '')).code).toBe(0);
  await until('the condition is over', async () => (await wanted(project)) === undefined);
});

test('a correction outlives a retry for another reason, and a restart', async () => {
  const project = makeCliProject(`
routing_rules: [{ name: all, pattern: "*", agent: writer }]
agents: { writer: ${fakeAgent('claude', 'permissions: { ceiling: edit }, retry: { attempts: 2, initial: 10ms }')} }
${daemon}
`);
  const gate = join(project.dir, 'gate');
  project
    .fake('claude')
    .play(
      { when: { notArgs: ['acceptEdits'] }, steps: recorded('claude', 'write-denied') },
      { when: { nth: 2 }, steps: recorded('claude', 'e529') },
      { when: { nth: 3 }, steps: [{ until: gate }] },
      { steps: answers('claude') },
    );
  const first = await project.start();
  project.write('inbox/a', 'a');
  await until('the third attempt runs', () => project.fake('claude').seen().length === 3);
  first.kill('SIGKILL');
  await first.exited;
  await project.start();
  await until('it is processed', () => project.receipt('a')?.state === 'succeeded');
  const seen = project.fake('claude').seen();
  expect(seen.map(({ argv }) => argv.includes('acceptEdits'))).toEqual([false, true, true, true]);
});
