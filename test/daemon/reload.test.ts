import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject, type Project, until } from './project.ts';

const config = (rules: string, more = ''): string => `version: 1
watch: [{ path: ./inbox }${more}]
routing_rules: [${rules}]
agents:
  one: { kind: command, command: [echo, one] }
  two: { kind: command, command: [echo, two] }
daemon: { min_free_disk: 1MiB }
`;
const toOne = '{ name: text, pattern: "*.txt", agent: one }';

const save = (project: Project, text: string): string => project.write('config/orchestrator.yaml', text);
const codes = async (project: Project): Promise<string[]> =>
  (await project.status()).conditions.map(({ code }) => code);
const result = (project: Project, path: string): string =>
  readFileSync(join(project.dir, 'processed/files/inbox', path, 'result.md'), 'utf8');

test('a broken save changes nothing and is a condition until it is mended', async () => {
  const project = makeProject('');
  save(project, config(toOne));
  await project.start();
  save(project, config(toOne.replace('one', 'oen')));
  await until('the broken file is noticed', async () => (await codes(project)).includes('CONFIG_INVALID'));
  project.write('inbox/a.txt', 'a');
  await until('the old rules still work', () => project.receipt('a.txt')?.state === 'succeeded');
  expect(result(project, 'a.txt')).toBe('one\n');

  save(project, config(toOne.replace('agent: one', 'agent: two')));
  await until('the mended file is in force', async () => !(await codes(project)).includes('CONFIG_INVALID'));
  project.write('inbox/b.txt', 'b');
  await until('the new rules work', () => project.receipt('b.txt')?.state === 'succeeded');
  expect(result(project, 'b.txt')).toBe('two\n');

  const types = async (): Promise<string[]> => {
    const { stdout } = await project.sluice('config', 'history', '--json');
    return (JSON.parse(stdout) as { type: string }[]).map(({ type }) => type);
  };
  await until('both are written', async () => (await types()).length >= 2);
  expect(await types()).toEqual(['config_reload', 'config_refused']);
});

test('a file that no rule wanted is taken in when one does; SIGHUP reloads at once', async () => {
  const project = makeProject('');
  save(project, config(toOne));
  const daemon = await project.start();
  project.write('inbox/a.csv', 'a');
  await until('it is unrouted', async () => (await project.status()).files.unrouted === 1);
  save(project, config(`${toOne}, { name: tables, pattern: "*.csv", agent: two }`));
  daemon.kill('SIGHUP');
  await until('it has its result', () => project.receipt('a.csv')?.state === 'succeeded');
  expect((await project.status()).files).toEqual({ processed: 1 });
});

test('initial: ignore leaves alone what was there, also in a root that a reload adds', async () => {
  const project = makeProject('');
  save(project, config(toOne).replace('./inbox }', './inbox, initial: ignore }'));
  project.write('inbox/before.txt', 'old');
  project.write('second/before.txt', 'old');
  const first = await project.start();
  await until('what was there is ignored', async () => (await project.status()).files.ignored === 1);
  project.write('inbox/after.txt', 'new');
  await until('what lands is processed', () => project.receipt('after.txt') !== undefined);

  save(
    project,
    config(toOne, ', { path: ./second, initial: ignore }').replace('./inbox }', './inbox, initial: ignore }'),
  );
  await until('the second root is swept', async () => (await project.status()).files.ignored === 2);
  project.write('second/late.txt', 'new');
  await until('what lands there is processed', () => project.receipt('late.txt') !== undefined);

  first.kill('SIGTERM');
  await first.exited;
  project.write('inbox/meanwhile.txt', 'while nobody watched');
  await project.start();
  await until('what landed meanwhile is processed', () => project.receipt('meanwhile.txt') !== undefined);
  expect(project.receipt('before.txt')).toBeUndefined();
});
