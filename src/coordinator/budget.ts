/**
 * What may still be spent, as pure decisions over what the ledger has of today and what the running attempts have told so
 * far. Two questions: may work of this agent and rule begin (else it is parked until the next UTC day), and has a running
 * attempt crossed a bound (then it is ended).
 *
 * Reserving an estimate before each start was rejected: nobody knows it, and a wrong one either blocks or overspends.
 * Instead a bound can be overrun by what is spent between two reports of the attempts that run, and by nothing else.
 *
 * What an agent does not tell is unknown, never 0. With `unknown_cost: refuse` it stops only the agent that did not tell,
 * in each scope that has a bound: one silent linter must not stop everybody under the daemon's budget. An agent whose
 * own budget says `allow` is let through everywhere.
 */
import type { BudgetConfig, Config } from '../config/config.ts';
import type { SpendingRow } from '../ledger/ledger.ts';
import type { AttemptOutcome } from '../types/agent.ts';
import type { JobId } from '../types/job.ts';
import {
  dayOf,
  nextDayAt,
  type RunningSpent,
  type SpendingScope,
  type Totals,
  tokensOf,
  totalsOf,
} from './spending-totals.ts';

export { dayOf, nextDayAt, type RunningSpent } from './spending-totals.ts';

/** Sums of cents are not exact: ten times 0.1 is a little less than 1. */
const tolerance = 1e-9;

type Limit = 'usd_per_run' | 'usd_per_day' | 'tokens_per_run' | 'tokens_per_day';
type Measure = 'usd' | 'tokens';
type Crossing = Extract<AttemptOutcome, { kind: 'limit_exceeded' }>;

export interface BudgetStop {
  readonly code: 'BUDGET_SPENT' | 'COST_UNKNOWN';
  readonly limit: Limit;
  /** `agent "x"`, `rule "y"` or `daemon`. */
  readonly scope: string;
  /** Dollars or tokens; null: unknown. */
  readonly spent: number | null;
  readonly bound: number;
  /** Epoch milliseconds: the next UTC day. */
  readonly until: number;
  readonly message: string;
  readonly fix: string;
}

export interface Budgets {
  /** Whether any bound counts for this work: if not, nothing needs to be asked, or heard while it runs. */
  isLimited(agent: string, rule: string): boolean;
  /**
   * Answers for one moment.
   * @param today The ledger's rows of `dayOf(now)`; those of attempts in `running` must not be among them.
   */
  at(o: {
    readonly today: readonly SpendingRow[];
    readonly running: readonly RunningSpent[];
    readonly now: number;
  }): BudgetView;
}

export interface BudgetView {
  /** Whether work of this agent for this rule may begin. */
  stop(agent: string, rule: string): 'free' | BudgetStop;
  /** The first bound that this attempt (one of `running`) has crossed, as the outcome that ends it. */
  crossed(job: JobId): Crossing | undefined;
}

/** @param isFree Agents that can cost nothing (builtin): no bound counts for them. */
export function createBudgets(
  config: Pick<Config, 'agents' | 'rules' | 'budget'>,
  isFree: (agent: string) => boolean,
): Budgets {
  const ruleBudgets = new Map(config.rules.map(({ name, budget }) => [name, budget]));
  const scopesOf = (agent: string, rule: string): readonly Scope[] =>
    isFree(agent)
      ? []
      : [
          scope('agent', agent, config.agents.get(agent)?.budget),
          scope('rule', rule, ruleBudgets.get(rule)),
          scope('daemon', '', config.budget),
        ].filter((found) => found !== undefined);
  const letsThrough = (agent: string) => config.agents.get(agent)?.budget?.unknownCost === 'allow';
  return {
    isLimited: (agent, rule) => scopesOf(agent, rule).length > 0,
    at: ({ today, running, now }) => {
      const totals = totalsOf(today, running);
      return {
        stop: (agent, rule) => {
          const scopes = scopesOf(agent, rule);
          return (
            first(scopes, (one) => spentStop(one, totals, now)) ??
            (letsThrough(agent)
              ? undefined
              : first(scopes, (one) => unknownStop(one, agent, rule, totals, now))) ??
            'free'
          );
        },
        crossed: (job) => {
          const attempt = running.find((one) => one.job === job);
          if (attempt === undefined) return undefined;
          const scopes = scopesOf(attempt.agent, attempt.rule);
          return (
            first(scopes, (one) => crossedRun(one, attempt)) ??
            first(scopes, (one) => crossedDay(one, totals, now))
          );
        },
      };
    },
  };
}

function first<T>(scopes: readonly Scope[], ask: (one: Scope) => T | undefined): T | undefined {
  for (const one of scopes) {
    const found = ask(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

// Scopes.

interface Scope extends SpendingScope {
  readonly budget: BudgetConfig;
}

function scope(kind: Scope['kind'], name: string, budget: BudgetConfig | undefined): Scope | undefined {
  if (budget === undefined) return undefined;
  const { usdPerDay, usdPerRun, tokensPerDay, tokensPerRun } = budget;
  const isBound = [usdPerDay, usdPerRun, tokensPerDay, tokensPerRun].some((bound) => bound !== undefined);
  return isBound ? { kind, name, budget } : undefined;
}

/** The bounds of a scope, as many as it has. */
function boundsOf({ usdPerRun, usdPerDay, tokensPerRun, tokensPerDay }: BudgetConfig) {
  const bound = (measure: Measure, limit: Limit, value: number | undefined) =>
    value === undefined ? [] : [{ measure, limit, bound: value }];
  return {
    perRun: [...bound('usd', 'usd_per_run', usdPerRun), ...bound('tokens', 'tokens_per_run', tokensPerRun)],
    perDay: [...bound('usd', 'usd_per_day', usdPerDay), ...bound('tokens', 'tokens_per_day', tokensPerDay)],
  };
}

function labelOf({ kind, name }: Scope): string {
  return kind === 'daemon' ? 'daemon' : `${kind} "${name}"`;
}

function keyOf({ kind, name }: Scope, limit: Limit): string {
  if (kind === 'agent') return `\`agents.${name}.budget.${limit}\``;
  return kind === 'rule' ? `\`budget.${limit}\` of rule "${name}"` : `\`budget.${limit}\``;
}

// Decisions.

/** Nothing is left of a day's bound. */
function spentStop(one: Scope, totals: Totals, now: number): BudgetStop | undefined {
  const total = totals.of(one);
  for (const { measure, limit, bound } of boundsOf(one.budget).perDay) {
    if (total[measure] < bound - tolerance) continue;
    const message = messageFor(subjectOf(one), measure, total[measure], bound, 'per day', total.unknown > 0);
    const until = nextDayAt(now);
    const fix = `It goes on by itself at ${new Date(until).toISOString()}; to go on now, raise ${keyOf(one, limit)}.`;
    const common = { limit, scope: labelOf(one), bound, until, message, fix };
    return { code: 'BUDGET_SPENT', spent: total[measure], ...common };
  }
  return undefined;
}

/**
 * Today's attempts of this agent did not say what they used, and this scope has a bound on it. The ledger counts attempts
 * without a cost; an agent that has told no token at all today although it worked is taken to tell none.
 */
function unknownStop(
  one: Scope,
  agent: string,
  rule: string,
  totals: Totals,
  now: number,
): BudgetStop | undefined {
  if (one.budget.unknownCost === 'allow') return undefined;
  const { usd, tokens, attempts, unknown } = totals.ofAgent(one, agent, rule);
  const silent = { usd: unknown, tokens: tokens === 0 && (unknown > 0 || usd > 0) ? attempts : 0 };
  const { perDay, perRun } = boundsOf(one.budget);
  const found = [...perDay, ...perRun].find(({ measure }) => silent[measure] > 0);
  if (found === undefined) return undefined;
  const { measure, limit, bound } = found;
  const times = silent[measure] === 1 ? 'an attempt' : `${silent[measure]} attempts`;
  const what = measure === 'usd' ? `what ${times} today cost` : `how many tokens ${times} today used`;
  const span = limit.endsWith('_day') ? 'per day' : 'per run';
  const scope = labelOf(one);
  const until = nextDayAt(now);
  return {
    code: 'COST_UNKNOWN',
    ...{ limit, scope, spent: null, bound, until },
    message: `agent "${agent}" did not say ${what}, and ${subjectOf(one)} may use ${amount(measure, bound)} ${span}`,
    fix: `${measure === 'usd' ? 'Give the model of an agent CLI its `prices`; make others write events with `cost_usd` in their payload. Or set' : 'Make it write events with `usage` in their payload, or set'} \`agents.${agent}.budget.unknown_cost: allow\`; otherwise one more try is made at ${new Date(until).toISOString()}.`,
  };
}

function crossedRun(one: Scope, { agent, spent, before, files = 1 }: RunningSpent): Crossing | undefined {
  const used = {
    usd: (before?.costUsd ?? 0) + (spent.costUsd ?? 0),
    tokens: (before === undefined ? 0 : tokensOf(before)) + tokensOf(spent),
  };
  for (const { measure, limit, bound } of boundsOf(one.budget).perRun) {
    if (used[measure] <= bound * files + tolerance) continue;
    const span = files === 1 ? 'per run' : `for ${files} runs`;
    // It is not the daemon that made this run.
    const subject = one.kind === 'daemon' ? `agent "${agent}"` : labelOf(one);
    return crossing(one, limit, messageFor(subject, measure, used[measure], bound * files, span, false));
  }
  return undefined;
}

function crossedDay(one: Scope, totals: Totals, now: number): Crossing | undefined {
  const total = totals.of(one);
  for (const { measure, limit, bound } of boundsOf(one.budget).perDay)
    if (total[measure] > bound + tolerance) {
      const message = messageFor(
        subjectOf(one),
        measure,
        total[measure],
        bound,
        'per day',
        total.unknown > 0,
      );
      return crossing(one, limit, `${message} (${dayOf(now)})`);
    }
  return undefined;
}

function crossing(one: Scope, limit: Limit, message: string): Crossing {
  const fix = `What it wrote is kept. Raise ${keyOf(one, limit)}, or give it less to do, then \`sluice jobs retry\`.`;
  return { kind: 'limit_exceeded', limit, message, fix };
}

// Words.

function subjectOf(one: Scope): string {
  return one.kind === 'daemon' ? 'the daemon' : labelOf(one);
}

function messageFor(
  subject: string,
  measure: Measure,
  spent: number,
  bound: number,
  span: string,
  isAtLeast: boolean,
): string {
  const verb = measure === 'usd' ? 'has spent' : 'has used';
  const sum = `${isAtLeast ? 'at least ' : ''}${measure === 'usd' ? formatUsd(spent) : formatTokens(spent)}`;
  return `${subject} ${verb} ${sum} of its ${amount(measure, bound)} ${span}`;
}

function amount(measure: Measure, value: number): string {
  return measure === 'usd' ? formatUsd(value) : `${formatTokens(value)} tokens`;
}

/** `$1.02`, `$0.0042`: two to four decimals, so that a small excess can be seen. */
export function formatUsd(value: number): string {
  if (value > 0 && value < 0.0001) return `$${value.toPrecision(2)}`;
  return `$${value.toFixed(4).replace(/0{1,2}$/, '')}`;
}

function formatTokens(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
