/**
 * Where a run stands in the output folder: `workflows/<workflow>/<run id>/`, with its reports, and below it
 * `steps/<step>[/<index>]/`, laid out as the result of a file. Pure. Names are data: one that cannot be a folder as it is
 * gets a name made from its checksum; the report says what it belongs to.
 */
import { createHash } from 'node:crypto';

export const reportNames = { html: 'report.html', markdown: 'report.md', json: 'report.json' } as const;

const maxNameBytes = 255;

export interface RunRef {
  readonly id: string;
  readonly workflow: string;
}

/** Names below the output folder, from `workflows` on. */
export function runPlace(run: RunRef): readonly string[] {
  return ['workflows', folderName(run.workflow), folderName(run.id)];
}

/** @param stepId Of a step record or task: `lint`, and `lint[3]` for an item. */
export function stepPlace(run: RunRef, stepId: string): readonly string[] {
  return [...runPlace(run), ...belowRun(stepId)];
}

/** The same, from the run's folder on: what links in its reports are made of. */
export function belowRun(stepId: string): readonly string[] {
  const item = /^(.+)\[(\d{1,9})\]$/su.exec(stepId);
  if (item === null) return ['steps', folderName(stepId)];
  return ['steps', folderName(item[1] as string), item[2] as string];
}

/** Link to the report of a run from a folder below the output folder. */
export function linkToRun(from: readonly string[], run: RunRef): string {
  const names = [...runPlace(run), reportNames.html].map((name) => encodeURIComponent(name.toWellFormed()));
  return [...from.map(() => '..'), ...names].join('/');
}

/** A single folder: never empty, never `.` or `..`, no separator, not longer than file systems take. */
export function folderName(name: string): string {
  const unsafe = /^\.{0,2}$|[/\\\0]|^~/.test(name) || Buffer.byteLength(name) > maxNameBytes;
  return unsafe ? `~${createHash('sha256').update(name).digest('hex').slice(0, 32)}` : name;
}
