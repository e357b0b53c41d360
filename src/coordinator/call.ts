/** From claimed jobs to what their agent is called with, and from how that went to the record of the attempt. */
import { isAbsolute, join, relative } from 'node:path';
import type { AgentConfig, RuleConfig } from '../config/config.ts';
import { formatDuration } from '../config/duration.ts';
import { formatSize } from '../config/size.ts';
import type { JobSpec, Lease } from '../ledger/ledger.ts';
import type { AgentCall, AgentResult, CallInput } from '../types/agent.ts';
import type { AttemptRecord } from '../types/job.ts';
import type { Recipes } from './recipes.ts';
import type { Verdict } from './verdict.ts';
import type { WorkFolders } from './work-folders.ts';

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
}

/** @param workspaceDir The copy of the root's tree that the agent works on, instead of the tree itself. */
export function toCall(
  { work }: { readonly work: Pick<WorkFolders, 'place'> },
  recipes: Recipes,
  crew: Crew,
  o: { readonly workspaceDir?: string; readonly onSpent?: AgentCall['onSpent'] } = {},
): AgentCall {
  const { rule, agent } = crew;
  const { job, token } = leaderOf(crew);
  const { projectDir, roots } = recipes.config;
  const original = recipes.root(job.input.root)?.dir ?? '';
  const rootDir = o.workspaceDir ?? original;
  const inputs = crew.leases.map(({ job: { input } }): CallInput => {
    const { root, path, sha256, bytes } = input;
    return { root, rootDir, path, file: join(rootDir, path), sha256, bytes };
  });
  return {
    jobId: job.id,
    attempt: token,
    sessionId: job.id,
    agent,
    rule: rule.name,
    depth: job.depth,
    input: inputs[0] as CallInput,
    inputs,
    rootDirs: roots.map(({ dir }) => dir),
    ...(o.workspaceDir !== undefined && { workspaceDir: o.workspaceDir }),
    ...(o.onSpent && { onSpent: o.onSpent }),
    ...(rule.prompt !== undefined && { prompt: rule.prompt }),
    journal: JSON.stringify(crew.leases.map(toJournalJob)),
    projectDir: o.workspaceDir === undefined ? projectDir : withinCopy(projectDir, original, o.workspaceDir),
    ...work.place(job.id, token),
  };
}

/** Commands run in the project folder; where that is part of the tree, in its copy. */
function withinCopy(projectDir: string, rootDir: string, copyDir: string): string {
  const way = relative(rootDir, projectDir);
  return way === '..' || way.startsWith('../') || isAbsolute(way) ? projectDir : join(copyDir, way);
}

/** @param text The `journal` of a call. */
export function readJournal(text: string): readonly JournalJob[] {
  return JSON.parse(text) as readonly JournalJob[];
}

function toJournalJob({ job, force, token }: Lease): JournalJob {
  const { id, input, rule, agent, key, priority, lane, depth, parent } = job;
  const spec = { id, input, rule, agent, key, priority, lane, depth, force };
  return { spec: { ...spec, ...(parent !== undefined && { parent }) }, token };
}

/** The attempt as the record of one of its jobs: in a batch with its share of what was used. */
export function toRecord(crew: Crew, lease: Lease, result: AgentResult, verdict: Verdict): AttemptRecord {
  const { agent, leases } = crew;
  const { outcome, startedAt, endedAt, events, sandbox, limits, cpuMs, peakMemoryBytes } = result;
  const message = verdict.kind === 'failed' ? verdict.message : undefined;
  const share = shareOf(result, leases.length, lease === leases[0]);
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
    ...(neverBegan.has(outcome.kind) && { costUsd: 0 }),
    ...share,
    ...(cpuMs !== undefined && { cpuMs }),
    ...(peakMemoryBytes !== undefined && { peakMemoryBytes }),
    ...(leases.length > 1 && { batch: { id: leaderOf(crew).job.id, files: leases.length } }),
  };
}

/** What did not begin cost nothing: that is known. */
const neverBegan: ReadonlySet<AgentResult['outcome']['kind']> = new Set([
  'spawn_failed',
  'unconfinable',
  'unreachable',
]);

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
