/** Reads one folder: the names of its regular files and its folders, as strings that survive every encoding. */
import { type Dirent, readdirSync } from 'node:fs';
import { fsPath, pathFromBytes } from '../types/path-bytes.ts';

export interface FolderListing {
  /** Regular files, ignored or not. */
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

// A name with U+FFFD was not UTF-8, and one with our own escapes must be escaped: both need the bytes.
const needsBytes = /[\ufffd\uef80-\uefff]/;

/** Throws what `readdir` throws. Symbolic links, FIFOs, sockets and devices are left out. */
export function readFolder(path: string): FolderListing {
  const files: string[] = [];
  const folders: string[] = [];
  for (const entry of readdirSync(fsPath(path), { withFileTypes: true })) {
    if (needsBytes.test(entry.name)) return readFolderBytes(path);
    if (entry.isFile()) files.push(entry.name);
    else if (entry.isDirectory()) folders.push(entry.name);
  }
  return { files, folders };
}

function readFolderBytes(path: string): FolderListing {
  const entries = readdirSync(fsPath(path), {
    withFileTypes: true,
    encoding: 'buffer',
  }) as unknown as Dirent<Buffer>[];
  const files: string[] = [];
  const folders: string[] = [];
  for (const entry of entries) {
    if (entry.isFile()) files.push(pathFromBytes(entry.name));
    else if (entry.isDirectory()) folders.push(pathFromBytes(entry.name));
  }
  return { files, folders };
}
