/**
 * Where the result of an input stands: `files/<root name>/<path of the input>/`, of a step of a run (its root is '') below
 * `workflows/`. Pure. Paths are data: one that cannot
 * be a folder as it is (too long for the file system, `..`, an empty name) goes to `files/<root>/~long/<sha256 of the
 * path>/` instead; its receipt says what it belongs to. Shortening such names was rejected: two could become one.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { folderName } from './runs/places.ts';

/** The five names that a result takes in its folder. Anything else there belongs to inputs further down. */
export const resultName = 'result.md';
export const outputsName = 'outputs';
/** What other agents said of it: only of work that was reviewed. */
export const reviewsName = 'reviews';
export const receiptName = 'receipt.json';
/** The receipt before its result is in place. It says whose half-placed files these are, should we die in between. */
export const pendingName = '.receipt.tmp';

const maxNameBytes = 255;
/** Of PATH_MAX (4096; macOS 1024), leaving room for the outputs below. */
const maxFolderBytes = process.platform === 'linux' ? 3072 : 700;
/** An empty name, `.` or `..`; or a NUL. */
const unsafe = /(?:^|\/)\.{0,2}(?=\/|$)|\0/;

/**
 * The folder's names below the output folder, from `files` on.
 * @param base The output folder: its length counts.
 */
export function resultPlace(base: string, root: string, path: string): readonly string[] {
  const isStep = root === '';
  const parts = isStep ? path.split('/').map(folderName) : path.split('/');
  const plain = [...baseOf(root), ...parts];
  if (isStep) return plain;
  if (unsafe.test(path) || parts.some(isTooLong)) return longPlace(root, path);
  return Buffer.byteLength(join(base, ...plain)) > maxFolderBytes ? longPlace(root, path) : plain;
}

/** Where it stands instead; also when the file system itself refuses the plain place as too long. */
export function longPlace(root: string, path: string): readonly string[] {
  return [...baseOf(root), '~long', sha256(path)];
}

function baseOf(root: string): readonly string[] {
  return root === '' ? ['workflows'] : ['files', rootFolder(root)];
}

/** The folder of a root: its name, unless that could lead elsewhere. */
export function rootFolder(root: string): string {
  return unsafe.test(root) || root.includes('/') || isTooLong(root)
    ? `~root-${sha256(root).slice(0, 32)}`
    : root;
}

function isTooLong(name: string): boolean {
  return name.length * 3 > maxNameBytes && Buffer.byteLength(name) > maxNameBytes;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
