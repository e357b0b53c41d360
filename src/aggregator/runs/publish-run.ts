/**
 * Puts the reports of a run in place: each by one rename, `report.json` last, so that a report that is there says that the
 * others are. Every folder on the way must be a real one: a link that was planted there would lead our writes elsewhere.
 * They are made anew from the ledger each time; calling it again changes nothing but the time in them.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../types/errors.ts';
import type { RunId, RunRecord } from '../../types/run.ts';
import type { Folders } from '../folders.ts';
import { lookAt } from '../move.ts';
import { runMarkdown } from './markdown.ts';
import { runReport } from './model.ts';
import { runPage } from './page.ts';
import { type RunRef, reportNames, runPlace, stepPlace } from './places.ts';
import { type RunReader, readRun } from './read-run.ts';
import type { RunReport } from './report.ts';

export interface RunPublishing {
  readonly reader: RunReader;
  readonly folders: Folders;
  readonly fileMode: number;
}

/** @returns the report; undefined when there is no such run. */
export async function reportRun(
  o: Pick<RunPublishing, 'reader' | 'folders'>,
  id: RunId,
): Promise<RunReport | undefined> {
  const facts = await readRun(o.reader, id);
  if (facts === undefined) return undefined;
  await setImmediate();
  return redacted(runReport(facts, o.folders.base()), o.reader.redact);
}

/** Before anything is escaped: an escaped secret would not be recognised. */
function redacted<T>(value: T, redact: (text: string) => string): T {
  if (typeof value === 'string') return redact(value) as T;
  if (Array.isArray(value)) return value.map((one) => redacted(one, redact)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, redacted(one, redact)])) as T;
}

/** @returns false when there is no such run. */
export async function publishRun(o: RunPublishing, id: RunId): Promise<boolean> {
  const run = await o.reader.ledger.runs.get(id);
  const report = run && (await reportRun(o, id));
  if (run === undefined || report === undefined) return false;
  const { folder } = await o.folders.open(runPlace(run));
  const put = (name: string, text: string): void => putFile(folder, name, text, o.fileMode);
  // Of a run with ten thousand steps each of these takes a tenth of a second: others have their turn in between.
  await setImmediate();
  put(reportNames.html, runPage(report));
  await setImmediate();
  put(reportNames.markdown, runMarkdown(report));
  await setImmediate();
  put(reportNames.json, `${JSON.stringify(report, undefined, 2)}\n`);
  return true;
}

/** Whether the three reports stand there, the data whole and of the run's state. */
export function isReported(base: string, run: RunRecord): boolean {
  const folder = join(base, ...runPlace(run));
  const { html, markdown, json } = reportNames;
  if (![html, markdown].every((name) => (lookAt(join(folder, name))?.size ?? 0) > 0)) return false;
  try {
    const report = JSON.parse(readFileSync(join(folder, json), 'utf8')) as Partial<RunReport> | null;
    return report?.run_id === run.id && report.state === run.state;
  } catch {
    return false;
  }
}

/** A file that a step made with our own hands: the output of a `report` step. */
export interface StepFile {
  readonly run: RunRef;
  /** `lint`, `lint[3]`. */
  readonly stepId: string;
  /** Relative to the step's `outputs/`. */
  readonly path: string;
  readonly text: string;
}

/** @returns where it stands. @throws AppError `NOT_POSSIBLE` for a path that leads out of the step's folder. */
export async function writeStepFile(
  o: RunPublishing,
  file: StepFile,
): Promise<{ readonly file: string; readonly bytes: number }> {
  const parts = file.path.split('/');
  const name = parts.at(-1) as string;
  if (!parts.every(isPlain)) {
    throw new AppError(
      'NOT_POSSIBLE',
      `The step "${file.stepId}" would write "${file.path}", outside its folder`,
      {
        fix: 'Give `output` as a relative path without `..`, with names of at most 255 bytes.',
      },
    );
  }
  const { folder } = await o.folders.open([
    ...stepPlace(file.run, file.stepId),
    'outputs',
    ...parts.slice(0, -1),
  ]);
  const text = o.reader.redact(file.text);
  putFile(folder, name, text, o.fileMode);
  return { file: join(folder, name), bytes: Buffer.byteLength(text) };
}

function isPlain(part: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return !/^\.{0,2}$|[\\\u0000-\u001f\u007f]/.test(part) && Buffer.byteLength(part) <= 240;
}

function putFile(folder: string, name: string, text: string, mode: number): void {
  const part = join(folder, `.${name}.tmp`);
  const file = join(folder, name);
  rmSync(part, { force: true, recursive: true });
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    writeFileSync(fd, text);
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
  // A folder that has the name is in the way of a rename; nothing of ours is one.
  if (lookAt(file)?.isDirectory()) rmSync(file, { recursive: true, force: true });
  renameSync(part, file);
}
