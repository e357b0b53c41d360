/**
 * The run of a file that a rule sent to a workflow: for the coordinator it is the attempt of the file's job. A restart
 * finds the run by that job and goes on with it, so that an interrupted attempt repeats nothing.
 */
import { writeFile } from 'node:fs/promises';
import { outputFiles } from '../agents/command-output.ts';
import { endedBy, endReasonOf, reasonOf } from '../agents/spawner/end-reason.ts';
import { plainReport } from '../sandbox/report.ts';
import type { AgentCall, AgentResult, AttemptOutcome } from '../types/agent.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { AppError } from '../types/errors.ts';
import type { Usage } from '../types/job.ts';
import { finalRunStates, type RunId, type RunRecord, type StepRecord } from '../types/run.ts';
import { addUsage } from '../types/usage.ts';
import type { ActiveRuns } from './active-runs.ts';
import type { KeptDefinition } from './definition.ts';
import type { WorkflowsDeps } from './deps.ts';
import type { RunDriver } from './run-driver.ts';

const STEPS_SHOWN = 50;
const RUNS_PAGE = 500;

export interface FileRunDeps {
  readonly deps: WorkflowsDeps;
  readonly runs: ActiveRuns;
  /** @throws AppError UNKNOWN_WORKFLOW. */
  readonly find: (workflow: string) => KeptDefinition;
}

export async function runForFile(o: FileRunDeps, call: AgentCall, signal: AbortSignal): Promise<AgentResult> {
  const { now } = o.deps;
  const startedAt = now();
  const finish = (outcome: AttemptOutcome, rest: Partial<AgentResult> = {}): AgentResult => ({
    ...{ outcome, startedAt, endedAt: now(), resultBytes: 0, events: 0, costUsd: null, stderrTail: '' },
    ...{ sandbox: plainReport(call.agent.sandbox), limits: {} },
    ...rest,
  });
  let driver: RunDriver | RunRecord;
  try {
    driver = await runOf(o, call);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (o.runs.isStopping) return finish({ kind: 'cancelled', reason: 'stopping' });
    return finish({ kind: 'exited', exitCode: 1 }, { stderrTail: `${error.message}\n${error.fix}` });
  }
  const run = 'ended' in driver ? await endOf(o, driver, signal) : driver;
  if (!run) return finish({ kind: 'cancelled', reason: 'stopping' });
  if (signal.aborted) return finish(endedBy(endReasonOf(signal)));
  return finish(
    { kind: 'exited', exitCode: run.state === 'succeeded' ? 0 : 1 },
    {
      ...(await writeSummary(o.deps, call, run)),
      ...(await spentOn(o.deps, run.id)),
      ...(run.state !== 'succeeded' && { stderrTail: run.message ?? `the run was ${run.state}` }),
    },
  );
}

/** The newest run of this job: one that has ended is its result, which the daemon did not live to take. */
async function runOf({ deps, runs, find }: FileRunDeps, call: AgentCall): Promise<RunDriver | RunRecord> {
  const [known] = await deps.ledger.runs.ofJob(call.jobId);
  if (known) return finalRunStates.includes(known.state) ? known : runs.take(known);
  const { agent, jobId, input, depth } = call;
  if (agent.kind !== 'workflow') throw new TypeError(`"${agent.name}" is no workflow`);
  const { root, rootDir, path, sha256, bytes } = input;
  return runs.create({
    definition: find(agent.workflow),
    inputs: {},
    trigger: { kind: 'file', jobId, file: { root, rootDir, path, sha256, bytes } },
    force: false,
    depth,
  });
}

/** @returns undefined when the process ends before the run does: it stays open. */
async function endOf(
  { runs }: FileRunDeps,
  driver: RunDriver,
  signal: AbortSignal,
): Promise<RunRecord | undefined> {
  const { promise: stopped, resolve } = Promise.withResolvers<undefined>();
  const stop = (): void => resolve(undefined);
  const abort = (): void => {
    const reason = reasonOf(signal);
    if (reason === 'stopping') return stop();
    if (reason === 'superseded') void driver.cancel('on_file_changed', 'its file was changed');
    else void driver.cancel('cancelled', reason);
  };
  runs.stopping.addEventListener('abort', stop, { once: true });
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (runs.isStopping) stop();
    if (signal.aborted) abort();
    return await Promise.race([driver.ended, stopped]);
  } finally {
    runs.stopping.removeEventListener('abort', stop);
    signal.removeEventListener('abort', abort);
  }
}

async function writeSummary(
  deps: WorkflowsDeps,
  { workDir, input }: AgentCall,
  run: RunRecord,
): Promise<Pick<AgentResult, 'resultFile' | 'resultBytes'>> {
  const steps = await deps.ledger.runs.steps(run.id);
  const text = summary(run, steps, deps.publish.reportLink(run, { root: input.root, path: input.path }));
  const resultFile = outputFiles(workDir).result;
  await writeFile(resultFile, text, { mode: 0o600 });
  return { resultFile, resultBytes: Buffer.byteLength(text) };
}

function summary(run: RunRecord, steps: readonly StepRecord[], link: string): string {
  const { id, workflow, state, startedAt, endedAt, message, warnings } = run;
  const took =
    startedAt === undefined || endedAt === undefined ? '' : ` after ${formatElapsed(endedAt - startedAt)}`;
  const lines = [
    `# ${plain(workflow)}: ${state}${took}`,
    '',
    `[Report of run ${id}](${link})`,
    ...(message === undefined || state === 'succeeded' ? [] : ['', plain(message)]),
    '',
    ...steps.slice(0, STEPS_SHOWN).map(stepLine),
    ...(steps.length > STEPS_SHOWN ? [`- and ${steps.length - STEPS_SHOWN} more steps`] : []),
    ...(warnings.length === 0 ? [] : ['', ...warnings.map((warning) => `> ${plain(warning)}`)]),
  ];
  return `${lines.join('\n')}\n`;
}

function stepLine({ name, state, message }: StepRecord): string {
  const why = message === undefined || state === 'succeeded' ? '' : `: ${plain(message)}`;
  return `- **${plain(name)}** ${state}${why}`;
}

/** One line of Markdown that reads as the text did. */
function plain(text: string): string {
  return text
    .replace(/[\\`*_{}[\]<>#|!&~]/g, '\\$&')
    .replace(/\s*[\r\n]+\s*/g, ' ')
    .slice(0, 500);
}

/** What the run used, with those that its steps called. */
async function spentOn(
  { ledger }: WorkflowsDeps,
  id: RunId,
): Promise<Pick<AgentResult, 'usage' | 'costUsd'>> {
  let costUsd: number | null = null;
  let usage: Usage | undefined;
  const left = [id];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    const spent = await ledger.runs.spent(one);
    if (spent.costUsd !== null) costUsd = (costUsd ?? 0) + spent.costUsd;
    if (spent.usage) usage = usage ? addUsage(usage, spent.usage) : spent.usage;
    left.push(...(await ledger.runs.list({ parent: one, limit: RUNS_PAGE })).map((run) => run.id));
  }
  return { costUsd, ...(usage && { usage }) };
}
