/** What was spent today, by agent, by rule and in all: the ledger's rows and what running attempts have told, as sums. */
import type { SpendingRow } from '../ledger/ledger.ts';
import type { Spent } from '../types/agent.ts';
import type { JobId } from '../types/job.ts';

const dayMs = 86_400_000;

/** A running attempt and what it has told. */
export interface RunningSpent {
  /** The first job of a batch. */
  readonly job: JobId;
  readonly agent: string;
  readonly rule: string;
  /** Of a batch: each file is a run of its own, so bounds per run count so many times. Default: 1. */
  readonly files?: number;
  readonly spent: Spent;
  /** By earlier attempts of the same jobs, on whatever day. */
  readonly before?: Spent;
}

/** Who spends; the daemon is all together and has no name. */
export interface SpendingScope {
  readonly kind: 'agent' | 'rule' | 'daemon';
  readonly name: string;
}

export interface Total {
  usd: number;
  tokens: number;
  attempts: number;
  /** Attempts that did not say what they cost. */
  unknown: number;
}

export interface Totals {
  of(scope: SpendingScope): Total;
  /** What one agent spent in a scope; under the daemon's: for whatever rule. */
  ofAgent(scope: SpendingScope, agent: string, rule: string): Total;
}

/** `2026-11-20`: the UTC day, as the ledger names it. */
export function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

/** Epoch milliseconds at which the next UTC day begins. */
export function nextDayAt(now: number): number {
  return (Math.floor(now / dayMs) + 1) * dayMs;
}

export function totalsOf(today: readonly SpendingRow[], running: readonly RunningSpent[]): Totals {
  const sums = new Map<string, Total>();
  const sumOf = (key: string): Total => {
    const found = sums.get(key) ?? { usd: 0, tokens: 0, attempts: 0, unknown: 0 };
    sums.set(key, found);
    return found;
  };
  const add = (agent: string, rule: string, part: Total): void => {
    for (const key of ['daemon', `agent\0${agent}`, `rule\0${rule}`, `pair\0${agent}\0${rule}`]) {
      const sum = sumOf(key);
      for (const what of ['usd', 'tokens', 'attempts', 'unknown'] as const) sum[what] += part[what];
    }
  };
  for (const { agent, rule, costUsd, tokens, attempts, unknown } of today)
    add(agent, rule, { usd: costUsd, tokens, attempts, unknown });
  for (const { agent, rule, spent } of running)
    add(agent, rule, { usd: spent.costUsd ?? 0, tokens: tokensOf(spent), attempts: 0, unknown: 0 });
  return {
    of: ({ kind, name }) => sumOf(kind === 'daemon' ? kind : `${kind}\0${name}`),
    ofAgent: ({ kind }, agent, rule) =>
      sumOf(kind === 'rule' ? `pair\0${agent}\0${rule}` : `agent\0${agent}`),
  };
}

/** All four buckets together; a usage that was not told counts nothing here. */
export function tokensOf({ usage }: Spent): number {
  if (usage === undefined) return 0;
  return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens + usage.output_tokens;
}
