/** Who is left of a project, by all the marks that its processes carry: also those that cleared their environment. Linux only. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectVariable, readMark, readVariable, spawnerVariable } from '../../src/agents/spawner/mark.ts';
import { type ProcessRow, readProcessTable } from '../../src/agents/spawner/process-table.ts';

const isAlive = ({ state }: ProcessRow): boolean => state !== 'Z' && state !== 'X';

export function marksOf({ dir }: { readonly dir: string }): ProcessRow[] {
  const tag = hash('sha256', join(dir, '.sluice'), 'hex').slice(0, 16);
  const isOurs = ({ pid }: ProcessRow): boolean =>
    readVariable(pid, projectVariable) === tag ||
    readVariable(pid, spawnerVariable) === tag ||
    (readMark(pid, tag)?.seq ?? 0) > 0;
  return readProcessTable().filter((row) => row.pid !== process.pid && isAlive(row) && isOurs(row));
}

/** Those of `before` that live still: not another process with a number that was used again. */
export function survivorsOf(before: readonly ProcessRow[]): ProcessRow[] {
  const now = new Map(readProcessTable().map((row) => [row.pid, row]));
  return before.filter(({ pid, start }) => {
    const row = now.get(pid);
    return row !== undefined && row.start === start && isAlive(row);
  });
}

/** Processes with this text among their arguments, wherever they hide. */
export function withArgument(text: string): number[] {
  return commandLines().flatMap(({ pid, words }) => (words.includes(text) ? [pid] : []));
}

/** Arguments that hold this text: whoever is on the machine can read them. */
export function argumentsWith(text: string): string[] {
  return commandLines().flatMap(({ words }) => words.filter((word) => word.includes(text)));
}

function commandLines(): { readonly pid: number; readonly words: readonly string[] }[] {
  return readProcessTable()
    .filter((row) => row.pid !== process.pid && isAlive(row))
    .flatMap(({ pid }) => {
      try {
        return [{ pid, words: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0') }];
      } catch {
        return [];
      }
    });
}
