/**
 * The `result.md` of a job without a result of its own: what failed, what to do, and the last lines of its output. Pure
 * but for reading those lines. Messages and output are data: they stand in fences longer than any fence in them, and
 * control characters are taken out, so that a terminal or a viewer shows them as they are.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { JobRecord } from '../types/job.ts';
import { agentWords } from '../types/step-task.ts';
import { shownName } from './shown-name.ts';

export interface Tail {
  readonly title: string;
  readonly text: string;
}

const tailBytes = 4096;
const tailLines = 40;

/** @param tails Redacted already. */
export function failurePage(job: JobRecord, tails: readonly Tail[]): string {
  const parts = [`# Failed: ${escapeMarkdown(shownName(job.input.path))}`];
  const attempts = job.attempts.length === 1 ? '1 attempt' : `${job.attempts.length} attempts`;
  parts.push(
    `The job for this file failed with **${job.reason ?? 'unknown'}** after ${attempts} ` +
      `(agent ${code(agentWords(job.agent))}, rule ${code(job.rule)}).`,
  );
  if (job.message) parts.push(`## What happened\n\n${fence(job.message)}`);
  const again = `Then run \`sluice jobs retry ${job.id}\`.`;
  parts.push(`## What to do\n\n${job.fix ? `${fence(job.fix)}\n\n` : ''}${again}`);
  for (const tail of tails) parts.push(`## ${tail.title}\n\n${fence(tail.text)}`);
  parts.push('Everything that is known of it stands in `receipt.json` beside this file.');
  return `${parts.join('\n\n')}\n`;
}

/** For a cached job whose earlier result is gone in the meantime. */
export function lostResultPage(job: JobRecord): string {
  return (
    `# The earlier result is gone: ${escapeMarkdown(shownName(job.input.path))}\n\n` +
    `This file has the content of one that was processed before, by job ${code(job.cachedFrom ?? '')}, but the result of ` +
    'that job was removed.\n\n' +
    'To make it again, run `sluice run --force` with the path of this file.\n'
  );
}

/** The last lines of what the attempt wrote; empty for what it did not write. */
export function readTails(workDir: string, redact: (text: string) => string): Tail[] {
  const files = [
    { title: 'Last lines of its errors', name: 'stderr' },
    { title: 'Last lines of its output', name: 'stdout' },
    // What the output becomes when the attempt has ended by itself, its events taken out.
    { title: 'Last lines of its output', name: 'result.md' },
  ];
  return files
    .map(({ title, name }) => ({ title, text: redact(readTail(join(workDir, name))) }))
    .filter(({ text }) => text.trim() !== '');
}

function readTail(file: string): string {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return '';
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return '';
    const at = Math.max(0, stat.size - tailBytes);
    const buffer = Buffer.alloc(Math.min(stat.size, tailBytes));
    const length = readSync(fd, buffer, 0, buffer.length, at);
    const lines = buffer.toString('utf8', 0, length).trimEnd().split('\n');
    // A first line that was cut through could hold the tail of a secret, unknown to redaction.
    return (at > 0 && lines.length > 1 ? lines.slice(1) : lines).slice(-tailLines).join('\n');
  } catch {
    return '';
  } finally {
    closeSync(fd);
  }
}

function fence(text: string): string {
  const plain = stripVTControlCharacters(text)
    .replace(/\r\n?/g, '\n')
    .replace(/(?![\t\n])\p{Cc}/gu, '\ufffd');
  const longest = Math.max(2, ...(plain.match(/`+/g) ?? []).map((run) => run.length));
  const bars = '`'.repeat(longest + 1);
  return `${bars}text\n${plain.trimEnd()}\n${bars}`;
}

function code(text: string): string {
  return `\`${shownName(text).replaceAll('`', "'")}\``;
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|!&]/g, '\\$&');
}
