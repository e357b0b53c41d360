/**
 * A step of a run as a job: what stands in for the rule and the agents that a file's job has from its path. The task is
 * complete and in the ledger; the agents are those of the configuration in force when the job starts.
 */
import { hash } from 'node:crypto';
import { relative } from 'node:path';
import {
  type AgentConfig,
  type Config,
  isCliAgent,
  type RootConfig,
  type RuleConfig,
} from '../config/config.ts';
import { contains } from '../config/contains.ts';
import type { JobInput } from '../types/job.ts';
import { PROJECT_ROOT, REVIEWS, type StepTask, stepAgents } from '../types/step-task.ts';
import type { AgentRoute } from './recipes.ts';

/** @returns undefined when the configuration has none of its agents any more. */
export function routeOfStep(config: Config, task: StepTask, priority: number): AgentRoute | undefined {
  const patch = (agent: AgentConfig): AgentConfig => withTask(agent, task);
  const candidates = agentNamesOf(task).flatMap((name) => config.agents.get(name) ?? []);
  if (candidates.length === 0) return undefined;
  const { work, expect, isShared } = task;
  const rule: RuleConfig = {
    name: stepRule(task),
    patterns: [],
    priority,
    target: { kind: 'select', agents: candidates.map(({ name }) => name), policy: 'in_order' },
    ...(work.kind === 'agent' && work.prompt !== undefined && { prompt: work.prompt }),
    expect,
    cache: isShared ? 'content' : 'off',
    maxLoad: Number.POSITIVE_INFINITY,
  };
  return { kind: 'agent', rule, candidates: candidates.map(patch), patch };
}

/** Stands where a file's job has the name of its rule: the same for all items of a step. No rule can be called so. */
export function stepRule({ workflow, step }: Pick<StepTask, 'workflow' | 'step'>): string {
  return `workflow:${workflow}/${stepName(step)}`;
}

export function isStepRule(rule: string): boolean {
  return rule.startsWith('workflow:');
}

/** Steps wait in queues of their own: they are no files, and go on when no more files may be in work. */
export function stepLane(agent: string): string {
  return `${agent}\0`;
}

/** What the job works on, as its record names it; its place is that of its result in the output folder. */
export function inputOfStep(task: StepTask): JobInput {
  const { runId, workflow, step, work, file, inputsSha256 } = task;
  const [, name = step, index] = /^(.*?)(?:\[(\d+)\])?$/s.exec(step) ?? [];
  const prompt = work.kind === 'agent' ? (work.prompt ?? '') : '';
  return {
    root: '',
    path: [workflow, runId, 'steps', name, ...(index === undefined ? [] : [index])].join('/'),
    sha256: hash('sha256', JSON.stringify([file?.sha256 ?? null, prompt, inputsSha256 ?? null]), 'hex'),
    bytes: file?.bytes ?? Buffer.byteLength(prompt),
    stamp: file?.stamp ?? '',
  };
}

/** The root whose tree a file belongs to: the innermost that holds it, else the project's own. */
export function rootOfFile(
  config: Config,
  file: string,
): { readonly root: Pick<RootConfig, 'name' | 'dir'>; readonly path: string } | undefined {
  const holding = [...config.roots, projectRoot(config)].flatMap(({ name, dir }) => {
    const path = relative(dir, file);
    return path !== '' && contains(dir, file) ? [{ root: { name, dir }, path }] : [];
  });
  return holding.toSorted((a, b) => a.path.length - b.path.length)[0];
}

/** Files of the project outside every root: nobody watches them, a `file_processing` step takes them in. */
export function projectRoot({ projectDir }: Config): RootConfig {
  return {
    name: PROJECT_ROOT,
    dir: projectDir,
    ignore: [],
    defaultIgnore: [],
    mode: 'poll',
    settle: { kind: 'auto' },
    sweepMs: Number.POSITIVE_INFINITY,
    initial: 'process',
    onChange: 'queue',
    on: new Set(['added', 'changed']),
  };
}

function agentNamesOf({ work }: StepTask): readonly string[] {
  return work.kind === 'agent' ? work.agents : [stepAgents[work.kind]];
}

/** `lint[3]` is an item of `lint`. */
function stepName(step: string): string {
  return step.replace(/\[\d+\]$/, '');
}

/** It looks at the tree as it is and changes nothing, whatever its agent may do otherwise. */
function asReviewer(agent: AgentConfig): AgentConfig {
  const { workspace, sandbox } = agent;
  const writesNothing = sandbox.mode === 'off' ? sandbox : { ...sandbox, write: [] };
  if (!isCliAgent(agent))
    return workspace === 'copy' ? { ...agent, workspace: 'in_place', sandbox: writesNothing } : agent;
  const permissions = { ...agent.cli.permissions, mode: 'read', ceiling: 'read' } as const;
  return { ...agent, workspace: 'in_place', sandbox: writesNothing, cli: { ...agent.cli, permissions } };
}

/** The agent as this step wants it. */
function withTask(agent: AgentConfig, task: StepTask): AgentConfig {
  const { work, env, timeoutMs, retry } = task;
  if (task.workflow === REVIEWS) return { ...asReviewer(agent), env: [...agent.env, ...env] };
  const own = {
    env: [...agent.env, ...env],
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(retry && { retry }),
  };
  if (work.kind === 'command' && agent.kind === 'command')
    return { ...agent, ...own, command: work.command, isLiteral: true, sandbox: work.sandbox };
  if (work.kind === 'http' && agent.kind === 'http') {
    const { url, method, headers, body } = work;
    return { ...agent, ...own, url, headers, request: { method, ...(body !== undefined && { body }) } };
  }
  return { ...agent, ...own };
}
