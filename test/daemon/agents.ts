/** Agents of the tests on limits: small shell scripts that write down that they began, and wait for the test's files. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { JobRecord } from '../../src/types/job.ts';
import type { Receipt } from '../../src/types/receipt.ts';
import type { Project } from './project.ts';

/** They write into the project, which no confined one may. */
export const unconfined = 'sandbox: { mode: off, reason: they write down that they began }';

/** A disk that is nearly full is no subject of these tests. */
export const anyDisk = 'daemon: { min_free_disk: 1MiB }\n';

/**
 * A command agent that runs `script` in the project folder, as `$1` the file relative to its root. It begins by adding
 * that as a line to `starts.log`.
 * @param more Further keys, one per line.
 */
export function script(name: string, text: string, ...more: readonly string[]): string {
  const lines = [
    `  ${name}:`,
    '    kind: command',
    `    command: [sh, -c, ${JSON.stringify(`echo "$1" >> starts.log\n${text}`)}, sh, "\${{ file.rel }}"]`,
    ...(more.some((line) => line.startsWith('sandbox:')) ? [] : [`    ${unconfined}`]),
    ...(more.some((line) => line.startsWith('retry:')) ? [] : ['    retry: { attempts: 1 }']),
    ...more.map((line) => `    ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** The line with which an agent says what it cost so far. */
export function costs(usd: number, tokens = 0): string {
  const usage = { input_tokens: tokens, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 0 };
  const event = { type: 'status', payload: { cost_usd: usd, ...(tokens > 0 && { usage }) } };
  return `echo '${JSON.stringify(event)}'`;
}

/** Lines of a file in the project folder. */
export function linesOf(project: Project, file = 'starts.log'): string[] {
  try {
    const text = readFileSync(join(project.dir, file), 'utf8').trimEnd();
    return text === '' ? [] : text.split('\n');
  } catch {
    return [];
  }
}

export function resultOf(project: Project, path: string, root = 'inbox'): string {
  return readFileSync(join(project.dir, 'processed/files', root, path, 'result.md'), 'utf8');
}

/** Jobs as the daemon tells them, newest first. */
export async function jobsOf(project: Project): Promise<readonly Receipt[]> {
  return (await project.client.get<{ jobs: readonly Receipt[] }>('/api/jobs')).jobs;
}

/** Reads the configuration file, changes it and waits for nothing: a running daemon sees it by itself. */
export function reconfigure(project: Project, change: (text: string) => string): void {
  const file = join(project.dir, 'config/orchestrator.yaml');
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(file, after);
}

/** How many receipts there are of each state. */
export function statesOf(project: Project): Partial<Record<JobRecord['state'], number>> {
  const counts: Partial<Record<JobRecord['state'], number>> = {};
  for (const { state } of project.receipts()) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** Whether a process is still there (a zombie is not). */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
