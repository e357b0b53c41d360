/**
 * What limits cost: `sluice run` on many queued files with every kind of limit (none of which is reached), against the
 * same without any, in turns: `node bench/limits.ts [files] [rounds]`. Clock and CPU of the whole tree of processes.
 */
import { join } from 'node:path';
import { cpuMsOfEnded } from './cpu.ts';
import { benchProject, makeFiles, sluice } from './project.ts';
import { line, median, ratio } from './stats.ts';

const files = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 3);

const config = (rule: string, agent: string, more: string): string => `
routing_rules: [{ name: all, pattern: "**", agent: work${rule} }]
agents:
  work:
    kind: command
    command: [sha256sum, "\${{ file.path }}"]
    sandbox: { mode: off, reason: benchmark }
${agent}
concurrency_limits: { max_processes: 4, max_concurrent_files: 8 }
daemon: { min_free_disk: 1MiB }
${more}`;

const budget = 'budget: { usd_per_day: 1000, tokens_per_day: 1000M, unknown_cost: allow }';
const variants = {
  without: config('', '    circuit_breaker: off', ''),
  'agent max_load': config('', '    circuit_breaker: off\n    max_load: 100', ''),
  rate: config('', '    circuit_breaker: off\n    rate: 100000/min', ''),
  'rule max_load': config(', max_load: 100', '    circuit_breaker: off', ''),
  breaker: config('', '    circuit_breaker: { error_rate: 0.5, minimum: 10 }', ''),
  budgets: config(`, ${budget}`, `    circuit_breaker: off\n    ${budget}`, budget),
  all: config(
    `, max_load: 100, ${budget}`,
    `    max_load: 100\n    rate: 100000/min\n    circuit_breaker: { error_rate: 0.5, minimum: 10 }\n    ${budget}`,
    budget,
  ),
} as const;
type Variant = keyof typeof variants;

// Nothing is deleted between rounds: the disk would pay for it in the next one.
using projects = new DisposableStack();

function measure(variant: Variant): { ms: number; cpuMs: number } {
  const project = projects.use(benchProject(variants[variant]));
  makeFiles(project.inbox, files);
  const before = cpuMsOfEnded();
  const { ms } = sluice(project.dir, 'run', join(project.dir, 'inbox'));
  return { ms, cpuMs: cpuMsOfEnded() - before };
}

/** By default only what the goal names; `each` shows what each kind costs. */
const wanted: readonly Variant[] =
  process.argv[4] === 'each' ? (Object.keys(variants) as Variant[]) : ['without', 'all'];
const results = new Map<Variant, { ms: number; cpuMs: number }[]>(wanted.map((name) => [name, []]));
// Whoever goes first pays for a cold disk: the order turns.
for (let n = 0; n < rounds; n += 1)
  for (const name of n % 2 === 0 ? wanted : wanted.toReversed()) results.get(name)?.push(measure(name));

const plain = results.get('without') ?? [];
for (const [name, measured] of results) {
  if (name === 'without') continue;
  const clock = ratio(
    measured.map(({ ms }) => ms),
    plain.map(({ ms }) => ms),
  );
  const cpu = ratio(
    measured.map(({ cpuMs }) => cpuMs),
    plain.map(({ cpuMs }) => cpuMs),
  );
  line(
    `limits on ${files} queued jobs: ${name}`,
    clock,
    '≤ 1.05',
    `${median(measured.map(({ ms }) => ms)).toFixed(0)} ms against ${median(plain.map(({ ms }) => ms)).toFixed(0)} ms; CPU ${cpu.toFixed(2)}×`,
  );
}
