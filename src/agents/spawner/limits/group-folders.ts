/** Control groups as folders: made, read, emptied and removed. The same for both versions. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../../types/errors.ts';

/** The name of the group that holds all attempts of a project. */
export function projectGroup(tag: string): string {
  return `sluice-${tag.replaceAll(/[^\w.-]/g, '_')}`;
}

export function writeGroup(dir: string, file: string, value: string | number): void {
  writeFileSync(join(dir, file), String(value));
}

/** Undefined when there is no such file: the kernel is too old for it, or the group is gone. */
export function readGroup(dir: string, file: string): string | undefined {
  try {
    return readFileSync(join(dir, file), 'utf8');
  } catch {
    return undefined;
  }
}

/** The number in a line `name 123` of a group's file; without `name`, the file's only number. */
export function readNumber(dir: string, file: string, name?: string): number | undefined {
  const text = readGroup(dir, file);
  if (text === undefined) return undefined;
  const value = name === undefined ? text : new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  const number = Number.parseInt(value ?? '', 10);
  return Number.isNaN(number) ? undefined : number;
}

export function makeGroup(dir: string): void {
  try {
    mkdirSync(dir);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** False while something runs in it. */
export function removeGroup(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    return systemCode(error) === 'ENOENT';
  }
}

/**
 * Ends what runs in the groups below `dir` and removes them: an earlier daemon and its helper were killed together.
 * Groups that do not become empty at once stay for the next time. Never throws.
 */
export function clearGroups(dir: string): void {
  let names: string[];
  try {
    names = readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return;
  }
  for (const name of names) {
    const group = join(dir, name);
    if (removeGroup(group)) continue;
    for (const pid of (readGroup(group, 'cgroup.procs') ?? '').split('\n')) {
      // 0: a process that this namespace cannot see; to signal it would be to signal ourselves.
      if (Number(pid) <= 0 || Number(pid) === process.pid) continue;
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // Gone meanwhile.
      }
    }
    removeGroup(group);
  }
}
