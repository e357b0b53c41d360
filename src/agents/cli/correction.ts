/**
 * From what an agent was denied to the one thing that a second launch changes, never beyond its ceiling. A launch is widened
 * by as little as lifts the denial: a tool before a mode, one folder before all. Nothing here writes; the disk is asked only
 * where links lead.
 */
import type { CliSettings } from '../../config/config.ts';
import { contains } from '../../config/contains.ts';
import { holds } from '../../types/access.ts';
import type { Access, CliReport, Correction, Cure } from '../../types/agent-cli.ts';
import { leadsTo } from './leads-to.ts';

/** Folders, tools or flags that are remembered for an agent: it is no way to give it a whole disk bit by bit. */
const maxRemembered = 16;

export interface Ceiling {
  readonly permissions: CliSettings['permissions'];
  /** Folders that it may be given anyway: project, roots, the tree that it works on. Absolute. */
  readonly places: readonly string[];
}

/**
 * @returns what the next launch gets in all, or undefined when one of the denials cannot be lifted within the ceiling:
 * a launch that is denied again would only cost once more.
 */
export function correctionFor(
  { denials, faults, terminal }: Pick<CliReport, 'denials' | 'faults' | 'terminal'>,
  ceiling: Ceiling,
  sofar: Correction = {},
): Correction | undefined {
  const cures: (Cure | undefined)[] = denials.map(({ cure }) => cure);
  // What it failed of counts; what it got over does not.
  if (terminal !== 'success') cures.push(...faults.filter(({ cure }) => cure).map(({ cure }) => cure));
  let next: Correction = sofar;
  for (const cure of cures) {
    if (!cure || !isWithin(cure, ceiling)) return undefined;
    next = add(next, cure);
  }
  return same(next, sofar) ? undefined : next;
}

/** What would lift all of it if there were no ceiling; undefined: nothing would. */
export function wantedCorrection(
  report: Pick<CliReport, 'denials' | 'faults' | 'terminal'>,
  { permissions, places }: Ceiling,
  sofar: Correction = {},
): Correction | undefined {
  return correctionFor(report, { permissions: { ...permissions, ceiling: 'all' }, places }, sofar);
}

/** What a person has to allow in the configuration before what was denied can be given. */
export interface Beyond {
  /** The ceiling that it takes; absent: the one that is set does. */
  readonly ceiling?: Access;
  /** Outside of all that it may be given: where they really are, since a link hides that. Absolute. */
  readonly directories: readonly string[];
}

/** @returns undefined: nothing of the configuration stands in the way. */
export function beyondCeiling(
  { denials }: Pick<CliReport, 'denials'>,
  { permissions, places }: Ceiling,
): Beyond | undefined {
  const cures = denials.flatMap(({ cure }) => cure ?? []);
  const needed = cures.map(accessFor).reduce(higher, undefined);
  const isHigher = needed !== undefined && !holds(permissions.ceiling, needed);
  const ceiling = isHigher ? needed : permissions.ceiling;
  const raised = { permissions: { ...permissions, ceiling }, places };
  const outside = cures.flatMap((cure) =>
    cure.kind === 'directory' && !isWithin(cure, raised) ? [leadsTo(cure.path) ?? cure.path] : [],
  );
  if (!isHigher && outside.length === 0) return undefined;
  return { ...(isHigher && { ceiling }), directories: [...new Set(outside)] };
}

/** The least access with which the cure can do anything. */
function accessFor(cure: Cure): Access | undefined {
  if (cure.kind === 'directory') return cure.write ? 'edit' : undefined;
  return cure.kind === 'access' || cure.kind === 'tool' ? cure.access : undefined;
}

/**
 * What of a correction holds now: the ceiling, the version of the program, and where the links in a folder lead may all have
 * changed since it was learned.
 */
export function boundCorrection(correction: Correction, ceiling: Ceiling, version?: string): Correction {
  const {
    access,
    directories,
    tools,
    toolAccess = 'all',
    withoutFlags,
    version: of,
    skipGitCheck,
  } = correction;
  const highest = ceiling.permissions.ceiling;
  const isAllowed = access !== undefined && holds(highest, access);
  const kept = directories?.filter((path) => isWithin({ kind: 'directory', path, write: false }, ceiling));
  return {
    ...(skipGitCheck && { skipGitCheck }),
    ...(isAllowed && { access }),
    ...(kept && kept.length > 0 && { directories: kept }),
    ...(tools && holds(highest, toolAccess) && { tools, toolAccess }),
    ...(withoutFlags && (of === undefined || of === version) && { withoutFlags, ...(of && { version: of }) }),
  };
}

export function merge(a: Correction, b: Correction): Correction {
  const access = higher(a.access, b.access);
  const toolAccess = higher(a.toolAccess, b.toolAccess);
  const version = b.version ?? a.version;
  const isOfAnother = a.version !== undefined && a.version !== version;
  const directories = union(a.directories, b.directories);
  const tools = union(a.tools, b.tools);
  const withoutFlags = union(isOfAnother ? [] : a.withoutFlags, b.withoutFlags);
  return {
    ...(access && { access }),
    ...(directories.length > 0 && { directories }),
    ...(tools.length > 0 && { tools }),
    ...(toolAccess && { toolAccess }),
    ...(withoutFlags.length > 0 && { withoutFlags }),
    ...(version !== undefined && { version }),
    ...((a.skipGitCheck || b.skipGitCheck) && { skipGitCheck: true }),
  };
}

export function isEmpty(correction: Correction): boolean {
  return Object.keys(correction).length === 0;
}

export function atLeast(access: Access, wanted: Access | undefined): Access {
  return higher(access, wanted) as Access;
}

function isWithin(cure: Cure, { permissions, places }: Ceiling): boolean {
  const { ceiling, directories } = permissions;
  switch (cure.kind) {
    case 'access':
    case 'tool':
      return holds(ceiling, cure.access);
    case 'directory':
      if (cure.write && ceiling === 'read') return false;
      return ceiling === 'all' || [...places, ...directories].some((place) => isIn(cure.path, place));
    case 'skip_git_check':
    case 'without_flag':
      return true;
    default:
      return cure satisfies never;
  }
}

function add(to: Correction, cure: Cure): Correction {
  switch (cure.kind) {
    case 'access':
      return merge(to, { access: cure.access });
    case 'tool':
      return merge(to, { tools: [cure.tool], toolAccess: cure.access });
    case 'directory':
      // Where nothing may be written at all, one more folder alone would change nothing.
      return merge(to, { directories: [cure.path], ...(cure.write && { access: 'edit' }) });
    case 'skip_git_check':
      return merge(to, { skipGitCheck: true });
    case 'without_flag':
      return merge(to, { withoutFlags: [cure.flag] });
    default:
      return cure satisfies never;
  }
}

function union(a: readonly string[] = [], b: readonly string[] = []): readonly string[] {
  return [...new Set([...a, ...b])].slice(-maxRemembered);
}

function higher(a: Access | undefined, b: Access | undefined): Access | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return holds(a, b) ? a : b;
}

/** By where both really are: an agent that may write to a folder may put a link into it that leads out of it. */
function isIn(path: string, place: string): boolean {
  const [real, folder] = [leadsTo(path), leadsTo(place)];
  return real !== undefined && folder !== undefined && contains(folder, real);
}

function same(a: Correction, b: Correction): boolean {
  return JSON.stringify(merge(a, {})) === JSON.stringify(merge(b, {}));
}
