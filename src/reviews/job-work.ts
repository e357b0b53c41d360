/** What reviewers are shown of a job's attempt: one that has its proof, or one that still runs and has said something. */
import { join } from 'node:path';
import { type AgentConfig, type Config, isCliAgent } from '../config/config.ts';
import type { AgentCall } from '../types/agent.ts';
import { type JobRecord, type Output, workWords } from '../types/job.ts';
import type { StepTask } from '../types/step-task.ts';
import type { Changes } from '../workspace/workspaces.ts';
import type { ReviewWork } from './reviews.ts';
import { type ChangeSource, readWork } from './work.ts';

export interface JobWorkDeps {
  readonly config: () => Config;
  /** What an agent changed in its copy of a tree. */
  readonly changesOf: (workspaceDir: string) => Promise<Changes>;
  /** The files that an attempt has left so far. */
  readonly outputsIn: (outputDir: string) => Promise<readonly Output[]>;
  /** Absolute: ours, never part of anybody's work. */
  readonly ownFolders: () => readonly string[];
  readonly redact: (text: string) => string;
}

/** Added to the task. */
const ofBatch =
  '\n\n(This file was worked on together with others. Judge what is about this file; what is said of others is judged with them.)';

/** @param said By work that goes on: stands in for the report, which it has not given yet. @throws `signal.reason` on abort. */
export async function readJobWork(
  deps: JobWorkDeps,
  job: JobRecord,
  call: AgentCall,
  said: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<ReviewWork> {
  const more = call.inputs.length > 1 ? ` and ${call.inputs.length - 1} more` : '';
  const task = call.prompt ?? call.agent.description ?? '';
  const work = await readWork(
    {
      title: `${workWords(job)}${more} by ${job.agent}`,
      task: said === undefined && wasTogether(job) ? `${task}${ofBatch}` : task,
      ...(said === undefined && { resultFile: resultFileOf(call) }),
      outputsDir: call.outputDir,
      outputs: await deps.outputsIn(call.outputDir).catch(() => []),
      changes: await changesOf(deps, job, call),
    },
    signal,
  );
  return said === undefined ? work : { ...work, report: deps.redact(said.join('\n')) };
}

/** Where an attempt has left its answer. */
export function resultFileOf({ workDir }: AgentCall): string {
  return join(workDir, 'result.md');
}

/** Whether what it does can show in the tree itself. A step's own command says what it writes; others' agents say it. */
export function mayChangeTree(agent: AgentConfig, step?: StepTask): boolean {
  if (step?.work.kind === 'command') return canWrite(step.work);
  if (agent.kind !== 'command' && !isCliAgent(agent)) return false;
  if (isCliAgent(agent) && agent.cli.permissions.ceiling === 'read') return false;
  return canWrite(agent);
}

function canWrite({ sandbox }: Pick<AgentConfig, 'sandbox'>): boolean {
  return sandbox.mode === 'off' || sandbox.write.length > 0;
}

async function changesOf(deps: JobWorkDeps, job: JobRecord, call: AgentCall): Promise<ChangeSource> {
  const { roots, projectDir } = deps.config();
  if (call.workspaceDir !== undefined) {
    const before = roots.find(({ name }) => name === job.input.root)?.dir ?? projectDir;
    try {
      const { files } = await deps.changesOf(call.workspaceDir);
      return { kind: 'copy', files, before, after: call.workspaceDir };
    } catch {
      // Nothing is left of it, or not all: what stands in the answer and the outputs is shown.
      return { kind: 'none' };
    }
  }
  if (!mayChangeTree(call.agent, job.step)) return { kind: 'none' };
  return { kind: 'in_place', dir: call.input.rootDir, exclude: deps.ownFolders() };
}

/** Also of what it was done again by itself: the task stays the same for its reviewers. */
function wasTogether({ attempts }: JobRecord): boolean {
  return attempts.some(({ batch }) => batch !== undefined);
}
