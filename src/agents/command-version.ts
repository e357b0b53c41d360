/**
 * What of a command decides its result besides its arguments: the executable's content, and that of scripts of the project
 * that stand among its arguments. Part of the cache key, so an edited `check.py` is a miss. Contents are read when a
 * file's stamp changed; a call costs a few stats. The version a command prints of itself would cost a process, and says
 * nothing about a script.
 */
import { createHash } from 'node:crypto';
import { createReadStream, type Stats, statSync } from 'node:fs';
import { isAbsolute, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fsPath } from '../types/path-bytes.ts';
import { CommandLookup } from './command-lookup.ts';

/** Above this, size and time of the last change stand for the content. */
const maxHashedBytes = 8 << 20;

interface Known {
  readonly stamp: string;
  readonly hash: string;
}

export class CommandVersions {
  readonly #known = new Map<string, Known>();
  readonly #lookup = new CommandLookup();

  /** @returns a text that changes when what would be run changes; a missing command has one too. */
  async of(command: readonly string[], path: string, projectDir: string): Promise<string> {
    const found = this.#lookup.find(command[0] ?? '', path, projectDir);
    const parts = ['file' in found ? await this.#hashOf(found.file, found.stat) : found.code];
    for (const word of command.slice(1)) {
      if (word === '' || word.includes('${{')) continue;
      const file = isAbsolute(word) ? word : join(projectDir, word);
      if (file.startsWith(projectDir + sep)) parts.push(await this.#hashOf(file));
    }
    return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
  }

  async #hashOf(file: string, stat?: Stats): Promise<string> {
    const found = stat ?? statSync(fsPath(file), { throwIfNoEntry: false });
    if (!found?.isFile()) return '';
    const stamp = `${found.dev}-${found.ino}-${found.size}-${found.mtimeMs}-${found.ctimeMs}`;
    const known = this.#known.get(file);
    if (known?.stamp === stamp) return known.hash;
    const hash = found.size > maxHashedBytes ? `${found.size}-${found.mtimeMs}` : await hashContent(file);
    this.#known.set(file, { stamp, hash });
    return hash;
  }
}

async function hashContent(file: string): Promise<string> {
  const hash = createHash('sha256');
  // Unreadable but executable is possible; then only its name counts.
  await pipeline(createReadStream(fsPath(file)), hash).catch(() => {});
  return hash.digest('hex');
}
