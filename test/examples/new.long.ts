/** `sluice workflow new` in a project that somebody has made with `init`, or written by hand. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Project } from '../cli/sluice.ts';
import { examples } from './example.ts';

const templates = readdirSync(examples).filter((name) => existsSync(join(examples, name, 'workflows')));
const config = (project: Project) => readFileSync(join(project.dir, 'config/orchestrator.yaml'), 'utf8');

test('each template has a page of its own, is listed, and is written into a project where it is valid', async () => {
  const project = new Project();
  await project.call('init');
  const listed = await project.call('workflow', 'new');
  expect(
    listed.stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ {2,}/)[0]),
  ).toEqual(templates);
  for (const line of listed.stdout.trim().split('\n')) expect(line).toMatch(/^\S+ {2,}\S.{10,}/);
  for (const name of templates) {
    const made = await project.call('workflow', 'new', '--template', name);
    expect([made.code, made.stderr], name).toEqual([0, '']);
    expect(made.stdout).toContain(`workflows/${name}.yaml\n`);
    expect(made.stdout).toContain(`${name} is valid: `);
    const readme = readFileSync(join(examples, name, 'README.md'), 'utf8');
    expect(readme).toContain(`sluice workflow new --template ${name}`);
  }
  const valid = await project.call('workflow', 'validate');
  expect([valid.code, valid.stderr]).toEqual([0, '']);
});

test('agents and rules are added to the configuration, and nothing else is changed; then it runs', async () => {
  const project = new Project();
  await project.call('init');
  const before = config(project).split('\n');
  const made = await project.call('workflow', 'new', 'checks', '--template', 'code-quality');
  expect(made.stdout).toMatch(/made +workflows\/checks\/lint_shell\.sh\n/);
  expect(made.stdout).toMatch(
    /changed +config\/orchestrator\.yaml: agents lint-python, .*; rules lint python, /,
  );
  expect(made.stdout).toContain('sluice workflow run checks\n');
  const after = config(project).split('\n');
  expect(after.filter((line) => before.includes(line))).toEqual(before);
  expect(after.join('\n')).toContain('workflows/checks/lint_python.py');

  project.write('src/a b.json', '{"a": 1');
  project.write('inbox/a.json', '{"a": 1');
  const run = await project.call('workflow', 'run', 'checks');
  expect([run.code, run.stdout]).toMatchObject([
    1,
    expect.stringContaining('1 of 1 files failed: src/a b.json'),
  ]);
  // What lands in the inbox takes the way that it took before.
  expect((await project.call('why', 'inbox/a.json')).stdout).toContain('agent inspect');
});

test('nothing is written over a file that is there, unless by --force', async () => {
  const project = new Project();
  await project.call('init');
  project.write('workflows/log-triage/scan.py', 'mine');
  const refused = await project.call('workflow', 'new', '--template', 'log-triage');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('There is a file already: workflows/log-triage/scan.py');
  expect(readdirSync(join(project.dir, 'workflows'))).toEqual(['log-triage']);
  const other = await project.call('workflow', 'new', 'Fehler-Suche_2', '--template', 'log-triage');
  expect(other.stdout).toContain('Fehler-Suche_2 is valid: 4 steps');
  const forced = await project.call('workflow', 'new', '--template', 'log-triage', '--force');
  expect(forced.code).toBe(0);
  expect(readFileSync(join(project.dir, 'workflows/log-triage/scan.py'), 'utf8')).toContain(
    '#!/usr/bin/env python3',
  );

  project.write(
    'workflows/own.yaml',
    'name: Photo-Batch\nsteps: [{ name: a, type: custom_command, command: "true" }]\n',
  );
  const taken = await project.call('workflow', 'new', '--template', 'photo-batch');
  expect([taken.code, taken.stderr]).toMatchObject([
    2,
    expect.stringContaining('There is a workflow "Photo-Batch" already'),
  ]);
});

test('wrong use: a template that is none, a name that cannot be, no project, a broken configuration', async () => {
  const project = new Project();
  const nowhere = await project.call('workflow', 'new', '--template', 'log-triage');
  expect([nowhere.code, nowhere.stderr]).toMatchObject([2, expect.stringContaining('sluice init')]);
  await project.call('init');
  const unknown = await project.call('workflow', 'new', '--template', 'log-triag');
  expect([unknown.code, unknown.stderr]).toMatchObject([
    2,
    expect.stringContaining('did you mean "log-triage"'),
  ]);
  for (const name of ['a b', '../x', 'true', 'x.yaml', '']) {
    const named = await project.call('workflow', 'new', '--template', 'log-triage', '--', name);
    expect([name, named.code]).toEqual([name, 2]);
    if (name !== '') expect(named.stderr).toContain('cannot be the name');
  }
  project.write('config/orchestrator.yaml', 'version: 1\nwatch: 7\n');
  expect((await project.call('workflow', 'new', '--template', 'log-triage')).code).toBe(2);
  expect(existsSync(join(project.dir, 'workflows'))).toBe(false);
});

test('a configuration in JSON, and one that is written in a way that is left alone', async () => {
  const json = new Project({
    'config/orchestrator.json': '{"version": 1, "watch": [{"path": "./inbox"}]}',
    'inbox/.keep': '',
  });
  const made = await json.call('workflow', 'new', '--template', 'document-set');
  expect([made.code, made.stderr]).toEqual([0, '']);
  const flow = '{ version: 1, watch: [{ path: ./inbox }] } # all in one line\n';
  const odd = new Project({ 'config/orchestrator.yaml': flow, 'inbox/.keep': '' });
  const refused = await odd.call('workflow', 'new', '--template', 'document-set');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('lacks what this template uses: agents reader, writer');
  expect(refused.stderr).toContain('agents:\n  # Both work offline');
  expect(config(odd)).toBe(flow);
  expect(existsSync(join(odd.dir, 'workflows'))).toBe(false);
});
