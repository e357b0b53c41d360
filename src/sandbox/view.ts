/** What one attempt sees and may write, as places: from the project, the roots and the call to a list of mounts. */
import { mkdirSync, readdirSync } from 'node:fs';
import { extname, isAbsolute, join } from 'node:path';
import { contains } from '../config/contains.ts';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';
import type { Mount } from './mounts.ts';
import type { OwnerOnly, OwnerOnlyFolder, Place } from './owner-only.ts';
import { linkMounts, programPlaces } from './programs.ts';
import { realPath } from './real-path.ts';

/** What is the same for all attempts of an agent. All paths absolute; they may lead through symbolic links. */
export interface SurroundingsRequest {
  readonly projectDir: string;
  readonly rootDirs: readonly string[];
  /** `HOME` of the command. */
  readonly home: string | undefined;
  readonly homes: readonly string[];
  /** `PATH` of the command. */
  readonly path: string;
  readonly commandFile: string;
  /** Absolute paths of other programs that it needs. */
  readonly programs: readonly string[];
}

export interface Surroundings {
  readonly mounts: readonly Mount[];
  /** Real paths: of project and roots; of folders that are hidden; of installations that are shown. */
  readonly seen: readonly string[];
  readonly hidden: readonly string[];
  readonly prefixes: readonly string[];
  readonly scratch: readonly string[];
  readonly home: string | undefined;
}

export interface ViewRequest extends SurroundingsRequest {
  readonly stateDir: string;
  /** The job's folder: always writable. */
  readonly workDir: string;
  /** The inputs: visible even where their like is not. */
  readonly inputs: readonly string[];
  readonly workspaceDir?: string;
  /** A copy of a tree, in the job's folder. */
  readonly copyDir?: string;
  readonly write: readonly string[];
  /** Places of the program's own, in the home: written where they exist. */
  readonly ownPlaces: readonly string[];
  /** Never written, even inside of `write`: results, the configuration. */
  readonly protectedPaths: readonly string[];
  /** Nor are these, as far as they are there. */
  readonly gitPaths: readonly string[];
  /** Shown read-only although they lie in the state folder, or elsewhere where nothing is seen. */
  readonly shownPaths: readonly string[];
  /** Those after the program itself. */
  readonly words: readonly string[];
}

export interface View {
  readonly mounts: readonly Mount[];
  /** Where files that only their owner may read are looked for. */
  readonly places: readonly Place[];
  /** The same of the copy that it works on: as hidden there as they are in the tree. */
  readonly copied: readonly Place[];
  /** Real paths that are never hidden as such files. */
  readonly needed: ReadonlySet<string>;
  /** Real paths of the program's own places: nothing in them is hidden. */
  readonly own: readonly string[];
  /** A writable folder for temporary files. */
  readonly tmp: string;
  /** Undefined: there is no place for the home that is named; it gets one in `tmp`. */
  readonly home: string | undefined;
}

/** Folders for everybody's temporary files. */
const scratch = ['/tmp', '/var/tmp'];
/** Other people's homes, and sockets of services: one of them may lead to the whole machine (a container daemon's). */
const closed = ['/home', '/root', '/run', '/var/run'];
/** What follows the name of a service is looked up through these, where they lie in `/run`. */
const nameService = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/localtime'];
const scripts = /^\.(py|js|mjs|cjs|ts|mts|sh|bash|rb|pl|php|lua|r|jar|jq|awk|sed)$/i;
const coveredAbove = 64;
const coveredAboveInAll = 400;

/** A place that cannot be shown as asked for. */
export class ViewProblem extends Error {
  readonly fix: string;

  constructor(message: string, fix: string) {
    super(message);
    this.fix = fix;
  }
}

export function surroundingsOf(request: SurroundingsRequest): Surroundings {
  const mounts: Mount[] = [
    { kind: 'system', path: '/dev' },
    { kind: 'system', path: '/proc' },
  ];
  const hide = (path: string, writable: boolean): string[] => {
    const found = realPath(path);
    if (found === undefined || !found.stat.isDirectory()) return [];
    mounts.push({ kind: 'empty', path: found.path, writable });
    return [found.path];
  };
  const hidden = [
    ...scratch.flatMap((path) => hide(path, true)),
    ...closed.flatMap((path) => hide(path, false)),
    ...request.homes.filter((path) => path !== '/').flatMap((path) => hide(path, true)),
  ];
  const seen = [request.projectDir, ...request.rootDirs].flatMap((path) => show(mounts, path, 'visible'));
  for (const path of nameService) show(mounts, path, 'visible');
  const path = request.path.split(':').filter((folder) => isAbsolute(folder));
  const programs = programPlaces(
    path,
    [request.commandFile, ...request.programs],
    hidden,
    request.homes.flatMap(realOf),
  );
  mounts.push(...programs.mounts);
  const home = homeIn(request.home, hidden, mounts);
  return { mounts, seen, hidden, prefixes: programs.prefixes, scratch: scratch.flatMap(realOf), home };
}

/** @throws {ViewProblem} when a folder to write to leads elsewhere, or what is protected could be replaced. */
export function viewOf(around: Surroundings, request: ViewRequest): View {
  const mounts = [...around.mounts];
  const files = [...request.inputs, ...request.shownPaths].flatMap((path) => show(mounts, path, 'visible'));
  if (request.workspaceDir !== undefined) show(mounts, request.workspaceDir, 'visible');
  for (const path of request.write) show(mounts, writablePlace(path, request), 'writable');
  const own = request.ownPlaces.flatMap((path) => show(mounts, path, 'writable'));
  for (const path of [...request.protectedPaths, ...request.gitPaths]) show(mounts, path, 'protected');
  refuseLoose(request.protectedPaths, mounts);
  const state = realPath(request.stateDir);
  if (state !== undefined) mounts.push({ kind: 'hidden', path: state.path, is: 'folder' });
  show(mounts, request.workDir, 'writable');
  mounts.push(...hiddenHomeEntries(mounts, around.hidden).filter(({ path }) => !own.includes(path)));
  const needed = [
    request.commandFile,
    ...request.words.filter(isScript).map((word) => inProject(request, word)),
  ];
  const isShown = (dir: string) =>
    mounts.some((m) => m.path === dir && m.kind !== 'empty' && m.kind !== 'link');
  return {
    mounts,
    places: [
      ...around.seen.map((dir) => ({ dir, depth: 64 })),
      { dir: '/etc', depth: 3 },
      ...around.prefixes.map((dir) => ({ dir, depth: 2 })),
    ],
    copied: (request.copyDir === undefined ? [] : realOf(request.copyDir)).map((dir) => ({ dir, depth: 64 })),
    needed: new Set([...files, ...own, ...needed.flatMap(realOf)]),
    own,
    tmp: around.scratch.find((dir) => !isShown(dir)) ?? '/dev/shm',
    home: around.home,
  };
}

/**
 * What is mounted at the end of a link protects that place, and not the link: nothing can be mounted on one. Looking after
 * the attempt whether it is still the same was rejected: others read what stands there while it runs.
 * @throws {ViewProblem}
 */
function refuseLoose(paths: readonly string[], mounts: readonly Mount[]): void {
  const writable = mounts.filter(({ kind }) => kind === 'writable').map(({ path }) => path);
  for (const path of paths)
    for (const link of realPath(path)?.links ?? []) {
      if (!writable.some((folder) => contains(folder, link.path))) continue;
      const message = `"${path}" cannot be protected: "${link.path}" is a symbolic link in a folder that the agent may write to, so that it could be replaced`;
      throw new ViewProblem(
        message,
        'Put what it leads to in the place of the link, or let the configuration name that itself. An agent CLI can also be given a folder of its own, with a log-in there, by its variable under `env` (CLAUDE_CONFIG_DIR, CODEX_HOME).',
      );
    }
}

function show(mounts: Mount[], path: string, kind: 'visible' | 'writable' | 'protected'): string[] {
  const found = realPath(path);
  if (found === undefined) return [];
  mounts.push(...linkMounts(found), { kind, path: found.path });
  return [found.path];
}

/** A home that does not exist yet is made where its folder is a private one; elsewhere there is no place for it. */
function homeIn(home: string | undefined, hidden: readonly string[], mounts: Mount[]): string | undefined {
  if (home === undefined || !isAbsolute(home)) return undefined;
  if (realPath(home) !== undefined) return home;
  if (!hidden.some((folder) => contains(folder, home))) return undefined;
  mounts.push({ kind: 'empty', path: home, writable: true });
  return home;
}

/** What is hidden of the files that only their owner may read. */
export function hiddenMounts({ folders, states }: OwnerOnly, { needed, own, mounts }: View): Mount[] {
  const hidden: Mount[] = states.map((path) => ({ kind: 'hidden', path, is: 'folder' }));
  const writable = mounts.filter(({ kind }) => kind === 'writable').map(({ path }) => path);
  let count = 0;
  for (const folder of folders) {
    if (own.some((place) => contains(place, folder.path))) continue;
    const files = folder.files.filter((name) => !needed.has(join(folder.path, name)));
    count += files.length;
    if (files.length > coveredAbove || count > coveredAboveInAll) {
      hidden.push(...covered(folder, needed, writable));
      continue;
    }
    for (const name of files) hidden.push({ kind: 'hidden', path: join(folder.path, name), is: 'file' });
  }
  return hidden;
}

/** One mount for each of very many files would take seconds: the folder is hidden, and what is not secret in it shown. */
function covered(folder: OwnerOnlyFolder, needed: ReadonlySet<string>, writable: readonly string[]): Mount[] {
  const kind = writable.some((path) => contains(path, folder.path)) ? 'writable' : 'visible';
  const paths = folder.others.slice(0, coveredAboveInAll).map((name) => join(folder.path, name));
  const shown = [
    ...paths,
    ...folder.files.map((name) => join(folder.path, name)).filter((p) => needed.has(p)),
  ];
  return [
    { kind: 'hidden', path: folder.path, is: 'folder' },
    ...shown.map((path) => ({ kind, path }) as const),
  ];
}

/**
 * @throws {ViewProblem} for the state folder, and where a place of the project or of a root leads out of it: whoever may
 * write there could have made the link.
 */
function writablePlace(path: string, { projectDir, stateDir, rootDirs }: ViewRequest): string {
  const refuse = (why: string) =>
    new ViewProblem(
      `\`sandbox.write\` names "${path}", ${why}`,
      'Name the folder itself under `sandbox.write`.',
    );
  mkdirSync(fsPath(path), { recursive: true });
  const real = realPath(path)?.path;
  if (real === undefined) throw refuse('which cannot be entered');
  if (contains(realPath(stateDir)?.path ?? stateDir, real)) throw refuse('which belongs to Sluice');
  for (const dir of [projectDir, ...rootDirs]) {
    const realDir = realPath(dir)?.path ?? dir;
    if (contains(dir, path) && !contains(realDir, real))
      throw refuse(`but that leads to "${real}", outside of "${dir}"`);
  }
  return path;
}

/** A project that is a home: what begins with a dot is not the project's. */
function hiddenHomeEntries(mounts: readonly Mount[], hidden: readonly string[]): Mount[] {
  const shown = new Set(
    mounts.flatMap(({ kind, path }) => (kind === 'visible' || kind === 'writable' ? [path] : [])),
  );
  return hidden
    .filter((home) => shown.has(home) && !scratch.includes(home))
    .flatMap((home) => {
      const entries = readdirSync(fsPath(home), { withFileTypes: true, encoding: 'buffer' });
      return entries.flatMap((entry): Mount[] => {
        const name = pathFromBytes(entry.name);
        if (!name.startsWith('.') || entry.isSymbolicLink()) return [];
        return [{ kind: 'hidden', path: join(home, name), is: entry.isDirectory() ? 'folder' : 'file' }];
      });
    });
}

function isScript(word: string): boolean {
  return scripts.test(extname(word));
}

function inProject({ projectDir }: ViewRequest, word: string): string {
  return isAbsolute(word) ? word : join(projectDir, word);
}

function realOf(path: string): string[] {
  const found = realPath(path);
  return found === undefined ? [] : [found.path];
}
