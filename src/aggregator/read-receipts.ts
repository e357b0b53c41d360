/**
 * All receipts in an output folder, as a stream: from them a ledger that was damaged is rebuilt. A receipt counts only
 * where it belongs: an agent can write a `receipt.json` among its outputs, and people copy folders.
 */
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../types/errors.ts';
import type { Receipt } from '../types/receipt.ts';
import { longPlace, receiptName, resultPlace } from './places.ts';
import { lookInto, ownsFolder } from './standing.ts';

/**
 * @param onSkipped Told of each file that has a receipt's name and is none: torn, of a newer version, or out of place.
 */
export async function* readReceipts(
  outputDir: string,
  onSkipped: (file: string, why: string) => void = () => {},
): AsyncIterable<Receipt> {
  const folders: string[][] = [['files']];
  for (let place = folders.pop(); place !== undefined; place = folders.pop()) {
    const folder = join(outputDir, ...place);
    const { owner, receipt } = lookInto(folder);
    if (receipt === 'file' && owner !== undefined) {
      if (belongs(outputDir, owner, place)) yield owner;
      else
        onSkipped(
          join(folder, receiptName),
          `it is the receipt of "${owner.input.path}" in root "${owner.input.root}"`,
        );
    } else if (receipt === 'file')
      onSkipped(join(folder, receiptName), 'it is torn, or not a receipt of this version');
    for (const name of await foldersIn(folder)) if (!ownsFolder(owner, name)) folders.push([...place, name]);
  }
}

function belongs(outputDir: string, { input }: Receipt, place: readonly string[]): boolean {
  const here = place.join('/');
  return (
    here === resultPlace(outputDir, input.root, input.path).join('/') ||
    here === longPlace(input.root, input.path).join('/')
  );
}

async function foldersIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(folder)) if (entry.isDirectory()) names.push(entry.name);
  } catch (error) {
    // Gone meanwhile, or a name that is no text and so none of ours.
    if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
  }
  return names;
}
