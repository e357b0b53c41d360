/** Budgets, breakers and the bounds of attempts, as agents, rules and the whole daemon have them: what cannot be kept is refused. */
import type { AgentConfig, BreakerConfig, BudgetConfig } from './config.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { parsePercent } from './percent.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { ConfigFile } from './schema.ts';
import type { CommandAgentFile } from './schema-agents.ts';
import { parseSize } from './size.ts';
import type { Path } from './source.ts';
import { parseTokens } from './tokens.ts';

/** @param at Path of the `budget` itself. */
export function resolveBudget(
  { findings }: Resolving,
  at: Path,
  budget: Loose<NonNullable<ConfigFile['budget']>> | undefined,
): BudgetConfig | undefined {
  if (budget === undefined) return undefined;
  const bounds = ['usd_per_run', 'usd_per_day', 'tokens_per_run', 'tokens_per_day'] as const;
  // A bound that is written and not here any more has been reported.
  if (!bounds.some((key) => budget[key] !== undefined || findings.has([...at, key]))) {
    findings.add(
      'error',
      'MISSING_KEY',
      { path: at, key: true },
      'the `budget` bounds nothing',
      `Add one of ${bounds.map((key) => `\`${key}\``).join(', ')}, or remove it.`,
    );
    return undefined;
  }
  const tokensPerRun = parseTokens(budget.tokens_per_run ?? '');
  const tokensPerDay = parseTokens(budget.tokens_per_day ?? '');
  const { usd_per_run: usdPerRun, usd_per_day: usdPerDay } = budget;
  const refuse = (unit: 'usd' | 'tokens') =>
    findings.error(
      'CONFLICT',
      [...at, `${unit}_per_run`],
      `one run may use more (${budget[`${unit}_per_run`]}) than a whole day (${budget[`${unit}_per_day`]})`,
      `Make \`${unit}_per_run\` at most as large as \`${unit}_per_day\`.`,
    );
  if (usdPerRun !== undefined && usdPerDay !== undefined && usdPerRun > usdPerDay) refuse('usd');
  if (tokensPerRun !== undefined && tokensPerDay !== undefined && tokensPerRun > tokensPerDay)
    refuse('tokens');
  return {
    ...(usdPerRun !== undefined && { usdPerRun }),
    ...(usdPerDay !== undefined && { usdPerDay }),
    ...(tokensPerRun !== undefined && { tokensPerRun }),
    ...(tokensPerDay !== undefined && { tokensPerDay }),
    unknownCost: budget.unknown_cost ?? 'refuse',
  };
}

export function resolveBreaker(
  breaker: Loose<CommandAgentFile['circuit_breaker']> | undefined,
): BreakerConfig | undefined {
  if (breaker === 'off' || breaker === undefined) return undefined;
  const slow = breaker.slow ?? 'off';
  return {
    errorRate: breaker.error_rate ?? 0.1,
    minimum: breaker.minimum ?? 0,
    windowMs: parseDuration(breaker.window ?? '') ?? 0,
    ...(slow !== 'off' && { slowMs: parseDuration(slow) ?? 0 }),
    resetMs: parseDuration(breaker.reset ?? '') ?? 0,
  };
}

/** @param at Path of the agent. */
export function resolveLimits(
  { findings }: Resolving,
  at: Path,
  limits: Loose<CommandAgentFile['limits']> = {},
  timeoutMs: number,
): AgentConfig['limits'] {
  const { required = false } = limits;
  const has = (key: string) => findings.has([...at, 'limits', key]);
  if (required && !has('cpu') && !has('memory'))
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'limits', 'required'], key: true },
      '`required` has no effect: neither `cpu` nor `memory` is limited',
      'Add one of the two, or remove `required`.',
    );
  const runtimeMs = parseDuration(limits.runtime ?? '');
  // An attempt that is ended for its time-out is tried again once: somebody who bounds the run time means neither.
  if (runtimeMs !== undefined && timeoutMs > 0 && runtimeMs > timeoutMs)
    findings.warning(
      'LIMIT_UNREACHED',
      [...at, 'limits', 'runtime'],
      `\`timeout\` (${formatDuration(timeoutMs)}) ends an attempt before \`runtime\` (${limits.runtime}) does`,
      'Make `timeout` longer than `runtime`, or remove one of the two.',
    );
  return {
    ...(limits.cpu !== undefined && { cpuPercent: parsePercent(limits.cpu) ?? 0 }),
    ...(limits.memory !== undefined && { memoryBytes: parseSize(limits.memory) ?? 0 }),
    ...(runtimeMs !== undefined && { runtimeMs }),
    required,
  };
}

/** @param above What bounds it already. */
export function warnOfLoad({ findings }: Resolving, at: Path, above: number): void {
  findings.warning(
    'LIMIT_UNREACHED',
    at,
    `\`max_load\` is never reached: at most ${above} attempts run at once`,
    `Write at most ${above}, or raise \`concurrency_limits.max_processes\` or the \`max_load\` of the agent.`,
  );
}
