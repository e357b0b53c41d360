/**
 * Makes the files of a result ready to be put in place by renames alone: what the agent left in its work folder where
 * that lies on the same file system, else (and for an earlier result, which stays as it is) copies in
 * `<output>/.tmp/<job id>/`. Only regular files that the job lists are delivered. A file that has a second name is
 * copied too: an agent can hard-link its input into its outputs, and our mode, or a person's edit, would change the
 * original.
 */
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Output } from '../types/job.ts';
import { copyTo, copyTree, lookAt, walkEntries } from './move.ts';
import { outputsName, resultName, reviewsName } from './places.ts';
import { outputFile } from './standing.ts';

/** Files that can be renamed into a result folder. Absent: nothing to put; what stands there already stays. */
export interface Parcel {
  readonly result?: { readonly file: string; readonly bytes: number };
  readonly outputsDir?: string;
  readonly reviewsDir?: string;
}

export interface Parcels {
  /** What an attempt left. Called again after a crash it gives what was not put in place yet. */
  fromWork(jobId: string, workDir: string, outputs: readonly Output[]): Promise<Parcel>;
  fromResult(
    jobId: string,
    from: { readonly resultFile?: string; readonly outputsDir?: string; readonly reviewsDir?: string },
    outputs: readonly Output[],
  ): Promise<Parcel>;
  fromText(jobId: string, text: string): Parcel;
  /** What was said of the work of a job: `<work>/<job>/reviews`, where it is. */
  reviewsOf(jobDir: string): Pick<Parcel, 'reviewsDir'>;
  /** Removes what is left of a job's staging. */
  discard(jobId: string): void;
}

/** @param o.base Gives the real path of the output folder. */
export function createParcels(o: {
  readonly base: () => string;
  readonly fileMode: number;
  readonly folderMode: number;
}): Parcels {
  const stagingOf = (jobId: string): string => join(o.base(), '.tmp', jobId);

  const makeStaging = (jobId: string): string => {
    const staging = stagingOf(jobId);
    // A link planted here would lead what we stage elsewhere.
    for (const dir of [dirname(staging), staging]) if (lookAt(dir)?.isDirectory() === false) rmSync(dir);
    mkdirSync(staging, { recursive: true, mode: 0o700 });
    return staging;
  };

  const copyResult = async (jobId: string, from: string, bytes: number): Promise<Parcel['result']> => {
    const file = join(makeStaging(jobId), resultName);
    await copyTo(from, file, o.fileMode, bytes);
    return { file, bytes };
  };

  const copyOutputs = async (
    jobId: string,
    from: string,
    outputs: readonly Output[],
  ): Promise<string | undefined> => {
    const dir = join(makeStaging(jobId), outputsName);
    rmSync(dir, { recursive: true, force: true });
    for (const { path } of outputs) {
      const file = outputFile(from, path);
      const stat = lookAt(file);
      if (!stat?.isFile()) continue;
      makeFolders(dir, path, o.folderMode);
      await copyTo(file, outputFile(dir, path), o.fileMode, stat.size);
    }
    return lookAt(dir) === undefined ? undefined : dir;
  };

  const copyReviews = async (jobId: string, from: string): Promise<string> => {
    const dir = join(makeStaging(jobId), reviewsName);
    rmSync(dir, { recursive: true, force: true });
    await copyTree(Buffer.from(from), Buffer.from(dir));
    return dir;
  };

  /** Leaves only what is listed, each file with our mode and no other name; the folder can be moved as it is then. */
  const tidy = async (jobId: string, dir: string, outputs: readonly Output[]): Promise<void> => {
    const listed = new Set(outputs.map(({ path }) => path));
    for (const { path, file, regular } of [...walkEntries(dir)]) {
      const stat = regular && listed.has(path) ? lookAt(file) : undefined;
      if (!stat?.isFile()) rmSync(file, { force: true });
      else if (stat.nlink === 1) chmodSync(file, o.fileMode);
      else {
        const copy = join(makeStaging(jobId), 'copy');
        await copyTo(file, copy, o.fileMode, stat.size);
        renameSync(copy, file);
      }
    }
    for (const folder of foldersOf(outputs)) {
      const path = outputFile(dir, folder);
      if (lookAt(path)?.isDirectory()) chmodSync(path, o.folderMode);
    }
    chmodSync(dir, o.folderMode);
  };

  return {
    async fromWork(jobId, workDir, outputs) {
      const here = lookAt(o.base())?.dev;
      const file = join(workDir, resultName);
      const stat = lookAt(file);
      let result: Parcel['result'];
      if (stat?.isFile() && stat.nlink === 1 && stat.dev === here) {
        chmodSync(file, o.fileMode);
        result = { file, bytes: stat.size };
      } else if (stat?.isFile()) result = await copyResult(jobId, file, stat.size);

      let outputsDir: string | undefined;
      const from = join(workDir, outputsName);
      const dir = outputs.length > 0 ? lookAt(from) : undefined;
      if (dir?.isDirectory() && dir.dev === here) {
        await tidy(jobId, from, outputs);
        outputsDir = from;
      } else if (dir?.isDirectory()) outputsDir = await copyOutputs(jobId, from, outputs);
      return { ...(result && { result }), ...(outputsDir !== undefined && { outputsDir }) };
    },

    async fromResult(jobId, from, outputs) {
      const { resultFile, outputsDir, reviewsDir } = from;
      const result = resultFile && (await copyResult(jobId, resultFile, lookAt(resultFile)?.size ?? 0));
      const copied = outputsDir && (await copyOutputs(jobId, outputsDir, outputs));
      const said = reviewsDir && (await copyReviews(jobId, reviewsDir));
      return {
        ...(result && { result }),
        ...(copied && { outputsDir: copied }),
        ...(said && { reviewsDir: said }),
      };
    },

    fromText(jobId, text) {
      const file = join(makeStaging(jobId), resultName);
      rmSync(file, { recursive: true, force: true });
      writeFileSync(file, text, { mode: o.fileMode, flag: 'wx' });
      chmodSync(file, o.fileMode);
      return { result: { file, bytes: Buffer.byteLength(text) } };
    },

    reviewsOf(jobDir) {
      const dir = join(jobDir, reviewsName);
      if (lookAt(dir)?.isDirectory() !== true) return {};
      chmodSync(dir, o.folderMode);
      return { reviewsDir: dir };
    },

    discard(jobId) {
      rmSync(stagingOf(jobId), { recursive: true, force: true });
    },
  };
}

/** Folders that the outputs lie in, outermost first. */
function foldersOf(outputs: readonly Output[]): string[] {
  const folders = new Set<string>();
  for (const { path } of outputs) {
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1))
      folders.add(path.slice(0, at));
  }
  return [...folders];
}

function makeFolders(dir: string, path: string, mode: number): void {
  const folders = [
    Buffer.from(dir),
    ...foldersOf([{ path, sha256: '', bytes: 0 }]).map((folder) => outputFile(dir, folder)),
  ];
  for (const folder of folders) {
    if (lookAt(folder) !== undefined) continue;
    mkdirSync(folder);
    chmodSync(folder, mode);
  }
}
