/** `sluice status`: exit 0 whenever it could answer, also for a daemon that is down or a configuration with errors. */
import { formatDuration } from '../../config/duration.ts';
import type { ConditionView, RootStatusView, StatusReport } from '../../operations/status.ts';
import { formatDollars } from '../../types/dollars.ts';
import { formatElapsed } from '../../types/elapsed.ts';
import { printableName } from '../../types/printable-name.ts';
import { agentWords } from '../../types/step-task.ts';
import type { CommandContext } from '../context.ts';
import { paint } from '../paint.ts';
import { printJson, printLine, stateColor } from '../print.ts';
import { shownConditions } from '../shown-conditions.ts';
import { printTable } from '../table.ts';
import { shortTime } from '../times.ts';

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { json }: { readonly json?: boolean },
): Promise<number> {
  await using reader = await context.reader();
  const status = await reader.status();
  if (json) printJson(status);
  else printStatus(status);
  return 0;
}

function printStatus(status: StatusReport): void {
  const { queue, limits, agents, conditions, roots, files } = status;
  printLine(headline(status));
  if (roots.length > 0) {
    printLine(`\n${paint('bold', 'roots')}`);
    printTable(
      roots,
      [
        { title: '', cell: ({ name }) => name },
        { title: '', cell: ({ path }) => printableName(path), cut: 'start' },
        { title: '', cell: rootWords, color: ({ state }) => stateColor(state), cut: 'end' },
      ],
      '  ',
    );
  }
  const inQueue = Object.entries(queue).map(([state, n]) => `${n} ${state}`);
  printLine(`\n${paint('bold', 'jobs')}    ${inQueue.join(', ')}`);
  const ended = Object.entries(files).map(([disposition, n]) => `${n} ${disposition}`);
  printLine(`${paint('bold', 'files')}   ${ended.join(', ') || 'none yet'}`);
  if (Object.keys(limits).length > 0) {
    printLine(`\n${paint('bold', 'limits')}`);
    printTable(
      Object.entries(limits),
      [
        { title: '', cell: ([name]) => printableName(name) },
        {
          title: '',
          cell: ([, use]) => useWords(use),
          color: ([, use]) => (isFull(use) ? 'yellow' : undefined),
        },
      ],
      '  ',
    );
  }
  if (agents.length > 0) {
    printLine(`\n${paint('bold', 'agents')}`);
    printTable(
      agents,
      [
        { title: '', cell: ({ name }) => name },
        { title: '', cell: ({ kind }) => kind },
        { title: '', cell: ({ running, max_load: max }) => `${running} of ${max ?? 'any number'} running` },
        {
          title: '',
          cell: breakerWords,
          color: ({ breaker }) => (breaker === 'open' ? 'yellow' : undefined),
        },
        { title: '', cell: ({ description = '' }) => printableName(description), cut: 'end' },
      ],
      '  ',
    );
  }
  if (status.tier) printLine(`\n${paint('bold', 'tier')}    ${tierWords(status.tier)}`);
  if (status.waits.length > 0) {
    printLine(`\n${paint('bold', 'waiting')}`);
    for (const wait of status.waits) printLine(`  ${waitWords(wait)}`);
  }
  printConditions(conditions);
}

function printConditions(conditions: readonly ConditionView[]): void {
  const { shown, more } = shownConditions(conditions);
  for (const condition of shown) printCondition(condition);
  for (const [code, n] of more)
    printLine(`\n${paint('yellow', code)}  ${n} more; \`sluice status --json\` has all`);
}

function isFull({ used, limit }: StatusReport['limits'][string]): boolean {
  return used === null || used >= limit;
}

/** `2 of 5 in use, peak 4` · `12 of 30 in 1m` · `$1.20 of $5.00 today`. */
function useWords({ used, limit, peak, unit, per_ms: perMs }: StatusReport['limits'][string]): string {
  if (used === null) return `unknown of ${formatDollars(limit)} today`;
  if (unit === 'usd') return `${formatDollars(used)} of ${formatDollars(limit)} today`;
  if (unit === 'tokens') return `${used.toLocaleString('en')} of ${limit.toLocaleString('en')} tokens today`;
  if (perMs !== undefined) return `${used} of ${limit} in ${formatDuration(perMs)}, peak ${peak}`;
  return `${used} of ${limit} in use, peak ${peak}`;
}

function tierWords({ number, name, agents }: NonNullable<StatusReport['tier']>): string {
  return `${number} (${name}): ${agents.length === 0 ? 'no agent CLI can work' : agents.join(', ')}`;
}

function breakerWords({ breaker, breaker_until: until }: StatusReport['agents'][number]): string {
  if (breaker === 'open') return `left alone${until ? ` until ${shortTime(until)}` : ''}`;
  return breaker === 'half_open' ? 'being tried again' : '';
}

function waitWords({ agent, rule, reason, jobs, message, until }: StatusReport['waits'][number]): string {
  const what = `${jobs} ${jobs === 1 ? 'job' : 'jobs'} of ${printableName(rule)} → ${printableName(agentWords(agent))} (${reason})`;
  const why = message ? `: ${printableName(message)}` : '';
  return `${what}${why}${until ? `, until ${shortTime(until)}` : ''}`;
}

function headline({ state, pid, started_at: startedAt, config_file: file }: StatusReport): string {
  const tone = { running: 'green', stopped: 'dim', paused: 'yellow' }[state as string] ?? 'yellow';
  const since =
    startedAt === null ? '' : `, pid ${pid}, for ${formatElapsed(Date.now() - Date.parse(startedAt))}`;
  return `${paint(tone as 'green', paint('bold', state))}${since}  ${paint('dim', printableName(file))}`;
}

function rootWords(root: RootStatusView): string {
  const { state, mode, reason, folders, files, settling, last_sweep_at: sweptAt } = root;
  if (state === 'not_watched') return 'not watched now';
  const seen = `${files} ${files === 1 ? 'file' : 'files'} in ${folders} ${folders === 1 ? 'folder' : 'folders'}`;
  return [
    `${state} (${mode}${reason ? `: ${reason}` : ''})`,
    seen,
    ...(settling > 0 ? [`${settling} being written`] : []),
    ...(sweptAt === undefined ? [] : [`swept ${shortTime(sweptAt)}`]),
  ].join(', ');
}

function printCondition({ code, subject, message, fix, since }: ConditionView): void {
  printLine(
    `\n${paint('yellow', code)}${subject ? ` ${printableName(subject)}` : ''}  since ${shortTime(since)}`,
  );
  printLine(`  ${printableName(message)}`);
  printLine(`  fix: ${printableName(fix)}`);
}
