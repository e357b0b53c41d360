/** From claimed jobs to what their agent is called with, and from how that went to the record of the attempt. */
import { writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { AgentConfig, RuleConfig } from '../config/config.ts';
import { contains } from '../config/contains.ts';
import { formatDuration } from '../config/duration.ts';
import { formatSize } from '../config/size.ts';
import type { JobSpec, Lease } from '../ledger/ledger.ts';
import type { AgentCall, AgentResult, CallInput } from '../types/agent.ts';
import type { AttemptRecord, JobRecord } from '../types/job.ts';
import { fsPath } from '../types/path-bytes.ts';
import { originalOf } from './original.ts';
import type { Recipes } from './recipes.ts';
import type { Verdict } from './verdict.ts';
import type { WorkFolders } from './work-folders.ts';

const PROMPT_NAME = 'prompt.md';

/** What one attempt works on: the jobs of a batch, mostly one. */
export interface Crew {
  readonly rule: RuleConfig;
  readonly agent: AgentConfig;
  /** At least one; the attempt runs in the folder of the first. All of one root. */
  readonly leases: readonly Lease[];
}

export function leaderOf({ leases }: Crew): Lease {
  return leases[0] as Lease;
}

/** Where the copy of the tree stands that an agent with `workspace: copy` works on. */
export function workspaceOf(work: Pick<WorkFolders, 'place'>, crew: Crew): string {
  const { job, token } = leaderOf(crew);
  return join(work.place(job.id, token).workDir, 'workspace');
}

/** What the attempts journal keeps of each job, so that one whose start never reached the ledger can be adopted. */
export interface JournalJob {
  readonly spec: JobSpec;
  readonly token: number;
  /** It worked on a copy, whatever its agent works on by then. */
  readonly isOnCopy?: true;
}

/** @param workspaceDir The copy of the root's tree that the agent works on, instead of the tree itself. */
export function toCall(
  { work }: { readonly work: Pick<WorkFolders, 'place'> },
  recipes: Recipes,
  crew: Crew,
  o: {
    readonly workspaceDir?: string;
    readonly onSpent?: AgentCall['onSpent'];
    readonly onEvent?: AgentCall['onEvent'];
    readonly correction?: AgentCall['correction'];
    readonly guidance?: AgentCall['guidance'];
    readonly isReviewed?: boolean;
    readonly state?: AgentCall['state'];
  } = {},
): AgentCall {
  const { rule, agent } = crew;
  const { job, token } = leaderOf(crew);
  const { projectDir, roots } = recipes.config;
  const original = originalOf(recipes, job)?.root?.dir ?? '';
  const place = work.place(job.id, token);
  const inputs = crew.leases.flatMap(({ job: one }) => inputOf(recipes, one, { ...o, ...place }) ?? []);
  const { step } = job;
  return {
    jobId: job.id,
    attempt: token,
    sessionId: step?.runId ?? job.id,
    agent,
    rule: rule.name,
    depth: job.depth,
    input: inputs[0] ?? promptAsInput(recipes, job, place.workDir),
    inputs,
    ...(step && { step: { runId: step.runId, workflow: step.workflow, step: step.step } }),
    rootDirs: roots.map(({ dir }) => dir),
    ...(o.workspaceDir !== undefined && { workspaceDir: o.workspaceDir }),
    ...(o.onSpent && { onSpent: o.onSpent }),
    ...(o.onEvent && { onEvent: o.onEvent }),
    ...(o.correction && { correction: o.correction }),
    ...(o.guidance !== undefined && { guidance: o.guidance }),
    ...(o.isReviewed && { isReviewed: true }),
    // With outputs that are expected the schema is theirs.
    ...(rule.expect.jsonSchema && rule.expect.outputs.length === 0 && { schema: rule.expect.jsonSchema }),
    ...(o.state && { state: o.state }),
    ...(rule.prompt !== undefined && { prompt: rule.prompt }),
    journal: JSON.stringify(crew.leases.map((lease) => toJournalJob(lease, o.workspaceDir !== undefined))),
    projectDir: o.workspaceDir === undefined ? projectDir : withinCopy(projectDir, original, o.workspaceDir),
    ...place,
  };
}

/** @returns undefined for a step's own command or request without a file. */
function inputOf(
  recipes: Recipes,
  job: JobRecord,
  o: { readonly workspaceDir?: string; readonly workDir: string },
): CallInput | undefined {
  const { workspaceDir } = o;
  const original = originalOf(recipes, job);
  if (!original) return job.step?.work.kind === 'agent' ? promptAsInput(recipes, job, o.workDir) : undefined;
  const { root, path } = original;
  const { sha256, bytes } = job.step?.file ?? job.input;
  const rootDir = workspaceDir ?? root?.dir ?? dirname(original.file);
  const file = workspaceDir === undefined ? original.file : join(workspaceDir, path);
  return { root: root?.name ?? '', rootDir, path, file, sha256, bytes };
}

/** Agents work on files: one that is asked without any gets its prompt as a file; see `writePrompt`. */
function promptAsInput(
  { config }: Pick<Recipes, 'config'>,
  { input: { sha256, bytes } }: Pick<JobRecord, 'input'>,
  workDir: string,
): CallInput {
  const file = join(workDir, PROMPT_NAME);
  return { root: '', rootDir: config.projectDir, path: PROMPT_NAME, file, sha256, bytes };
}

/** Puts the prompt where the call says that the input is, when it is the input. */
export function writePrompt({ input, prompt = '', workDir }: AgentCall): void {
  if (input.file === join(workDir, PROMPT_NAME)) writeFileSync(input.file, fsPath(prompt), { mode: 0o600 });
}

/** Commands run in the project folder; where that is part of the tree, in its copy. */
function withinCopy(projectDir: string, rootDir: string, copyDir: string): string {
  return contains(rootDir, projectDir) ? join(copyDir, relative(rootDir, projectDir)) : projectDir;
}

/** @param text The `journal` of a call. */
export function readJournal(text: string): readonly JournalJob[] {
  return JSON.parse(text) as readonly JournalJob[];
}

function toJournalJob({ job, force, token }: Lease, isOnCopy: boolean): JournalJob {
  const { id, input, rule, agent, key, priority, lane, depth, parent, step } = job;
  const spec = { id, input, rule, agent, key, priority, lane, depth, force };
  return {
    spec: { ...spec, ...(parent !== undefined && { parent }), ...(step && { step }) },
    token,
    ...(isOnCopy && { isOnCopy }),
  };
}

/** The attempt as the record of one of its jobs: in a batch with its share of what was used. */
export function toRecord(crew: Crew, lease: Lease, result: AgentResult, verdict: Verdict): AttemptRecord {
  const { agent, leases } = crew;
  const { outcome, startedAt, endedAt, events, sandbox, limits, cpuMs, peakMemoryBytes } = result;
  const message = 'message' in verdict ? verdict.message : undefined;
  // What the steps of a run used stands with them.
  const share = agent.kind === 'workflow' ? {} : shareOf(result, leases.length, lease === leases[0]);
  return {
    n: lease.token,
    agent: agent.name,
    startedAt,
    endedAt,
    outcome: outcome.kind,
    ...(outcome.kind === 'exited' && { exitCode: outcome.exitCode }),
    ...(outcome.kind === 'signalled' && { signal: outcome.signal }),
    ...(message !== undefined && { message }),
    sandbox,
    limits: {
      timeout: formatDuration(agent.timeoutMs),
      ...(agent.idleTimeoutMs !== undefined && { idle_timeout: formatDuration(agent.idleTimeoutMs) }),
      output: formatSize(agent.maxOutputBytes),
      ...limits,
    },
    events,
    ...((neverBegan.has(outcome.kind) || isFree(agent)) && { costUsd: 0 }),
    ...share,
    ...(cpuMs !== undefined && { cpuMs }),
    ...(peakMemoryBytes !== undefined && { peakMemoryBytes }),
    ...(result.cli && { cli: result.cli.record }),
    ...(leases.length > 1 && { batch: { id: leaderOf(crew).job.id, files: leases.length } }),
  };
}

/** What did not begin cost nothing: that is known. */
const neverBegan: ReadonlySet<AgentResult['outcome']['kind']> = new Set([
  'spawn_failed',
  'unconfinable',
  'unreachable',
]);

/** A step's own command or request costs what it says, else nothing; the steps of a run stand in the ledger themselves. */
function isFree({ name }: AgentConfig): boolean {
  return name.startsWith('$');
}

/** Tokens are whole: what does not divide stays with the first. */
export function shareOf(
  { usage, costUsd }: Pick<AgentResult, 'usage' | 'costUsd'>,
  files: number,
  isFirst: boolean,
): Pick<AttemptRecord, 'usage' | 'costUsd'> {
  const part = (tokens: number): number => Math.floor(tokens / files) + (isFirst ? tokens % files : 0);
  return {
    ...(usage && {
      usage: {
        input_tokens: part(usage.input_tokens),
        cache_read_tokens: part(usage.cache_read_tokens),
        cache_write_tokens: part(usage.cache_write_tokens),
        output_tokens: part(usage.output_tokens),
      },
    }),
    ...(costUsd !== null && { costUsd: costUsd / files }),
  };
}
