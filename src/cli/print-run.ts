/** The outcome of a run, for people: one line of counts, then what failed and what to do. */
import type { RunReport } from '../operations/run.ts';
import { formatElapsed } from '../types/elapsed.ts';
import { printableName } from '../types/printable-name.ts';
import { untilWords } from './job-words.ts';
import { paint } from './paint.ts';

/** @param stopped What is said of a run that somebody stopped; absent: it has ended. */
export function printRun(report: RunReport, stopped?: string): void {
  const { files, problems, problems_total: total, duration_ms: durationMs, error } = report;
  const counts = [
    [files.succeeded, 'succeeded', 'green'],
    [files.cached, 'cached', 'green'],
    [files.unchanged, 'unchanged', 'dim'],
    [files.failed, 'failed', 'red'],
    [files.quarantined, 'quarantined', 'yellow'],
    [files.ignored, 'ignored', 'dim'],
    [files.unrouted, 'unrouted', 'yellow'],
    [files.cancelled, 'gone', 'dim'],
    [files.held, 'held', 'yellow'],
    [files.open - files.held, 'waiting', 'yellow'],
  ] as const;
  const said = counts.filter(([n]) => n > 0).map(([n, word, color]) => paint(color, `${n} ${word}`));
  const took = formatElapsed(durationMs);
  process.stdout.write(
    `${files.found} ${files.found === 1 ? 'file' : 'files'} in ${took}: ${said.join(', ') || 'nothing to do'}\n`,
  );
  for (const problem of problems) {
    const { root, path, job_id: job, state, reason, message, fix, waits_until: until } = problem;
    const name = `${root}/${printableName(path)}`;
    process.stdout.write(`\n${paint('red', state)}  ${name}  ${reason ?? ''}${untilWords(until)}\n`);
    if (message) process.stdout.write(`  ${message}\n`);
    if (fix) process.stdout.write(`  fix: ${fix}\n`);
    process.stdout.write(`  ${paint('dim', `sluice jobs show ${job.slice(0, 8)}`)}\n`);
  }
  if (total > problems.length)
    process.stdout.write(`\n… and ${total - problems.length} more: sluice jobs list --state failed\n`);
  if (stopped !== undefined) process.stdout.write(`\nstopped: ${stopped}\n`);
  if (error !== undefined && stopped === undefined) process.stderr.write(`sluice: ${error}\n`);
}
