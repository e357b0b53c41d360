/**
 * What one attempt made for many files, divided among them: the agent may say it line by line in
 * `$SLUICE_OUTPUT_DIR/results.jsonl`; what it does not say follows from the names of the outputs. Each job then has a
 * work folder of its own, as if it had been run alone, and everything after that knows nothing of batches.
 *
 * Can be done again after a crash in the middle, while the first job is not concluded: outputs are moved by rename, so
 * each is in exactly one folder, and what the agent said is kept beside them.
 */
import {
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Lease } from '../ledger/ledger.ts';
import type { CallInput } from '../types/agent.ts';
import type { Output } from '../types/job.ts';
import { fsPath } from '../types/path-bytes.ts';
import type { WorkFolder, WorkFolders } from './work-folders.ts';

export const RESULTS_FILE = 'results.jsonl';
const MAX_RESULTS_BYTES = 64 << 20;

/** One line of `results.jsonl`, about one file. */
export interface FileResult {
  readonly state: 'succeeded' | 'failed';
  /** For a failure: why, in words. */
  readonly message?: string;
  /** The result text of this file; absent: that of the whole attempt. */
  readonly result?: string;
  /** Relative to the output folder, with `/`. */
  readonly outputs?: readonly string[];
}

/**
 * Reads the file that the agent may have left, and takes it out of the outputs.
 * @returns by the input's path; lines that are no such thing, or about another file, are counted in `strange`.
 */
export function readFileResults(
  { workDir, outputDir }: WorkFolder,
  inputs: readonly CallInput[],
): { readonly results: ReadonlyMap<string, FileResult>; readonly strange: number } {
  const results = new Map<string, FileResult>();
  const kept = join(workDir, RESULTS_FILE);
  // A link in its place leads to what is not of the agent, and that stays where it is.
  const isFolder = lstatSync(outputDir, { throwIfNoEntry: false })?.isDirectory();
  if (isFolder && lstatSync(join(outputDir, RESULTS_FILE), { throwIfNoEntry: false })?.isFile()) {
    rmSync(kept, { force: true, recursive: true });
    renameSync(join(outputDir, RESULTS_FILE), kept);
  }
  const text = readBounded(kept);
  if (text === undefined) return { results, strange: 0 };
  const byName = new Map<string, string>();
  for (const { path, file } of inputs) {
    byName.set(path, path);
    byName.set(file, path);
  }
  let strange = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const found = parseLine(line);
    const path = found && byName.get(found.file);
    if (found && path !== undefined) results.set(path, found.result);
    else strange++;
  }
  return { results, strange };
}

function parseLine(line: string): { file: string; result: FileResult } | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { file, state, message, result, outputs } = value;
  if (typeof file !== 'string' || (state !== 'succeeded' && state !== 'failed')) return undefined;
  return {
    file,
    result: {
      state,
      ...(typeof message === 'string' && { message }),
      ...(typeof result === 'string' && { result }),
      ...(Array.isArray(outputs) && { outputs: outputs.filter((name) => typeof name === 'string') }),
    },
  };
}

/** Which file each output is of: as the agent says, else the longest name it begins with; undefined: nobody's. */
export function ownersOf(
  outputs: readonly Pick<Output, 'path'>[],
  paths: readonly string[],
  results: ReadonlyMap<string, FileResult>,
): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const [path, { outputs: said = [] }] of results) for (const name of said) owners.set(name, path);
  const byBeginning = new Map<string, string | undefined>();
  // Two files of one stem: the name says nothing.
  for (const path of paths)
    for (const beginning of beginningsOf(path))
      byBeginning.set(beginning, byBeginning.has(beginning) ? undefined : path);
  for (const { path } of outputs) {
    if (owners.has(path)) continue;
    const owner = longestBeginning(path, byBeginning);
    if (owner !== undefined) owners.set(path, owner);
  }
  return owners;
}

/** `photos/a.jpg` → itself, `a.jpg`, `photos/a`, `a`. */
function beginningsOf(path: string): ReadonlySet<string> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.length - dot : 0;
  return new Set([
    path,
    name,
    path.slice(0, path.length - extension),
    name.slice(0, name.length - extension),
  ]);
}

/** A beginning ends where a word ends: `a.jpg` begins `a.jpg.txt` and `a.jpg/1`, not `a.jpgs`. */
function longestBeginning(
  output: string,
  byBeginning: ReadonlyMap<string, string | undefined>,
): string | undefined {
  for (let end = output.length; end > 0; end--) {
    const next = output[end];
    if (next !== undefined && /[A-Za-z0-9]/.test(next)) continue;
    const owner = byBeginning.get(output.slice(0, end));
    if (owner !== undefined) return owner;
  }
  return undefined;
}

export interface Division {
  readonly work: Pick<WorkFolders, 'place'>;
  /** All jobs of the attempt. */
  readonly leases: readonly Lease[];
  /** Those that get something of it. What is of another is nobody's. */
  readonly left: readonly Lease[];
  /** Of the whole attempt, in the folder of the first job. */
  readonly resultFile: string | undefined;
  /** What stands in the first job's output folder now. */
  readonly outputs: readonly Output[];
  readonly results: ReadonlyMap<string, FileResult>;
}

/** Gives every job its own work folder with `result.md` and `outputs/`. Outputs of no file are the first one's. */
export function divide({ work, leases, left, resultFile, outputs, results }: Division): void {
  const placeOf = ({ job, token }: Lease): WorkFolder => work.place(job.id, token);
  const [leader] = leases as readonly [Lease, ...Lease[]];
  const from = placeOf(leader);
  const paths = leases.map(({ job }) => job.input.path);
  const owners = ownersOf(outputs, paths, results);
  const places = new Map(leases.map((lease) => [lease.job.input.path, placeOf(lease)]));
  const gone = new Set(leases.filter((lease) => !left.includes(lease)).map(({ job }) => job.input.path));
  const first = left.includes(leader) ? leader : left[0];
  for (const { path: output } of outputs) {
    const owner = owners.get(output) ?? first?.job.input.path;
    const place = owner === undefined ? undefined : places.get(owner);
    if (!place || owner === undefined || gone.has(owner)) rmSync(fsPath(join(from.outputDir, output)));
    else if (place.outputDir !== from.outputDir) {
      const target = join(place.outputDir, output);
      mkdirSync(fsPath(dirname(target)), { recursive: true, mode: 0o700 });
      renameSync(fsPath(join(from.outputDir, output)), fsPath(target));
    }
  }
  // The first one's last: until then its folder has the result of all.
  for (const lease of left.toSorted((a, b) => Number(a === leader) - Number(b === leader))) {
    const place = placeOf(lease);
    mkdirSync(place.outputDir, { recursive: true, mode: 0o700 });
    const own = results.get(lease.job.input.path)?.result;
    const file = join(place.workDir, 'result.md');
    if (own !== undefined) writeFileSync(file, own, { mode: 0o600 });
    else if (resultFile !== undefined && file !== resultFile && !existsSync(file)) {
      copyFileSync(resultFile, `${file}.part`, constants.COPYFILE_FICLONE);
      renameSync(`${file}.part`, file);
    }
  }
}

function readBounded(file: string): string | undefined {
  const size = lstatSync(file, { throwIfNoEntry: false });
  if (!size?.isFile() || size.size > MAX_RESULTS_BYTES) return undefined;
  return readFileSync(file, 'utf8');
}
