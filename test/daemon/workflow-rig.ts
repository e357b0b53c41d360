/** Projects with workflows, for tests: real runs of real commands that write down what they did, outside of what we keep. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ReportStep, RunReport } from '../../src/aggregator/runs/report.ts';
import type { RunView } from '../../src/operations/workflows/views.ts';
import { anyDisk } from './agents.ts';
import { makeProject, type Project, type ProjectOptions, until } from './project.ts';

/** @param workflows File name (without `.yaml`) → text. */
export function workflowProject(
  workflows: Readonly<Record<string, string>>,
  { config = '', ...options }: ProjectOptions & { readonly config?: string } = {},
): Project {
  const limits = config.includes('concurrency_limits:') ? '' : 'concurrency_limits: { max_processes: 8 }\n';
  const project = makeProject(`${config.includes('daemon:') ? '' : anyDisk}${limits}${config}`, options);
  for (const [name, text] of Object.entries(workflows)) project.write(`workflows/${name}.yaml`, text);
  return project;
}

/** A command step that adds a line to `steps.log` and then does more. `$0` is free, `$1` … are `args`. */
export function note(line: string, then = '', args: readonly string[] = []): string {
  return `[sh, -c, ${JSON.stringify(`echo ${line} >> steps.log\n${then}`)}, sh${args.map((arg) => `, ${JSON.stringify(arg)}`).join('')}]`;
}

/** A step on one line, as `{ name: …, type: custom_command, command: … , more }`. */
export function commandStep(name: string, command: string, more = ''): string {
  return `  - { name: ${name}, type: custom_command, command: ${command}${more && `, ${more}`} }\n`;
}

/** Started in the daemon. */
export async function startRun(
  project: Project,
  workflow: string,
  inputs: Readonly<Record<string, unknown>> = {},
  more: object = {},
): Promise<string> {
  const { run_id: id } = await project.client.post<RunView>('/api/runs', { workflow, inputs, ...more });
  return id;
}

export function runOf(project: Project, id: string): Promise<RunReport> {
  return project.client.get<RunReport>(`/api/runs/${id}`);
}

export async function runsOf(project: Project, query: object = {}): Promise<readonly RunView[]> {
  const { runs } = await project.client.get<{ runs: RunView[] }>('/api/runs', { limit: 10_000, ...query });
  return runs;
}

const ends: readonly string[] = ['succeeded', 'failed', 'cancelled'];

/** Waits for its end: then its reports stand there, too. */
export async function ended(project: Project, id: string, deadlineMs?: number): Promise<RunReport> {
  let state = '';
  await until(
    `run ${id} has ended`,
    async () => {
      ({ state } = (
        await project.client.get<{ run: RunView }>(`/api/runs/${id}/progress`, { after: 0 })
      ).run);
      return ends.includes(state);
    },
    deadlineMs,
  ).catch(async (error: Error) => {
    throw new Error(
      `${error.message}; it is ${state}: ${JSON.stringify(statesOf(await runOf(project, id)))}`,
    );
  });
  return runOf(project, id);
}

/** Runs it in the daemon to its end. */
export async function runToEnd(
  project: Project,
  workflow: string,
  inputs: Readonly<Record<string, unknown>> = {},
  more: object = {},
): Promise<RunReport> {
  return ended(project, await startRun(project, workflow, inputs, more));
}

/** `sluice workflow run … --json`, with a daemon or without. */
export async function runByCommand(
  project: Project,
  ...args: string[]
): Promise<{ readonly code: number | null; readonly run: RunReport; readonly stderr: string }> {
  const { code, stdout, stderr } = await project.sluice('workflow', 'run', ...args, '--json');
  if (!stdout.startsWith('{')) throw new Error(`exit ${code}: ${stdout}${stderr}`);
  return { code, run: JSON.parse(stdout) as RunReport, stderr };
}

export function stepOf(run: RunReport, name: string): ReportStep {
  const step = run.steps.find((one) => one.name === name);
  if (!step) throw new Error(`run ${run.run_id} has no step "${name}"`);
  return step;
}

/** `build: succeeded`, `test: failed (exit_code)`. */
export function statesOf(run: RunReport): Readonly<Record<string, string>> {
  return Object.fromEntries(
    run.steps.map(({ name, state, reason }) => [name, reason === undefined ? state : `${state} (${reason})`]),
  );
}

export async function waitsFor(project: Project, id: string, step: string): Promise<void> {
  await until(`step "${step}" of run ${id} waits`, async () => {
    const run = await runOf(project, id);
    return (
      run.state === 'waiting' && run.steps.some(({ name, state }) => name === step && state === 'waiting')
    );
  });
}

export function answer(
  project: Project,
  id: string,
  verdict: 'approved' | 'rejected',
  more: object = {},
): Promise<{ run_id: string; step: string }> {
  return project.client.post(`/api/runs/${id}/answer`, { verdict, ...more });
}

/** Reports stand in the output folder of every run, complete and in agreement. */
export function expectReports(project: Project, run: RunReport): void {
  const folder = join(project.dir, 'processed/workflows', run.workflow, run.run_id);
  for (const name of ['report.html', 'report.md', 'report.json'])
    expect([name, existsSync(join(folder, name))]).toEqual([name, true]);
  const written = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as RunReport;
  expect([written.run_id, written.state, statesOf(written)]).toEqual([run.run_id, run.state, statesOf(run)]);
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('</html>');
}

/** Result of a step, from its folder. */
export function stepResult(project: Project, run: RunReport, step: string): string {
  return readFileSync(
    join(project.dir, 'processed/workflows', run.workflow, run.run_id, 'steps', step, 'result.md'),
    'utf8',
  );
}

export function read(project: Project, path: string): string {
  return readFileSync(join(project.dir, path), 'utf8');
}

export async function stop(daemon: { kill(signal: NodeJS.Signals): void; exited: Promise<number | null> }) {
  daemon.kill('SIGTERM');
  expect(await daemon.exited).toBe(0);
}
