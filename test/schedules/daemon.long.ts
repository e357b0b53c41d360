/** Schedules of a real daemon: started, found again after a kill, paused, reloaded, listed with it and without. */
import { expect, test } from 'vitest';
import type { ScheduleView } from '../../src/operations/schedules.ts';
import type { RunView } from '../../src/operations/workflows/views.ts';
import { makeProject, type Project, until } from '../daemon/project.ts';

const workflow = (name: string, command: string): string =>
  `name: ${name}\nsteps:\n  - { name: step, type: custom_command, command: "${command}" }\n`;

function project(schedules: string, more = ''): Project {
  const made = makeProject(config(schedules, more));
  made.write('workflows/quick.yaml', workflow('quick', 'echo done'));
  made.write('workflows/long.yaml', workflow('long', 'sleep 600'));
  return made;
}

const config = (schedules: string, more = ''): string =>
  `schedules: [${schedules}]\ndaemon: { drain: 0s, min_free_disk: 1MiB }\n${more}`;

const save = (of: Project, schedules: string): string =>
  of.write('config/orchestrator.yaml', `version: 1\n${config(schedules)}`);

async function runs(of: Project, name?: string): Promise<readonly RunView[]> {
  const { stdout } = await of.sluice('workflow', 'list', '--runs', '--json');
  const all = JSON.parse(stdout) as RunView[];
  return name === undefined ? all : all.filter(({ trigger }) => trigger.includes(name));
}

async function list(of: Project, ...args: string[]): Promise<readonly ScheduleView[]> {
  const { code, stdout } = await of.sluice('schedules', '--json', ...args);
  expect(code).toBe(0);
  return JSON.parse(stdout) as ScheduleView[];
}

const last = async (of: Project, name = 'often'): Promise<ScheduleView['last']> =>
  (await list(of)).find((schedule) => schedule.name === name)?.last;

const conditions = async (of: Project): Promise<readonly string[]> =>
  (await of.status()).conditions.map(({ code }) => code);

const often = '{ name: often, cron: "* * * * * *", workflow: quick }';

test('each second is a run; killed and started again, none is lost twice over', async () => {
  const made = project(often);
  let daemon = await made.start();
  await until('two runs have succeeded', async () => {
    const found = await runs(made);
    return found.filter(({ state }) => state === 'succeeded').length >= 2;
  });
  daemon.kill('SIGKILL');
  await daemon.exited;

  // Nothing runs: the listing reads the ledger, and says when the next would be.
  const [schedule] = await list(made, '--next', '3');
  expect(schedule).toMatchObject({
    name: 'often',
    workflow: 'quick',
    last: { outcome: expect.stringMatching(/^(started|skipped)$/) },
  });
  expect(schedule?.next).toHaveLength(3);
  const before = (await runs(made)).length;

  await until('a few seconds are missed', () => Date.now() > Date.parse(schedule?.next[2] ?? ''));
  daemon = await made.start();
  await until('it goes on', async () => (await runs(made)).length > before + 1);
  const lines = daemon.lines.map((line) => JSON.parse(line) as { due_at?: string; run?: string });
  const due = lines.flatMap(({ due_at, run }) => (run === undefined || due_at === undefined ? [] : [due_at]));
  expect(new Set(due).size).toBe(due.length);
  // Of the seconds in between one was made up for.
  const gaps = due.slice(1).map((at, index) => Date.parse(at) - Date.parse(due[index] as string));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
});

test('overlap: skip leaves out, queue lets one wait, cancel ends the run before', async () => {
  const one = (overlap: string): string =>
    `{ name: ${overlap}, cron: "* * * * * *", workflow: long, overlap: ${overlap} }`;
  const made = project(`${one('skip')}, ${one('queue')}, ${one('cancel')}`);
  await made.start();
  await until('each has done what it says', async () => {
    const [skip, queue] = await Promise.all([last(made, 'skip'), last(made, 'queue')]);
    const cancelled = (await runs(made, 'cancel')).filter(({ state }) => state === 'cancelled');
    return skip?.outcome === 'skipped' && queue?.outcome === 'skipped' && cancelled.length > 0;
  });
  expect(await runs(made, 'skip')).toMatchObject([{ state: 'running' }]);
  const [queued] = await runs(made, 'queue');
  expect((await list(made)).find(({ name }) => name === 'queue')?.waiting_due_at).toBeDefined();
  await made.sluice('workflow', 'cancel', queued?.run_id ?? '');
  await until('what waited runs', async () => (await runs(made, 'queue')).length === 2);
});

test('a pause is a condition when something is due, and is over with it', async () => {
  const made = project(often);
  await made.start();
  await made.sluice('pause');
  await until('it is told', async () => (await conditions(made)).includes('SCHEDULE_FAILED'));
  const before = (await runs(made)).length;
  const at = await last(made);
  await made.sluice('resume');
  await until('it goes on', async () => (await runs(made)).length > before);
  await until('that is told', async () => (await last(made))?.due_at !== at?.due_at);
  await until('the condition is over', async () => !(await conditions(made)).includes('SCHEDULE_FAILED'));
});

test('a reload brings schedules and takes them away', async () => {
  const made = project('');
  await made.start();
  expect(await list(made)).toEqual([]);
  save(made, often);
  await until('the new one runs', async () => (await runs(made)).length > 0);
  save(made, '{ name: often, cron: "0 7 * * *", timezone: Europe/Berlin, workflow: quick }');
  await until('the changed one begins anew', async () => {
    const [schedule] = await list(made);
    return schedule?.timezone === 'Europe/Berlin' && schedule.last === undefined;
  });
  save(made, '');
  await until('none is left', async () => (await list(made)).length === 0);
});

test('what cannot be started is a condition of its own; others go on', async () => {
  const made = project(`${often}, { name: broken, cron: "* * * * * *", workflow: asks }`);
  made.write(
    'workflows/asks.yaml',
    `name: asks\nconcurrency: "\${{ fromJSON('no') }}"\nsteps:\n  - { name: step, type: custom_command, command: "true" }\n`,
  );
  await made.start();
  await until('it is told', async () => (await conditions(made)).includes('SCHEDULE_FAILED'));
  const found = (await made.status()).conditions.find(({ code }) => code === 'SCHEDULE_FAILED');
  expect(found).toMatchObject({ subject: 'broken', message: expect.stringContaining('cannot start "asks"') });
  await until('the other runs', async () => (await runs(made, 'often')).length > 1);
});

test('bad schedules are refused at load, each with its place', async () => {
  const made = project(
    [
      '{ name: a, cron: "0 0 30 2 *", workflow: quick }',
      '{ name: b, cron: "61 * * * *", workflow: quick }',
      '{ name: c, cron: "0 7 * * *", timezone: Europe/Belin, workflow: quick }',
    ].join(', '),
  );
  const { code, stdout, stderr } = await made.sluice('check');
  expect(code).toBe(2);
  const text = stdout + stderr;
  for (const words of [
    'never fires',
    'a minute is 0 to 59',
    'did you mean "Europe/Berlin"?',
    'orchestrator.yaml:2:',
  ])
    expect(text).toContain(words);
});

test('check says when each is next, and the listing without a ledger, too', async () => {
  const made = project('{ name: new year, cron: "0 0 1 1 *", timezone: UTC, workflow: quick }');
  const year = new Date().getUTCFullYear() + 1;
  expect((await made.sluice('check')).stdout).toContain('next of schedule new year: ');
  const checked = JSON.parse((await made.sluice('check', '--json')).stdout) as { schedules: unknown };
  expect(checked.schedules).toEqual([
    { name: 'new year', workflow: 'quick', next_at: `${year}-01-01T00:00:00.000Z` },
  ]);
  expect(await list(made)).toEqual([
    {
      name: 'new year',
      workflow: 'quick',
      cron: '0 0 1 1 *',
      timezone: 'UTC',
      overlap: 'skip',
      catch_up: true,
      next: [`${year}-01-01T00:00:00.000Z`],
    },
  ]);
  const { stdout } = await made.sluice('schedules', '--next', '2');
  expect(stdout).toContain('new year');
  expect(stdout).toContain(`${year + 1}-`);
});
