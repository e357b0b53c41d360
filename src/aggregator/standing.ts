/**
 * What stands in a result folder, and whose it is. The receipt is the title deed: without one, nothing there is known to
 * be ours. Names that are folders or links where a file should be are seen as such, never opened.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Output } from '../types/job.ts';
import { pathToBytes } from '../types/path-bytes.ts';
import type { Receipt } from '../types/receipt.ts';
import { below, lookAt } from './move.ts';
import { outputsName, pendingName, receiptName, resultName, reviewsName } from './places.ts';
import { parseReceipt } from './receipt.ts';

export type Kind = 'none' | 'file' | 'folder' | 'other';

export interface Standing {
  readonly result: Kind;
  /** Size of `result.md`; 0 unless it is a file. */
  readonly resultBytes: number;
  readonly outputs: Kind;
  readonly reviews: Kind;
  readonly receipt: Kind;
  readonly pending: Kind;
  /** From the receipt; where there is none, from the pending one: a placing that was cut short. */
  readonly owner?: Receipt;
}

/** Above this it is no receipt of ours: 10,000 outputs take 3 MiB. */
const maxReceiptBytes = 32 * 1024 * 1024;

export function lookInto(folder: string): Standing {
  const result = lookAt(join(folder, resultName));
  const receipt = kindOf(join(folder, receiptName));
  const pending = kindOf(join(folder, pendingName));
  const owner =
    (receipt === 'file' ? readReceipt(join(folder, receiptName)) : undefined) ??
    (pending === 'file' ? readReceipt(join(folder, pendingName)) : undefined);
  return {
    result:
      result === undefined ? 'none' : result.isFile() ? 'file' : result.isDirectory() ? 'folder' : 'other',
    resultBytes: result?.isFile() ? result.size : 0,
    outputs: kindOf(join(folder, outputsName)),
    reviews: kindOf(join(folder, reviewsName)),
    receipt,
    pending,
    ...(owner !== undefined && { owner }),
  };
}

/** @returns undefined when it is missing, torn, not ours, or not a regular file. */
export function readReceipt(file: string): Receipt | undefined {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= maxReceiptBytes ? parseReceipt(readFileSync(fd, 'utf8')) : undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** Which of the folders beside it are its own: the others hold results of inputs further down. */
export function ownsFolder(owner: Receipt | undefined, name: string): boolean {
  if (name === outputsName) return owner !== undefined && owner.outputs.length > 0;
  return name === reviewsName && owner?.reviews !== undefined;
}

/** Everything the receipt lists is there in full size. Contents are not read: that is what checksums in it are for. */
export function isWhole(folder: string, receipt: Receipt): boolean {
  if (receipt.result_bytes !== undefined && lookAt(join(folder, resultName))?.isFile() !== true) return false;
  return hasOutputs(join(folder, outputsName), receipt.outputs);
}

export function hasOutputs(outputsDir: string, outputs: readonly Output[]): boolean {
  return outputs.every((output) => {
    const stat = lookAt(outputFile(outputsDir, output.path));
    return stat?.isFile() === true && stat.size === output.bytes;
  });
}

/** An output as bytes: its name may be no text, while the folder's name is text of ours. */
export function outputFile(outputsDir: string, path: string): Buffer {
  return below(Buffer.from(outputsDir), pathToBytes(path));
}

function kindOf(path: string): Kind {
  const stat = lookAt(path);
  if (stat === undefined) return 'none';
  return stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other';
}
