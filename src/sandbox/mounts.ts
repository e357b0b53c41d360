/**
 * What a confined process sees, as a list of mounts over a read-only copy of the whole system. Each place may be named for
 * several reasons (the home is hidden, the project lies in it); the stronger reason wins at one path, and the deeper path
 * wins over the one around it. So nothing that was hidden is shown again by the order in which things were asked for.
 * Building the view from nothing (bind each folder that is needed) was rejected: no list of what programs need is complete.
 */
import { dirname } from 'node:path';
import { contains } from '../config/contains.ts';

/** All paths are real: absolute, without symbolic links. Strings as `types/path-bytes.ts` writes bytes. */
export type Mount =
  /** The devices and processes of its own. */
  | { readonly kind: 'system'; readonly path: '/dev' | '/proc' }
  /** An empty folder of its own, gone afterwards. */
  | { readonly kind: 'empty'; readonly path: string; readonly writable: boolean }
  /** Nothing can be read there, whatever else is said of the place. */
  | { readonly kind: 'hidden'; readonly path: string; readonly is: 'file' | 'folder' }
  | { readonly kind: 'visible'; readonly path: string }
  | { readonly kind: 'writable'; readonly path: string }
  /** Stays as it is inside of something that is writable. */
  | { readonly kind: 'protected'; readonly path: string }
  /** Another file in its place. */
  | { readonly kind: 'replaced'; readonly path: string; readonly by: string }
  /** A symbolic link to make anew where everything around it is hidden. */
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

const rank: Readonly<Record<Mount['kind'], number>> = {
  system: 7,
  link: 0,
  empty: 1,
  visible: 2,
  writable: 3,
  protected: 4,
  hidden: 5,
  replaced: 6,
};

/** The mounts that are needed, in the order in which they must be made. */
export function arrangeMounts(wanted: Iterable<Mount>): readonly Mount[] {
  const strongest = new Map<string, Mount>();
  for (const mount of wanted) {
    const known = strongest.get(mount.path);
    if (known === undefined || rank[mount.kind] >= rank[known.kind]) strongest.set(mount.path, mount);
  }
  const sorted = [...strongest.values()].toSorted(outerFirst);
  const arranged: Mount[] = [];
  const around: Mount[] = [];
  for (const mount of sorted) {
    while (around.length > 0 && !contains((around.at(-1) as Mount).path, mount.path)) around.pop();
    const outer = around.at(-1);
    if (!isNeeded(mount, outer?.kind)) continue;
    const held = outer?.kind === 'writable' && isHeld(mount) ? foldersBetween(outer.path, mount.path) : [];
    for (const one of [...held.map((path) => ({ kind: 'writable', path }) as const), mount]) {
      arranged.push(one);
      around.push(one);
    }
  }
  // What is held on the way to one place may be around another that comes before it.
  return arranged.toSorted(outerFirst);
}

/** With the slash at the end a folder sorts before everything in it. */
function outerFirst(a: Mount, b: Mount): number {
  return `${a.path}/` < `${b.path}/` ? -1 : 1;
}

/**
 * A folder that is no mount can be renamed with the mounts in it, and another one put in its place: whoever looks for the
 * configuration from outside would find that. So each folder on the way is mounted on itself, which nobody can rename.
 */
function isHeld(mount: Mount): boolean {
  return mount.kind === 'protected' || (mount.kind === 'hidden' && mount.is === 'folder');
}

/** Outer ones first. */
function foldersBetween(outer: string, path: string): string[] {
  const found: string[] = [];
  for (let at = dirname(path); at !== outer; at = dirname(at)) found.unshift(at);
  return found;
}

/** @param around What the place is in: undefined is the read-only system. */
function isNeeded({ kind, path }: Mount, around: Mount['kind'] | undefined): boolean {
  const isGone = around === 'empty' || around === 'hidden' || around === 'system';
  switch (kind) {
    case 'visible':
      return path !== '/' && isGone;
    case 'protected':
      return isGone || around === 'writable';
    case 'hidden':
      return !isGone;
    case 'link':
      return isGone;
    default:
      return true;
  }
}
