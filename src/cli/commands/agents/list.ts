/** `sluice agents list`: how the agents stand, what waits for them, and how they did over the last thirty days. */
import { suggest } from '../../../config/suggest.ts';
import type { AgentsReport, AgentView } from '../../../operations/agents/agent-list.ts';
import { formatDollars } from '../../../types/dollars.ts';
import { formatElapsed } from '../../../types/elapsed.ts';
import { AppError } from '../../../types/errors.ts';
import { printableName } from '../../../types/printable-name.ts';
import type { CommandContext } from '../../context.ts';
import { shortId } from '../../job-words.ts';
import { paint } from '../../paint.ts';
import { printJson, printLine, printTableOr, tellIfMore } from '../../print.ts';
import { shortTime } from '../../times.ts';

interface ListOptions {
  readonly limit: number;
  readonly json?: boolean;
}

const commands = ['list', 'test', 'pause', 'resume', 'detect'];

export async function run(
  context: CommandContext,
  [unknown]: readonly string[],
  { limit, json = false }: ListOptions,
): Promise<number> {
  // `agents` alone is `agents list`, so a slip in the name of another subcommand arrives here.
  if (unknown !== undefined)
    throw new AppError('USAGE', `unknown command "${unknown}" of \`sluice agents\``, {
      fix: suggest(unknown, commands, 'Commands'),
    });
  await using reader = await context.reader();
  const { tier, agents } = await reader.agents();
  const report = { tier, agents: agents.slice(0, limit) };
  if (json) printJson(report);
  else print(report);
  if (!json) tellIfMore(report.agents.length, limit);
  return 0;
}

function print({ tier, agents }: AgentsReport): void {
  printTableOr('no agents: write one under `agents`, or see `sluice agents detect`', agents, [
    { title: 'agent', cell: ({ name }) => name },
    { title: 'kind', cell: kindWords },
    { title: 'state', cell: stateWords, color: ({ state }) => colors[state] },
    { title: 'running', cell: ({ running, max_load: max }) => `${running}/${max ?? '∞'}`, align: 'right' },
    { title: 'jobs', cell: jobsWords },
    { title: 'succeeded', cell: ({ last_30_days: { success_rate: rate } }) => percent(rate), align: 'right' },
    { title: 'median', cell: ({ last_30_days: { median_ms: ms } }) => elapsed(ms), align: 'right' },
    { title: 'p95', cell: ({ last_30_days: { p95_ms: ms } }) => elapsed(ms), align: 'right' },
    { title: 'today', cell: ({ today }) => dollars(today.cost_usd), align: 'right' },
    { title: '30 days', cell: ({ last_30_days: month }) => dollars(month.cost_usd), align: 'right' },
    { title: 'tokens', cell: ({ last_30_days: { tokens } }) => count(tokens), align: 'right' },
    {
      title: 'can',
      cell: ({ capabilities, description = '' }) => printableName(capabilities.join(', ') || description),
      cut: 'end',
    },
  ]);
  for (const agent of agents) printProblem(agent);
  printUnused(agents.filter(({ state }) => state === 'inactive').map(({ name }) => name));
  if (!tier) return;
  const who = tier.agents.length === 0 ? 'none can work' : tier.agents.join(', ');
  printLine(`\n${paint('bold', `tier ${tier.number}`)} (${tier.name}): ${who}`);
  printLine(`  ${tier.means}`);
}

const colors: Readonly<Record<AgentView['state'], Parameters<typeof paint>[0]>> = {
  active: 'green',
  inactive: 'dim',
  paused: 'yellow',
  parked: 'yellow',
  unavailable: 'red',
  not_logged_in: 'red',
  breaker_open: 'red',
  breaker_half_open: 'yellow',
};

function kindWords({ kind, type }: AgentView): string {
  return printableName(type === undefined ? kind : `${kind} (${type})`);
}

function stateWords({ state, state_until: until }: AgentView): string {
  const words = state === 'breaker_half_open' ? 'being tried again' : state.replaceAll('_', ' ');
  if (until === undefined) return words;
  return `${words}${state === 'not_logged_in' ? ', tried again' : ' until'} ${shortTime(until)}`;
}

/** `3 queued, 1 waiting`: nothing where nothing is. */
function jobsWords({ queued, waiting, held }: AgentView): string {
  return Object.entries({ queued, waiting, held })
    .flatMap(([state, n]) => (n > 0 ? [`${n} ${state}`] : []))
    .join(', ');
}

function printProblem({ name, state, last_failure: failure, ...agent }: AgentView): void {
  const { state_message: message, state_fix: fix } = agent;
  if (state !== 'active' && state !== 'inactive' && message !== undefined) {
    printLine(
      `\n${paint(colors[state], `${name} ${state.replaceAll('_', ' ')}`)}: ${printableName(message)}`,
    );
    if (fix !== undefined) printLine(`  fix: ${printableName(fix)}`);
  }
  if (!failure) return;
  const reason = failure.reason === undefined ? '' : ` (${failure.reason})`;
  printLine(
    `\n${paint('bold', name)} last failed ${shortTime(failure.at)}${reason}, job ${shortId(failure.job_id)}: ${printableName(failure.message)}`,
  );
}

/** Told once for all: after `detect --write` these are many. */
function printUnused(names: readonly string[]): void {
  const [first] = names;
  if (first === undefined) return;
  printLine(
    `\n${paint('dim', 'inactive')}: no rule, step, review or fallback brings work to ${names.join(', ')}`,
  );
  printLine(
    `  fix: Name them in a rule to give them work. \`sluice agents test ${first}\` runs one all the same.`,
  );
}

function elapsed(ms: number | null): string {
  return ms === null ? '' : formatElapsed(ms);
}

function percent(share: number | null): string {
  return share === null ? '' : `${Math.round(share * 100)} %`;
}

function dollars(usd: number | null): string {
  return usd === null || usd === 0 ? '' : formatDollars(usd);
}

function count(n: number): string {
  if (n === 0) return '';
  if (n < 10_000) return String(n);
  return n < 1_000_000 ? `${Math.round(n / 1_000)}k` : `${(n / 1_000_000).toFixed(1)}M`;
}
