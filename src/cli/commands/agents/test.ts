/** `sluice agents test`: one small job for one agent, told step by step. Through the daemon when one runs, else by itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentTestReport, AgentTestStep } from '../../../operations/agents/agent-test.ts';
import { formatDollars } from '../../../types/dollars.ts';
import { formatElapsed } from '../../../types/elapsed.ts';
import { printableName } from '../../../types/printable-name.ts';
import type { Client } from '../../client.ts';
import type { CommandContext } from '../../context.ts';
import { beginningOf } from '../../file-beginning.ts';
import { untilSignal } from '../../follow-run.ts';
import { shortId, tokenWords } from '../../job-words.ts';
import { paint } from '../../paint.ts';
import { printJson, printLine, tell } from '../../print.ts';

interface TestOptions {
  readonly prompt?: string;
  readonly json?: boolean;
}

const POLL_MS = 150;
const RESULT_BYTES = 4_000;

export function run(
  context: CommandContext,
  [name = '']: readonly string[],
  options: TestOptions,
): Promise<number> {
  return untilSignal(async (stop) => {
    const daemon = await context.daemon();
    return daemon ? inDaemon(daemon, name, options, stop) : alone(context, name, options, stop);
  });
}

async function inDaemon(
  daemon: Client,
  name: string,
  { prompt, json = false }: TestOptions,
  stop: AbortSignal,
): Promise<number> {
  const place = `/api/agents/${encodeURIComponent(name)}/test`;
  const { test_id: id } = await daemon.post<AgentTestReport>(place, prompt === undefined ? {} : { prompt });
  const report = (after: number) => daemon.get<AgentTestReport>(`/api/agents/tests/${id}`, { after });
  stop.addEventListener('abort', () => void daemon.post(`/api/jobs/${id}/cancel`).catch(() => {}), {
    once: true,
  });
  return follow(report, json, stop);
}

async function alone(
  context: CommandContext,
  name: string,
  { prompt, json = false }: TestOptions,
  stop: AbortSignal,
): Promise<number> {
  const { openAlone } = await import('../../alone.ts');
  await using project = await openAlone(context, 'agents test', stop, { isPaused: true });
  const { operations, host } = project;
  const { name: agent } = operations.agents.agent(name);
  // What else waits in the queue stays there.
  host.coordinator.restrictTo(agent);
  operations.resume();
  const test = operations.agents.test(agent, prompt);
  host.coordinator.events.subscribe((event) => {
    if (event.type === 'ended' && event.job.id === test.id) operations.pause();
  });
  return await follow(async (after) => test.report(after), json, stop);
}

/** @returns the exit code. */
async function follow(
  report: (after: number) => Promise<AgentTestReport>,
  json: boolean,
  stop: AbortSignal,
): Promise<number> {
  const steps: AgentTestStep[] = [];
  for (let isFirst = true; ; isFirst = false) {
    const now = await report(steps.length);
    if (isFirst) tell(`${now.agent} (${now.kind}): ${printableName(now.prompt.trim())}`);
    steps.push(...now.steps);
    if (!json) now.steps.forEach(printStep);
    if (now.state === 'running') {
      await sleep(POLL_MS);
      continue;
    }
    if (json) printJson({ ...now, steps, result: resultOf(now) ?? null });
    else printEnd(now, stop.aborted);
    return now.state === 'passed' ? 0 : 1;
  }
}

function printStep({ at_ms: atMs, what, text, is_problem: isProblem, fix }: AgentTestStep): void {
  const time = formatElapsed(atMs).padStart(9);
  const name = what.replaceAll('_', ' ').padEnd(8);
  printLine(`${paint('dim', time)}  ${paint(isProblem ? 'red' : 'bold', name)}  ${shown(text)}`);
  if (fix !== undefined) printLine(`${' '.repeat(21)}fix: ${shown(fix)}`);
}

function printEnd(report: AgentTestReport, isStopped: boolean): void {
  const { job, first_event_ms: firstMs, events, tool_calls: calls, state } = report;
  const line = (label: string, text: string): void => printLine(`  ${label.padEnd(9)} ${text}`);
  if (job) {
    printLine();
    const attempt = job.attempts.at(-1);
    const { cli, sandbox } = attempt ?? {};
    if (cli?.version !== undefined) line('version', printableName(`${cli.kind} ${cli.version}`));
    if (cli?.model !== undefined) line('model', printableName(cli.model));
    if (cli) line('flags', printableName(cli.flags.join(' ')) || 'none');
    for (const denied of cli?.denials ?? []) line('denied', printableName(denied));
    if (cli?.correction)
      line(
        'changed',
        printableName(
          [
            ...cli.correction.added.map((flag) => `+${flag}`),
            ...cli.correction.removed.map((flag) => `-${flag}`),
          ].join(' '),
        ),
      );
    if (sandbox) line('sandbox', sandboxWords(sandbox));
    if (events > 0)
      line(
        'events',
        `${events}${firstMs === null ? '' : `, the first after ${formatElapsed(firstMs)}`}; ${calls} calls of tools`,
      );
    const { usage } = job;
    if (usage) line('tokens', tokenWords(usage));
    if (cli || job.cost_usd !== null)
      line('cost', job.cost_usd === null ? 'unknown' : formatDollars(job.cost_usd));
    if (cli?.resume !== undefined) line('inside', printableName(cli.resume));
    line('receipt', `sluice jobs show ${shortId(job.job_id)}`);
    const result = resultOf(report);
    if (result !== undefined) printLine(`\n${shown(result)}`);
  }
  const { agent } = report;
  if (state === 'passed') printLine(`\n${paint('green', `${agent} works`)}`);
  else if (isStopped) printLine(`\n${paint('yellow', `stopped: whether ${agent} works is not known`)}`);
  else printLine(`\n${paint('red', `${agent} does not work`)}`);
}

function sandboxWords({
  mode,
  backend,
  reason,
  network,
}: NonNullable<AgentTestReport['job']>['attempts'][number]['sandbox']): string {
  const what = backend === undefined ? (mode === 'off' ? 'off' : 'nothing to confine') : backend;
  const net =
    network === undefined ? '' : `, network: ${typeof network === 'string' ? network : network.join(', ')}`;
  return printableName(`${what}${reason === undefined ? '' : ` (${reason})`}${net}`);
}

/** The beginning, where the whole of it would be long. */
function resultOf({ job }: AgentTestReport): string | undefined {
  const file = job?.result_file;
  // That of a failed job only says again what stands above.
  if (file === undefined || job?.state === 'failed') return undefined;
  return beginningOf(file, RESULT_BYTES);
}

/** What an agent wrote must not steer the terminal. */
function shown(text: string): string {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => printableName(line.replaceAll('\t', '    ')))
    .join('\n');
}
