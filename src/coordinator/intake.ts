/**
 * From a settled change to a job, or to a disposition without one. Routing comes first (it is pure and cheap), so that
 * a file that no rule wants is never read; an unchanged file is not read either; then the checksum decides.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Cache } from '../cache/cache.ts';
import { fingerprint } from '../cache/fingerprint.ts';
import { formatSize } from '../config/size.ts';
import type { FileRecord, JobEnd, JobSpec } from '../ledger/ledger.ts';
import { formatBytes } from '../types/bytes.ts';
import { type Change, formatStamp } from '../types/change.ts';
import type { Disposition, JobId, JobInput, JobRecord } from '../types/job.ts';
import type { CoordinatorDeps } from './deps.ts';
import type { CoordinatorEvents } from './events.ts';
import { finish } from './finish.ts';
import type { Recipes, Route } from './recipes.ts';

export type Taken =
  | { readonly kind: 'job'; readonly job: JobRecord }
  /** This version was taken in before, by the recipe in force: its job stands. */
  | { readonly kind: 'known'; readonly jobId?: JobId; readonly disposition?: Disposition }
  | { readonly kind: 'settled'; readonly disposition: Disposition }
  /** Gone, or being written again: a later change will tell. */
  | { readonly kind: 'gone' };

export interface TakeOptions {
  /** Run it although an earlier result could be used. */
  readonly force?: boolean;
  /** Run it although this version has an ended job (`jobs retry`). */
  readonly again?: boolean;
  /** A known version is compared by its recipe too (`sluice run`): a changed prompt or command runs it. */
  readonly byRecipe?: boolean;
  /** Record it as `ignored` without looking further: it was there before the root was first watched. */
  readonly ignore?: boolean;
}

export interface IntakeDeps extends CoordinatorDeps {
  readonly cache: Cache;
  readonly events: CoordinatorEvents;
  /** Aborted when we stop: a large file is not read to its end for nothing. */
  readonly reading: AbortSignal;
}

type Present = Extract<Change, { type: 'added' | 'changed' }>;

export async function take(
  deps: IntakeDeps,
  recipes: Recipes,
  change: Present,
  options: TakeOptions = {},
): Promise<Taken> {
  const { ledger, now } = deps;
  const { root, path } = change;
  const stamp = formatStamp(change.stamp);
  const known = await ledger.files.get(root, path);
  const isSame = known !== undefined && known.stamp === stamp && !known.gone;
  if (isSame && !options.again && !options.force && !options.byRecipe && known.disposition !== 'unrouted')
    return { kind: 'known', ...pick(known) };

  const settle = async (disposition: Disposition): Promise<Taken> => {
    await ledger.files.put({
      root,
      path,
      stamp,
      bytes: change.stamp.size,
      disposition,
      seenAt: now(),
      gone: false,
    });
    return { kind: 'settled', disposition };
  };
  const isWanted = options.byRecipe || options.again || options.force || wants(recipes, root, known);
  if (!isWanted) return leave(deps, change, known);
  const route = recipes.route(path);
  if (options.ignore && !known) return settle('ignored');
  if (!route) return settle('unrouted');
  const file = join(recipes.root(root)?.dir ?? '', path);
  if (route.kind === 'action') {
    if (isSame && known.disposition !== 'unrouted') return { kind: 'known', ...pick(known) };
    if (route.action === 'quarantine') await deps.results.quarantine(root, path, file);
    return settle(route.action === 'quarantine' ? 'quarantined' : 'ignored');
  }

  const content = await read(change, file, route, isSame ? known.sha256 : undefined, deps.reading);
  if (content.kind === 'gone') return content;
  const input: JobInput = { root, path, sha256: content.sha256, bytes: content.bytes, stamp: content.stamp };
  const key = content.kind === 'read' ? await recipes.key(route, content.sha256, root, path) : '';

  // Its row was rebuilt from a receipt, which knows the content but not the version on disk.
  const isFoundAgain = known?.stamp === '' && known.sha256 === content.sha256 && content.sha256 !== '';
  if ((isSame || isFoundAgain) && !options.again && !options.force && known.jobId !== undefined) {
    const earlier = await ledger.jobs.get(known.jobId);
    const stands = earlier && (key === '' || earlier.key === key) && earlier.rule === route.rule.name;
    if (stands && earlier.state !== 'cancelled') {
      if (isFoundAgain)
        await ledger.files.put({ ...known, stamp: content.stamp, seenAt: now(), gone: false });
      return { kind: 'known', ...pick(known) };
    }
  }
  return { kind: 'job', job: await submit(deps, route, input, key, content, options) };
}

/** Whether the root's `on` names this change. A file whose row was made from a receipt has not changed. */
function wants(recipes: Recipes, root: string, known: FileRecord | undefined): boolean {
  const type = known && !known.gone && known.stamp !== '' ? 'changed' : 'added';
  return recipes.root(root)?.on.has(type) ?? true;
}

/** This version is known from now on and starts no work; what the file had, it keeps. */
export async function leave(
  { ledger, now }: IntakeDeps,
  { root, path, stamp }: Present,
  known: FileRecord | undefined,
): Promise<Taken> {
  const kept = known && !known.gone ? pick(known) : { disposition: 'ignored' as const };
  const version = { stamp: formatStamp(stamp), bytes: stamp.size };
  await ledger.files.put({ root, path, ...version, ...kept, seenAt: now(), gone: false });
  return { kind: 'known', ...kept };
}

async function submit(
  deps: IntakeDeps,
  route: Extract<Route, { kind: 'agent' }>,
  input: JobInput,
  key: string,
  content: Content,
  { force = false }: TakeOptions,
): Promise<JobRecord> {
  const { ledger, cache, events, now } = deps;
  const spec: JobSpec = {
    id: newJobId(),
    input,
    rule: route.rule.name,
    agent: route.agent.name,
    key,
    priority: route.rule.priority,
    depth: 0,
    force,
  };
  await ledger.files.put({
    root: input.root,
    path: input.path,
    stamp: input.stamp,
    ...(input.sha256 !== '' && { sha256: input.sha256 }),
    bytes: input.bytes,
    jobId: spec.id,
    seenAt: now(),
    gone: false,
  });
  if (content.kind === 'refused') return recordEnd(deps, spec, content.end);
  const cachedFrom = force ? undefined : await cache.get(key);
  if (cachedFrom !== undefined) {
    const source = await ledger.jobs.get(cachedFrom);
    const { proof = [], outputs = [] } = source ?? {};
    return recordEnd(deps, spec, { state: 'cached', cachedFrom, proof, outputs });
  }
  await ledger.jobs.enqueue(spec);
  const job = (await ledger.jobs.get(spec.id)) as JobRecord;
  events.emit({ type: 'queued', job });
  return job;
}

async function recordEnd(deps: IntakeDeps, spec: JobSpec, end: JobEnd): Promise<JobRecord> {
  const job = await deps.ledger.jobs.record(spec, end);
  await finish(deps, job);
  return job;
}

type Content =
  | { readonly kind: 'read'; readonly sha256: string; readonly bytes: number; readonly stamp: string }
  | {
      readonly kind: 'refused';
      readonly sha256: '';
      readonly bytes: number;
      readonly stamp: string;
      readonly end: JobEnd;
    };

async function read(
  change: Present,
  file: string,
  { rule }: Extract<Route, { kind: 'agent' }>,
  knownSha256: string | undefined,
  signal: AbortSignal,
): Promise<Content | { kind: 'gone' }> {
  const stamp = formatStamp(change.stamp);
  const bytes = change.stamp.size;
  if (rule.maxInputBytes !== undefined && bytes > rule.maxInputBytes) {
    const end: JobEnd = {
      state: 'failed',
      reason: 'input_too_large',
      message: `the file has ${formatBytes(bytes)}; rule "${rule.name}" takes at most ${formatSize(rule.maxInputBytes)}`,
      fix: `Raise \`max_input\` of rule "${rule.name}", then run \`sluice jobs retry\`.`,
    };
    return { kind: 'refused', sha256: '', bytes, stamp, end };
  }
  if (knownSha256 !== undefined) return { kind: 'read', sha256: knownSha256, bytes, stamp };
  const found = await fingerprint(file, signal);
  switch (found.kind) {
    case 'read':
      return { kind: 'read', sha256: found.sha256, bytes: found.stamp.size, stamp: formatStamp(found.stamp) };
    case 'unreadable': {
      const end: JobEnd = {
        state: 'failed',
        reason: 'input_unreadable',
        message: `the file cannot be read: ${found.message}`,
        fix: 'Give the user that runs Sluice the right to read it, then run `sluice jobs retry`.',
      };
      return { kind: 'refused', sha256: '', bytes, stamp, end };
    }
    case 'gone':
    case 'changing':
      return { kind: 'gone' };
    default:
      return found satisfies never;
  }
}

function pick({ jobId, disposition }: { jobId?: JobId; disposition?: Disposition }): {
  jobId?: JobId;
  disposition?: Disposition;
} {
  return { ...(jobId !== undefined && { jobId }), ...(disposition !== undefined && { disposition }) };
}

/** Sixteen hex digits: short enough to type a prefix of, random from the first so that prefixes differ. */
function newJobId(): JobId {
  return randomBytes(8).toString('hex');
}
