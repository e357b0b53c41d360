/** `sluice stats`: the last hour (or day …) in bars, with the numbers beside them. */
import type { AgentStats, StatsPoint, StatsReport } from '../../operations/stats.ts';
import { formatBytes } from '../../types/bytes.ts';
import { formatDollars } from '../../types/dollars.ts';
import { formatElapsed } from '../../types/elapsed.ts';
import { printableName } from '../../types/printable-name.ts';
import type { CommandContext } from '../context.ts';
import { paint } from '../paint.ts';
import { printJson, printLine, tell } from '../print.ts';
import { sparkline } from '../sparkline.ts';
import { printTable } from '../table.ts';
import { shortTime } from '../times.ts';

const HOUR_MS = 3_600_000;
const POINTS = 60;
/** Where nothing says how wide it is. */
const COLUMNS = 100;

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { json, since = Date.now() - HOUR_MS }: { readonly json?: boolean; readonly since?: number },
): Promise<number> {
  const report = await read(context, since);
  if (json) printJson(report);
  else print(report);
  return 0;
}

async function read(context: CommandContext, since: number): Promise<StatsReport> {
  const daemon = await context.daemon();
  if (daemon) return daemon.get<StatsReport>('/api/stats', { since, points: POINTS });
  const { stateDir } = await context.project();
  const [{ stats, emptyStats }, { hasLedger, openSqliteLedger }] = await Promise.all([
    import('../../operations/stats.ts'),
    import('../../ledger/sqlite/open.ts'),
  ]);
  if (!hasLedger(stateDir)) return emptyStats({ since }, Date.now());
  await using ledger = openSqliteLedger({ stateDir, readOnly: true }).ledger;
  return await stats(ledger, { since, points: POINTS }, Date.now());
}

interface Line {
  readonly title: string;
  readonly of: (point: StatsPoint) => number | null;
  readonly words: (value: number) => string;
  /** Of what is shown beside the bars: the mean says little about a queue. */
  readonly hasMean: boolean;
}

const lines: readonly Line[] = [
  { title: 'files/min', of: (p) => p.files_per_minute, words: decimal, hasMean: true },
  { title: 'errors', of: (p) => p.error_rate, words: percent, hasMean: false },
  { title: 'queued', of: (p) => p.queued, words: String, hasMean: false },
  { title: 'oldest', of: (p) => p.oldest_ms, words: formatElapsed, hasMean: false },
  { title: 'cost', of: (p) => p.cost_usd, words: formatDollars, hasMean: false },
  { title: 'daemon cpu', of: (p) => p.cpu_percent, words: (n) => `${decimal(n)} %`, hasMean: true },
  { title: 'daemon memory', of: (p) => p.rss_bytes, words: formatBytes, hasMean: true },
  { title: 'state on disk', of: (p) => p.state_bytes, words: formatBytes, hasMean: false },
];

function print(report: StatsReport): void {
  const { totals, queue, agents, points, point_ms: pointMs } = report;
  const known = points.filter(({ rss_bytes: bytes }) => bytes !== null).length;
  printLine(
    `${paint('bold', `since ${shortTime(report.since)}`)}  ${paint('dim', `one bar: ${formatElapsed(pointMs)}`)}`,
  );
  if (known === 0) tell('no minutes are recorded yet: they come while the daemon runs');
  else printBars(points);
  const ended = [
    `${totals.succeeded} succeeded`,
    `${totals.cached} cached`,
    `${totals.failed} failed`,
    ...(totals.cancelled > 0 ? [`${totals.cancelled} cancelled`] : []),
    ...(totals.superseded > 0 ? [`${totals.superseded} superseded`] : []),
  ];
  printLine(`\n${paint('bold', 'jobs')}   ${ended.join(', ')}`);
  printLine(`${paint('bold', 'cost')}   ${formatDollars(totals.cost_usd)}, ${totals.tokens} tokens`);
  const inQueue = Object.entries(queue).map(([state, n]) => `${n} ${state}`);
  printLine(`${paint('bold', 'now')}    ${inQueue.join(', ')}`);
  if (agents.length > 0) printAgents(agents);
}

function printBars(points: readonly StatsPoint[]): void {
  const columns = process.stdout.isTTY ? process.stdout.columns : COLUMNS;
  const title = Math.max(...lines.map((line) => line.title.length));
  const width = Math.max(8, Math.min(points.length, columns - title - 34));
  for (const line of lines) {
    const numbers = points.map(line.of);
    const known = numbers.filter((n) => n !== null);
    // Money that nobody spends needs no row.
    if (line.title === 'cost' && known.every((n) => n === 0)) continue;
    const bars = sparkline(numbers, width).padEnd(width);
    printLine(`${line.title.padEnd(title)}  ${paint('cyan', bars)}  ${summary(line, known)}`.trimEnd());
  }
}

function summary({ words, hasMean }: Line, known: readonly number[]): string {
  const latest = known.at(-1);
  if (latest === undefined) return '';
  const mean = known.reduce((sum, n) => sum + n, 0) / known.length;
  return [
    words(latest),
    ...(hasMean ? [`mean ${words(mean)}`] : []),
    `highest ${words(Math.max(...known))}`,
  ].join(', ');
}

function printAgents(agents: readonly AgentStats[]): void {
  printLine();
  const elapsed = (ms: number | null): string => (ms === null ? '' : formatElapsed(ms));
  printTable(agents, [
    { title: 'agent', cell: ({ agent }) => printableName(agent), cut: 'end' },
    { title: 'jobs', cell: ({ jobs }) => String(jobs), align: 'right' },
    {
      title: 'succeeded',
      cell: ({ success_rate: rate }) => (rate === null ? '' : percent(rate)),
      color: ({ success_rate: rate }) => (rate !== null && rate < 0.75 ? 'red' : undefined),
      align: 'right',
    },
    { title: 'half within', cell: ({ p50_ms: ms }) => elapsed(ms), align: 'right' },
    { title: '95 % within', cell: ({ p95_ms: ms }) => elapsed(ms), align: 'right' },
    { title: 'cost', cell: ({ cost_usd: usd }) => (usd === 0 ? '' : formatDollars(usd)), align: 'right' },
  ]);
}

function decimal(n: number): string {
  return n === 0 ? '0' : n < 10 ? n.toFixed(1) : String(Math.round(n));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
