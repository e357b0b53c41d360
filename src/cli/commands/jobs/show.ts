/** `sluice jobs show`: the receipt in words and the beginning of the result; with `--follow` the live output. */

import { join } from 'node:path';
import type { Transform } from 'node:stream';
import type { JobDetail } from '../../../operations/operations.ts';
import { formatBytes } from '../../../types/bytes.ts';
import { formatDollars } from '../../../types/dollars.ts';
import { formatElapsed } from '../../../types/elapsed.ts';
import { printableName } from '../../../types/printable-name.ts';
import { AGENTS_TEST, REVIEWS } from '../../../types/step-task.ts';
import type { CommandContext } from '../../context.ts';
import { beginningOf } from '../../file-beginning.ts';
import { followJob } from '../../follow-job.ts';
import { untilSignal } from '../../follow-run.ts';
import { jobTarget } from '../../job-target.ts';
import { agentOf, shortId, stateWords, tokenWords, tookWords, workOf } from '../../job-words.ts';
import { paint } from '../../paint.ts';
import { printJson, printLine, stateColor, tell } from '../../print.ts';
import { shortTime } from '../../times.ts';
import { cliLines } from './cli-lines.ts';
import { reviewLines } from './review-lines.ts';

interface ShowOptions {
  readonly follow?: boolean;
  readonly json?: boolean;
}

const RESULT_BYTES = 2_000;
const RESULT_LINES = 30;

export async function run(
  context: CommandContext,
  [id = '']: readonly string[],
  { follow = false, json = false }: ShowOptions,
): Promise<number> {
  const target = await jobTarget(context, id);
  await using reader = await context.reader();
  const first = await reader.job(target);
  if (!follow) {
    if (json) printJson(first);
    else printJob(first);
    return 0;
  }
  const { job, hasShown } = await untilSignal((stop) =>
    live(context, () => reader.job(first.job_id), { stop, json }),
  );
  if (json) printJson(job);
  else {
    if (!hasShown) printResult(job);
    tell(`${shortId(job.job_id)} ${stateWords(job)}${job.message ? `: ${printableName(job.message)}` : ''}`);
  }
  return job.state === 'failed' ? 1 : 0;
}

async function live(
  context: CommandContext,
  job: () => Promise<JobDetail>,
  { stop, json }: { readonly stop: AbortSignal; readonly json: boolean },
) {
  const { stateDir } = await context.project();
  const redact = await redaction(context, (await job()).agent);
  const out = redact();
  const error = redact();
  // With --json stdout is for the receipt alone.
  out.on('data', (chunk: Buffer) => shown(json ? process.stderr : process.stdout, chunk));
  error.on('data', (chunk: Buffer) => shown(process.stderr, chunk));
  const followed = await followJob({
    job,
    workRoot: join(stateDir, 'work'),
    stdout: out,
    stderr: error,
    onChange: ({ state, reason }, attempt) =>
      tell(`${state}${reason ? ` (${reason})` : ''}${attempt === undefined ? '' : `, attempt ${attempt}`}`),
    stop,
  });
  await Promise.all([ended(out), ended(error)]);
  return followed;
}

async function redaction(context: CommandContext, agentName: string): Promise<() => Transform> {
  const loaded = await context.load().catch(() => undefined);
  const agent = loaded?.config.agents.get(agentName);
  if (!loaded || !agent) {
    const { PassThrough } = await import('node:stream');
    return () => new PassThrough();
  }
  const { secretTexts } = await import('../../../coordinator/attempt.ts');
  for (const text of secretTexts(agent)) await loaded.secrets.resolve(text).catch(() => {});
  return () => loaded.secrets.redactStream();
}

function ended(stream: Transform): Promise<void> {
  return new Promise((resolve) => {
    stream.once('end', () => resolve());
    stream.end();
  });
}

/** What an agent prints is data: on a terminal it must not steer it. */
function shown(stream: NodeJS.WriteStream, chunk: Buffer): void {
  if (!stream.isTTY) stream.write(chunk);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  else stream.write(chunk.toString('utf8').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, ''));
}

function printJob(job: JobDetail): void {
  const { job_id: id, input, run, rule, state, message, fix, queued_at: queuedAt } = job;
  const took = tookWords(job);
  const line = (label: string, text: string): void => printLine(`  ${label.padEnd(9)} ${text}`);
  printLine(`${paint('bold', workOf(job))}  ${paint(stateColor(state) ?? 'dim', stateWords(job))}`);
  if (message) printLine(`  ${printableName(message)}`);
  if (fix) printLine(`  fix: ${printableName(fix)}`);
  line('job', id);
  if (run?.workflow === AGENTS_TEST) line('test', `of agent ${run.step}`);
  else if (run?.workflow === REVIEWS)
    // Of a file's job, or of a run whose work it is about.
    line('about', `\`sluice ${/^[0-9a-f]{16}$/.test(run.run_id) ? 'jobs' : 'workflow'} show ${run.run_id}\``);
  else if (run) line('run', `\`sluice workflow show ${run.run_id}\``);
  else line('rule', `${printableName(rule)} → ${job.started_run ? '' : 'agent '}${agentOf(job)}`);
  if (job.started_run) line('run', `\`sluice workflow show ${job.started_run}\``);
  if (!run) line('input', `${formatBytes(input.bytes)}, sha256 ${input.sha256 || 'unknown'}`);
  line(
    'when',
    `queued ${shortTime(queuedAt)}${job.ended_at ? `, ended ${shortTime(job.ended_at)}` : ''}${took ? `, took ${took}` : ''}`,
  );
  if (job.usage) line('tokens', tokenWords(job.usage));
  if (job.cost_usd !== null) line('cost', formatDollars(job.cost_usd));
  else if (job.usage) line('cost', 'unknown');
  for (const { command } of job.asks ?? [])
    line('asks', `to run ${printableName(command)}: \`sluice jobs approve ${shortId(id)}\`, or refuse`);
  for (const { agent: earlier, reason, message: why } of job.fallbacks ?? [])
    line('before', `agent ${earlier} (${reason})${why ? `: ${printableName(why)}` : ''}`);
  for (const attempt of job.attempts) {
    line(`attempt ${attempt.n}`, attemptWords(attempt, message));
    for (const text of attempt.cli ? cliLines(attempt.cli) : []) line('', text);
  }
  if (job.outputs.length > 0)
    line(
      'outputs',
      job.outputs.map(({ path, bytes }) => `${printableName(path)} (${formatBytes(bytes)})`).join(', '),
    );
  if (job.promoted && job.promoted.length > 0)
    line('changed', job.promoted.map(({ path, change }) => `${printableName(path)} (${change})`).join(', '));
  if (job.outputs_dir) line('in', printableName(job.outputs_dir));
  if (job.work_dir) line('work', printableName(job.work_dir));
  if (job.result_file) line('result', printableName(job.result_file));
  if (job.reviews_dir) line('reviews', printableName(job.reviews_dir));
  for (const text of reviewLines(job.reviews ?? [])) printLine(`  ${text}`);
  printResult(job);
}

/** @param told What stands above already, and is not said again. */
function attemptWords(attempt: JobDetail['attempts'][number], told: string | undefined): string {
  const { outcome, exit_code: exitCode, signal, message, sandbox } = attempt;
  const tookMs = Date.parse(attempt.ended_at) - Date.parse(attempt.started_at);
  const how =
    exitCode !== undefined
      ? `exit ${exitCode}`
      : signal !== undefined
        ? `ended by ${signal}`
        : outcome.replaceAll('_', ' ');
  const { batch, agent, peak_memory_bytes: peak } = attempt;
  const with_ = batch ? `, with ${batch.files - 1} other ${batch.files === 2 ? 'file' : 'files'}` : '';
  const memory = peak === undefined ? '' : `, at most ${formatBytes(peak)}`;
  const said = message && message !== told ? `: ${printableName(message)}` : '';
  return `${agentOf({ agent })}: ${how} after ${formatElapsed(tookMs)}${with_}${memory}${confinementWords(sandbox)}${said}`;
}

/** What starts no process has nothing to confine. */
function confinementWords({ mode, backend }: JobDetail['attempts'][number]['sandbox']): string {
  if (backend === undefined && mode !== 'off') return '';
  return backend === undefined || backend === 'none' ? ', not confined' : `, confined by ${backend}`;
}

/** That of a failed job only says again what stands above. Of a held one it is what a person is to decide about. */
function printResult({ result_file: file, state }: JobDetail): void {
  const text = file === undefined || state === 'failed' ? undefined : beginningOf(file, RESULT_BYTES);
  if (text === undefined) return;
  const lines = text.replace(/\n$/, '').split('\n');
  printLine();
  // Line by line: what an agent wrote must not steer the terminal.
  for (const line of lines.slice(0, RESULT_LINES)) printLine(printableName(line.replaceAll('\t', '    ')));
  if (lines.length > RESULT_LINES || Buffer.byteLength(text) >= RESULT_BYTES)
    printLine(paint('dim', `… the whole result: ${file}`));
}
