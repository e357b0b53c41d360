/**
 * A file that is wanted, and whose content is known, becomes a job: of which agent, in which queue and batch, how far from
 * the hand that began it; or of none, because its result is there already.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { AgentConfig, BatchConfig, RuleConfig, SelectionPolicy } from '../config/config.ts';
import type { BatchPlace, Hold, JobEnd, JobSpec } from '../ledger/ledger.ts';
import type { JobId, JobInput, JobRecord } from '../types/job.ts';
import { cachedEnd } from './cached-end.ts';
import { finish } from './finish.ts';
import type { IntakeDeps, TakeOptions } from './intake.ts';
import type { AgentRoute, Recipes } from './recipes.ts';
import { choose } from './selection.ts';

export type Content =
  | { readonly kind: 'read'; readonly sha256: string; readonly bytes: number; readonly stamp: string }
  | {
      readonly kind: 'refused';
      readonly sha256: '';
      readonly bytes: number;
      readonly stamp: string;
      readonly end: JobEnd;
    };

export async function submit(
  deps: IntakeDeps,
  recipes: Recipes,
  { rule, candidates }: AgentRoute,
  input: JobInput,
  content: Content,
  options: TakeOptions,
): Promise<JobRecord> {
  const { ledger, cache, events, now } = deps;
  const { force = false } = options;
  const id = newJobId();
  const origin = await originOf(deps, recipes, id, rule.name, input, options);
  const { hold } = origin;
  const keyFor = async (agent: AgentConfig): Promise<string> =>
    content.kind === 'read' ? recipes.key(rule, agent, input) : '';
  const { target } = rule;
  const ordered =
    target.kind === 'select'
      ? await inOrder(deps, target.policy, candidates, { rule, bytes: input.bytes })
      : candidates;
  let agent = ordered[0] as AgentConfig;
  let key = await keyFor(agent);
  let cachedFrom = force ? undefined : await cache.get(key);
  for (const other of ordered.slice(1)) {
    if (cachedFrom !== undefined || force) break;
    // What one of them has found already need not be found by another.
    const otherKey = await keyFor(other);
    cachedFrom = await cache.get(otherKey);
    if (cachedFrom !== undefined) [agent, key] = [other, otherKey];
  }
  const spec: JobSpec = {
    id,
    input,
    rule: rule.name,
    agent: agent.name,
    key,
    priority: rule.priority,
    lane: deps.lanes().of(agent.name, rule.name),
    ...(rule.batch && { batch: placeInBatch(deps, rule, rule.batch, input) }),
    ...origin,
    force,
  };
  await ledger.files.put({
    root: input.root,
    path: input.path,
    stamp: input.stamp,
    ...(input.sha256 !== '' && { sha256: input.sha256 }),
    bytes: input.bytes,
    jobId: spec.id,
    ...(hold && { disposition: 'held' as const }),
    seenAt: now(),
    gone: false,
  });
  if (content.kind === 'refused') return recordEnd(deps, spec, content.end);
  if (cachedFrom !== undefined && !hold) {
    const source = await ledger.jobs.get(cachedFrom);
    return recordEnd(deps, spec, cachedEnd(cachedFrom, source));
  }
  const superseded = await ledger.jobs.enqueue(spec);
  const job = (await ledger.jobs.get(spec.id)) as JobRecord;
  events.emit({ type: hold ? 'held' : 'queued', job });
  for (const older of superseded) {
    const ended = await ledger.jobs.get(older);
    if (ended) await finish(deps, ended);
  }
  return job;
}

/** Who made the file: a person, an attempt of ours, or somebody who was asked by one; and whether it must rest. */
async function originOf(
  deps: IntakeDeps,
  recipes: Recipes,
  id: JobId,
  rule: string,
  input: JobInput,
  { depth = deps.nesting.depth, parent = deps.nesting.parent, again, hold }: TakeOptions,
): Promise<Pick<JobSpec, 'depth' | 'parent' | 'hold'>> {
  const asked = { depth, ...(parent !== undefined && { parent }) };
  const held = hold ?? (await circle(deps, input, parent));
  if (held) return { ...asked, hold: held };
  // Somebody asks for this very file: that is no loop.
  if (depth > 0 || again) return asked;
  return deps.loops.arrived(id, rule, input, join(recipes.root(input.root)?.dir ?? '', input.path));
}

/** An attempt that asks for its own input again would wait for itself. */
async function circle(
  { ledger }: Pick<IntakeDeps, 'ledger'>,
  { root, path }: JobInput,
  parent: JobId | undefined,
): Promise<Hold | undefined> {
  for (let id = parent; id !== undefined; ) {
    const job = await ledger.jobs.get(id);
    if (job?.input.root === root && job.input.path === path)
      return {
        reason: 'loop',
        message: `job ${id} works on this file, and what it started asks for it again`,
        fix: 'Let the agent not call `sluice` on its own input.',
      };
    id = job?.parent;
  }
  return undefined;
}

/**
 * The agents that could have the job, best first: by the policy, those that can work now before the others.
 * @param o.bytes Of what they are to work on; absent: not known.
 */
export async function inOrder(
  { ledger, gates, agents }: Pick<IntakeDeps, 'ledger' | 'gates' | 'agents'>,
  policy: SelectionPolicy,
  candidates: readonly AgentConfig[],
  { rule, bytes }: { readonly rule?: RuleConfig; readonly bytes?: number | undefined } = {},
): Promise<readonly AgentConfig[]> {
  if (candidates.length <= 1) return candidates;
  const open = await ledger.jobs.openByAgent();
  const names = choose(
    policy,
    candidates.map((agent) => ({ ...agent, open: open.get(agent.name) ?? 0 })),
    bytes,
  );
  const ordered = names.flatMap((name) => candidates.find((agent) => agent.name === name) ?? []);
  const able: AgentConfig[] = [];
  for (const agent of ordered)
    if (gates.of(agent, rule).kind !== 'closed' && !(await agents.available(agent))) able.push(agent);
  return [...able, ...ordered.filter((agent) => !able.includes(agent))];
}

/** Files of one group wait for each other; a dropped folder is a group of its own. */
function placeInBatch(
  { batchSizes, now }: Pick<IntakeDeps, 'batchSizes' | 'now'>,
  rule: RuleConfig,
  { by, quietMs }: BatchConfig,
  { root, path }: JobInput,
): BatchPlace {
  const slash = path.indexOf('/');
  const unit = by === 'files' ? '' : slash < 0 ? `\0\0${path}` : `\0${path.slice(0, slash)}`;
  const isAlone = by === 'folder' && slash < 0;
  return {
    group: `${rule.name}\0${root}${unit}`,
    notBefore: now() + quietMs,
    maxFiles: isAlone ? 1 : batchSizes.of(rule),
  };
}

async function recordEnd(deps: IntakeDeps, spec: JobSpec, end: JobEnd): Promise<JobRecord> {
  const job = await deps.ledger.jobs.record(spec, end);
  await finish(deps, job);
  return job;
}

/** Sixteen hex digits: short enough to type a prefix of, random from the first so that prefixes differ. */
function newJobId(): JobId {
  return randomBytes(8).toString('hex');
}
