/**
 * What an agent left in its `outputs/` folder, as the receipt lists it: regular files with size and checksum. Links,
 * pipes and devices are never opened and never listed: a link could make `/etc/shadow` a result. The bounds keep an
 * agent that writes a million files from holding up everybody else.
 */
import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { AppError, systemCode } from '../types/errors.ts';
import type { Output } from '../types/job.ts';
import { lookAt, walkEntries } from './move.ts';

export interface OutputBounds {
  readonly maxFiles: number;
  /** Of all files together. */
  readonly maxBytes: number;
}

const defaultBounds: OutputBounds = { maxFiles: 10_000, maxBytes: 64 * 1024 ** 3 };
const smallBytes = 256 * 1024;
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * @param clean Takes secrets out of a file, before it is read for its checksum.
 * @returns sorted by path; empty when the folder is not there, or is none: what a link in its place leads to is not of the agent.
 * @throws AppError `OUTPUT_LIMIT` when there is more than `bounds` allow, or it lies too deep.
 */
export async function collectOutputs(
  outputDir: string,
  bounds: OutputBounds = defaultBounds,
  clean: (file: string) => Promise<void> = async () => {},
): Promise<Output[]> {
  const outputs: Output[] = [];
  let bytes = 0;
  try {
    for (const { path, file, regular } of entriesOf(outputDir)) {
      if (!regular) continue;
      await clean(join(outputDir, path)).catch(ignoreGone);
      const output = await fingerprint(path, file, bounds.maxBytes - bytes);
      if (output === undefined) continue;
      bytes += output.bytes;
      if (outputs.push(output) > bounds.maxFiles || bytes > bounds.maxBytes) throw tooMuch(outputDir, bounds);
      if (outputs.length % 64 === 0) await setImmediate();
    }
  } catch (error) {
    throw systemCode(error) === 'ENAMETOOLONG' ? tooDeep(outputDir) : error;
  }
  return outputs.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function* entriesOf(outputDir: string): ReturnType<typeof walkEntries> {
  if (!lookAt(outputDir)?.isDirectory()) return;
  try {
    yield* walkEntries(outputDir);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** What is no regular file any more is not listed either. */
function ignoreGone(error: unknown): void {
  if (!['ENOENT', 'ELOOP', 'ENXIO'].includes(systemCode(error) ?? '')) throw error;
}

/** @returns undefined when it is no regular file any more, or gone: a leftover process may still be at work. */
async function fingerprint(path: string, file: Buffer, maxBytes: number): Promise<Output | undefined> {
  let fd: number;
  try {
    fd = openSync(file, openFlags);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    if (stat.size > smallBytes)
      return stat.size > maxBytes ? { path, sha256: '', bytes: stat.size } : await stream(path, file);
    const content = readFileSync(fd);
    return { path, sha256: hash('sha256', content), bytes: content.length };
  } finally {
    closeSync(fd);
  }
}

async function stream(path: string, file: Buffer): Promise<Output> {
  await using handle = await open(file, openFlags);
  const digest = createHash('sha256');
  let bytes = 0;
  for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 512 * 1024 })) {
    digest.update(chunk);
    bytes += chunk.length;
  }
  return { path, sha256: digest.digest('hex'), bytes };
}

/** No path that the system takes leads there. */
function tooDeep(outputDir: string): AppError {
  return new AppError(
    'OUTPUT_LIMIT',
    `The outputs in "${outputDir}" lie too deep: their paths are too long`,
    {
      fix: 'Let the agent pack what it writes into an archive, or write with fewer folders.',
    },
  );
}

function tooMuch(outputDir: string, bounds: OutputBounds): AppError {
  const limit = `${bounds.maxFiles} files or ${bounds.maxBytes} bytes`;
  return new AppError('OUTPUT_LIMIT', `The outputs in "${outputDir}" are more than ${limit}`, {
    fix: 'Let the agent pack what it writes into an archive, or write only what is needed.',
  });
}
