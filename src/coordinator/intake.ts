/**
 * From a settled change to a job, or to a disposition without one. Routing comes first (it is pure and cheap), so that
 * a file that no rule wants is never read; an unchanged file is not read either; then the checksum decides.
 */
import { join } from 'node:path';
import type { Cache } from '../cache/cache.ts';
import { fingerprint } from '../cache/fingerprint.ts';
import { formatSize } from '../config/size.ts';
import type { FileRecord, Hold, JobEnd } from '../ledger/ledger.ts';
import { formatBytes } from '../types/bytes.ts';
import { type Change, formatStamp } from '../types/change.ts';
import type { Disposition, JobId, JobInput, JobRecord } from '../types/job.ts';
import type { BatchSizes } from './batch-sizes.ts';
import type { CoordinatorDeps } from './deps.ts';
import type { CoordinatorEvents } from './events.ts';
import type { Gates } from './gates.ts';
import type { JobNotes } from './job-notes.ts';
import type { Lanes } from './lanes.ts';
import type { LoopGuard } from './loop-guard.ts';
import { type Content, submit } from './new-job.ts';
import type { AgentRoute, Recipes } from './recipes.ts';

export type Taken =
  | { readonly kind: 'job'; readonly job: JobRecord }
  /** This version was taken in before, by the recipe in force: its job stands. */
  | { readonly kind: 'known'; readonly jobId?: JobId; readonly disposition?: Disposition }
  | { readonly kind: 'settled'; readonly disposition: Disposition }
  /** A rule sends it to a workflow, which was not asked for. */
  | { readonly kind: 'left' }
  /** Gone, or being written again: a later change will tell. */
  | { readonly kind: 'gone' };

export interface TakeOptions {
  /** Run it although an earlier result could be used. */
  readonly force?: boolean;
  /** Run it although this version has an ended job (`jobs retry`). */
  readonly again?: boolean;
  /** A known version is compared by its recipe too (`sluice run`): a changed prompt or command runs it. */
  readonly byRecipe?: boolean;
  /** Steps from a file that somebody put there; default 0. */
  readonly depth?: number;
  /** The job whose attempt made the file. */
  readonly parent?: JobId;
  /** It is to rest until a person lets it go on. */
  readonly hold?: Hold;
  /** A file that a rule sends to a workflow is left as it is. */
  readonly leaveWorkflows?: boolean;
  /** Record it as `ignored` without looking further: it was there before the root was first watched. */
  readonly ignore?: boolean;
}

export interface IntakeDeps extends CoordinatorDeps {
  readonly cache: Cache;
  readonly events: CoordinatorEvents;
  readonly gates: Gates;
  readonly batchSizes: BatchSizes;
  readonly loops: LoopGuard;
  readonly notes: Pick<JobNotes, 'get'>;
  /** Of the configuration in force. */
  readonly lanes: () => Lanes;
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
  if (isSame && !isAsked(options) && known.disposition !== 'unrouted')
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
  const isWanted = isAsked(options) || wants(recipes, root, known);
  if (!isWanted) return leave(deps, change, known);
  const route = recipes.route(path);
  if (options.ignore && !known) return settle('ignored');
  if (!route) return settle('unrouted');
  if (options.leaveWorkflows && route.kind === 'agent' && route.candidates.some(isWorkflow))
    return { kind: 'left' };
  const file = join(recipes.root(root)?.dir ?? '', path);
  if (route.kind === 'action') {
    if (isSame && known.disposition !== 'unrouted') return { kind: 'known', ...pick(known) };
    if (route.action === 'quarantine') await deps.results.quarantine(root, path, file);
    return settle(route.action === 'quarantine' ? 'quarantined' : 'ignored');
  }

  const content = await read(change, file, route, isSame ? known.sha256 : undefined, deps.reading);
  if (content.kind === 'gone') return content;
  const input: JobInput = { root, path, sha256: content.sha256, bytes: content.bytes, stamp: content.stamp };
  const isRead = content.kind === 'read';
  if (known && !isSame && isRead && !isAsked(options)) {
    // What was seen is past: the version that stands there now has been taken in meanwhile (put in place by a job).
    const newest = await ledger.files.get(root, path);
    if (newest?.stamp === content.stamp && !newest.gone && newest.disposition !== 'unrouted')
      return { kind: 'known', ...pick(newest) };
  }

  // Its row was rebuilt from a receipt, which knows the content but not the version on disk.
  const isFoundAgain = known?.stamp === '' && known.sha256 === content.sha256 && content.sha256 !== '';
  if ((isSame || isFoundAgain) && !options.again && !options.force && known.jobId !== undefined) {
    const earlier = await ledger.jobs.get(known.jobId);
    if (earlier && earlier.state !== 'cancelled' && (await stands(recipes, route, earlier, input, isRead))) {
      if (isFoundAgain)
        await ledger.files.put({ ...known, stamp: content.stamp, seenAt: now(), gone: false });
      return { kind: 'known', ...pick(known) };
    }
  }
  if (known && isRead && !options.again && !options.force && (await isOnlyTouched(deps, known, input, route)))
    return { kind: 'known', ...pick(known) };
  return { kind: 'job', job: await submit(deps, recipes, route, input, content, options) };
}

/** Somebody asks for this very file, whatever is known of it. */
function isAsked({ again, force, byRecipe }: TakeOptions): boolean {
  return again === true || force === true || byRecipe === true;
}

/**
 * The content that an attempt works on, or that proved work waits for its review or a person, was written again: what
 * comes out stands for this version too.
 */
async function isOnlyTouched(
  { ledger, notes, now }: IntakeDeps,
  known: FileRecord,
  { sha256, stamp }: JobInput,
  { rule }: AgentRoute,
): Promise<boolean> {
  if (known.sha256 !== sha256 || known.jobId === undefined || known.gone) return false;
  const job = await ledger.jobs.get(known.jobId);
  if (job?.rule !== rule.name || job.endedAt !== undefined) return false;
  if (job.state !== 'running' && !notes.get(job.id).proved) return false;
  await ledger.files.put({ ...known, stamp, seenAt: now() });
  return true;
}

/** The job was made by the recipe in force, with whichever of the agents that its rule can lead to. */
async function stands(
  recipes: Recipes,
  route: AgentRoute,
  earlier: JobRecord,
  input: JobInput,
  isRead: boolean,
): Promise<boolean> {
  if (earlier.rule !== route.rule.name) return false;
  if (!isRead) return true;
  const agent = recipes.agentOf(route, earlier.agent);
  if (!agent) return false;
  const key = await recipes.key(route.rule, agent, input);
  return key === '' || key === earlier.key;
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

async function read(
  change: Present,
  file: string,
  { rule }: AgentRoute,
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

function isWorkflow({ kind }: AgentRoute['candidates'][number]): boolean {
  return kind === 'workflow';
}

function pick({ jobId, disposition }: { jobId?: JobId; disposition?: Disposition }): {
  jobId?: JobId;
  disposition?: Disposition;
} {
  return { ...(jobId !== undefined && { jobId }), ...(disposition !== undefined && { disposition }) };
}
