/**
 * Whether an agent may be called now, beside its plain limits: its breaker, and the budgets that cover the work. The
 * decisions themselves are pure (`breaker.ts`, `budget.ts`); here is what they are asked about, kept across restarts.
 *
 * What is in memory is what the ledger says, plus what the running attempts have told of themselves.
 */
import { type AgentConfig, type Config, isCliAgent, type RuleConfig } from '../config/config.ts';
import type { Ledger, SpendingRow } from '../ledger/ledger.ts';
import type { AgentResult, AttemptOutcome, Spent } from '../types/agent.ts';
import type { Conditions } from '../types/condition.ts';
import type { JobId, JobRecord, WaitReason } from '../types/job.ts';
import { addUsage, noUsage } from '../types/usage.ts';
import {
  abandon,
  type BreakerCall,
  type BreakerState,
  beginProbe,
  closedBreaker,
  mayCall,
  parseBreaker,
  record,
} from './breaker.ts';
import { type BudgetStop, type Budgets, createBudgets, dayOf, type RunningSpent } from './budget.ts';
import { type Crew, leaderOf } from './call.ts';
import { Parking, parkedFix, untilOf, waitReasonOf } from './parking.ts';

export type Gate =
  | { readonly kind: 'open' }
  /** One call, to see whether the agent works again. */
  | { readonly kind: 'probe' }
  | {
      readonly kind: 'closed';
      /** Another agent may do it instead: this one is broken, not too expensive. */
      readonly mayDivert: boolean;
      readonly park: {
        readonly reason: WaitReason;
        readonly message: string;
        readonly fix: string;
        /** Absent: until it is woken. */
        readonly notBefore?: number;
      };
    };

export type Crossing = Extract<AttemptOutcome, { kind: 'limit_exceeded' }>;

export interface GatesOptions {
  readonly ledger: Pick<Ledger, 'kept' | 'spending' | 'jobs'>;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly now: () => number;
}

const BREAKER = 'breaker';
const open: Gate = { kind: 'open' };

export class Gates {
  readonly #o: GatesOptions;
  readonly #breakers = new Map<string, BreakerState>();
  /** Breakers whose count of calls has changed since it was kept. */
  readonly #unkept = new Set<string>();
  readonly #running = new Map<JobId, RunningSpent>();
  readonly #raised = new Map<string, BudgetStop['code']>();
  /** Agents that are left alone until a time, a log-in, or a person, says otherwise. */
  readonly parking: Parking;
  #config: Config;
  #budgets: Budgets;
  #today: { readonly day: string; readonly rows: readonly SpendingRow[] } = { day: '', rows: [] };

  constructor(config: Config, options: GatesOptions) {
    this.#o = options;
    this.#config = config;
    this.#budgets = budgetsOf(config);
    this.parking = new Parking(options);
  }

  /** Reads what an earlier process kept. Call before the first question. */
  async load(): Promise<void> {
    await this.parking.load();
    await this.parking.configure(this.#config);
    for (const { name, value } of await this.#o.ledger.kept.list(BREAKER)) {
      const state = parseBreaker(value);
      this.#breakers.set(name, state);
      if (state.at !== 'closed') this.#tellBreaker(name, state);
    }
    await this.refresh();
  }

  configure(config: Config): void {
    this.#config = config;
    this.#budgets = budgetsOf(config);
    for (const [agent, state] of this.#breakers)
      if (!config.agents.get(agent)?.breaker) {
        this.#breakers.delete(agent);
        if (state.at !== 'closed') this.#o.conditions.clear('BREAKER_OPEN', agent);
      }
  }

  /** Takes up what was spent today, and keeps what changed. Costs nothing where nobody has a budget or a breaker. */
  async refresh(): Promise<void> {
    this.parking.look();
    await this.#takeUpSpending();
    await this.#keepAll();
  }

  /** @param rule Absent: what concerns the agent whatever the rule. */
  of(agent: AgentConfig, rule?: RuleConfig): Gate {
    const now = this.#o.now();
    const parked = this.parking.of(agent.name);
    if (parked) {
      const { why, message } = parked;
      const until = untilOf(parked);
      const isShort = why === 'quota' || why === 'rate';
      const mayDivert = !isShort || (isCliAgent(agent) && agent.cli.onQuota === 'fallback');
      const fix = parkedFix(agent.name, { until, ...(why === 'auth' && { fix: parked.fix }) });
      const park = {
        ...{ reason: waitReasonOf(parked), message, fix },
        ...(until !== undefined && { notBefore: until }),
      };
      return { kind: 'closed', mayDivert, park };
    }
    const state = this.#breakers.get(agent.name);
    const call = state && agent.breaker ? mayCall(state, now) : 'yes';
    if (typeof call === 'object') {
      const message = `the breaker of agent "${agent.name}" is open: ${state?.at === 'closed' ? '' : state?.reason}`;
      const fix = `It is tried again by itself. \`fallback\` of agent "${agent.name}" would name another one.`;
      return {
        kind: 'closed',
        mayDivert: true,
        park: { reason: 'breaker', message, fix, notBefore: call.until },
      };
    }
    const stop = this.#stop(agent.name, rule?.name ?? '', now);
    if (stop !== 'free') {
      const { message, fix, until } = stop;
      return { kind: 'closed', mayDivert: false, park: { reason: 'budget', message, fix, notBefore: until } };
    }
    return call === 'probe' || this.parking.isTried(agent.name) ? { kind: 'probe' } : open;
  }

  /** Whether what this attempt uses has to be heard while it runs. */
  isBounded({ agent, rule }: Pick<Crew, 'agent' | 'rule'>): boolean {
    return this.#budgets.isLimited(agent.name, rule.name);
  }

  /** A bound per run that earlier attempts of the job have used up already. */
  overspent(agent: AgentConfig, rule: RuleConfig, job: JobRecord): Crossing | undefined {
    if (job.attempts.length === 0 || !this.isBounded({ agent, rule })) return undefined;
    const one = {
      job: job.id,
      agent: agent.name,
      rule: rule.name,
      spent: { costUsd: null },
      before: spentBefore([job]),
    };
    const found = this.#budgets.at({ today: [], running: [one], now: this.#o.now() }).crossed(job.id);
    return found?.limit.endsWith('_per_run') ? found : undefined;
  }

  /** An attempt begins: if its agent is being tried again, this is the one that tries. */
  began(crew: Crew): void {
    const { agent, rule, leases } = crew;
    const { id } = leaderOf(crew).job;
    const state = this.#breakers.get(agent.name);
    if (state && agent.breaker) this.#setBreaker(agent.name, beginProbe(state, this.#o.now(), id));
    if (!this.isBounded(crew)) return;
    this.#running.set(id, {
      job: id,
      agent: agent.name,
      rule: rule.name,
      files: leases.length,
      spent: { costUsd: null },
      before: spentBefore(leases.map(({ job }) => job)),
    });
  }

  /**
   * What a running attempt has used so far.
   * @returns the attempts that are to be ended because of it: this one or, for a bound of the day, others too.
   */
  spent(job: JobId, spent: Spent): readonly { readonly job: JobId; readonly crossing: Crossing }[] {
    const known = this.#running.get(job);
    if (!known) return [];
    this.#running.set(job, { ...known, spent });
    const view = this.#view();
    return [...this.#running.keys()].flatMap((id) => {
      const crossing = view.crossed(id);
      return crossing ? [{ job: id, crossing }] : [];
    });
  }

  /** An attempt has ended and is about to stand in the ledger: what it told of itself counts there from now on. */
  ending(crew: Crew): void {
    const { id } = leaderOf(crew).job;
    const known = this.#running.get(id);
    if (known) this.#running.set(id, { ...known, spent: { costUsd: null } });
  }

  /**
   * An attempt has ended and stands in the ledger.
   * @param call Absent: its end says nothing about the agent.
   */
  async ended(
    crew: Crew,
    call: Pick<BreakerCall, 'isFault' | 'durationMs' | 'message'> | undefined,
    { endedAt }: Pick<AgentResult, 'endedAt'>,
  ): Promise<void> {
    const { agent } = crew;
    const { id } = leaderOf(crew).job;
    const wasHeard = this.#running.delete(id);
    if (agent.breaker) {
      const state = this.#breakers.get(agent.name) ?? closedBreaker;
      const next = call
        ? record(state, agent.breaker, { job: id, at: endedAt, ...call })
        : abandon(state, id);
      await this.#moveBreaker(agent.name, state, next);
    }
    // What breakers have counted is kept with the next patrol, and when one of them opens or closes.
    if (wasHeard) await this.#takeUpSpending();
  }

  /** Nothing of this attempt goes on, however it went: what was not told as ended says nothing about the agent. */
  left({ id, agent }: JobRecord): void {
    this.#running.delete(id);
    const state = this.#breakers.get(agent);
    if (state) this.#setBreaker(agent, abandon(state, id));
  }

  /** The limits that are not just counted: for `status`. */
  budgets(): { readonly rows: readonly SpendingRow[]; readonly running: readonly RunningSpent[] } {
    return { rows: this.#today.rows, running: [...this.#running.values()] };
  }

  breaker(agent: string): BreakerState {
    return this.#breakers.get(agent) ?? closedBreaker;
  }

  /** Agents and rules whose budget stops them now: what is queued for them is parked. */
  stopped(): readonly { readonly rule: string; readonly gate: Extract<Gate, { kind: 'closed' }> }[] {
    const now = this.#o.now();
    return this.#config.rules.flatMap(({ name, budget }) => {
      const stop = budget ? this.#stopOfRule(name, now) : 'free';
      if (stop === 'free') return [];
      const { message, fix, until } = stop;
      const park = { reason: 'budget', message, fix, notBefore: until } as const;
      return [{ rule: name, gate: { kind: 'closed', mayDivert: false, park } }];
    });
  }

  async #takeUpSpending(): Promise<void> {
    const day = dayOf(this.#o.now());
    if (this.#hasBudgets()) this.#today = { day, rows: await this.#o.ledger.spending.of(day) };
    this.#tellBudgets();
  }

  async #keepAll(): Promise<void> {
    for (const agent of this.#unkept) await this.#o.ledger.kept.put(BREAKER, agent, this.breaker(agent));
    this.#unkept.clear();
  }

  async #moveBreaker(agent: string, from: BreakerState, to: BreakerState): Promise<void> {
    if (to === from) return;
    this.#setBreaker(agent, to);
    if (to.at === from.at) return;
    this.#tellBreaker(agent, to);
    await this.#keepAll();
    // A probe that was abandoned, or that succeeded: what waits need not wait for the time.
    if (to.at !== 'open') await this.#o.ledger.jobs.wake({ reason: 'breaker', agent });
  }

  #setBreaker(agent: string, state: BreakerState): void {
    this.#breakers.set(agent, state);
    this.#unkept.add(agent);
  }

  #tellBreaker(agent: string, state: BreakerState): void {
    const { conditions } = this.#o;
    if (state.at === 'closed') return conditions.clear('BREAKER_OPEN', agent);
    const until =
      state.at === 'open' ? ` until ${new Date(state.until).toISOString()}` : ' while one call tries it';
    conditions.raise({
      code: 'BREAKER_OPEN',
      subject: agent,
      message: `agent "${agent}" is left alone${until}: ${state.reason}`,
      fix: 'It is tried again by itself; `sluice jobs list --state failed` shows what went wrong.',
    });
  }

  #stop(agent: string, rule: string, now: number): 'free' | BudgetStop {
    if (!this.#budgets.isLimited(agent, rule)) return 'free';
    return this.#view(now).stop(agent, rule);
  }

  #stopOfRule(rule: string, now: number): 'free' | BudgetStop {
    return this.#view(now).stop('', rule);
  }

  #view(now = this.#o.now()): ReturnType<Budgets['at']> {
    const today = this.#today.day === dayOf(now) ? this.#today.rows : [];
    return this.#budgets.at({ today, running: [...this.#running.values()], now });
  }

  #hasBudgets(): boolean {
    const { budget, agents, rules } = this.#config;
    return (
      budget !== undefined || rules.some((rule) => rule.budget) || [...agents.values()].some((a) => a.budget)
    );
  }

  /** One condition per scope that is stopped. */
  #tellBudgets(): void {
    const { conditions, now } = this.#o;
    const view = this.#view(now());
    const stops = new Map<string, BudgetStop>();
    const rules = this.#config.rules.filter(({ budget }) => budget).map(({ name }) => name);
    for (const agent of this.#config.agents.keys())
      for (const rule of ['', ...rules]) {
        const stop = this.#budgets.isLimited(agent, rule) ? view.stop(agent, rule) : 'free';
        if (stop !== 'free') stops.set(`${stop.code}\0${stop.scope}`, stop);
      }
    for (const [key, code] of this.#raised) {
      if (stops.has(key)) continue;
      conditions.clear(code, key.slice(key.indexOf('\0') + 1));
      this.#raised.delete(key);
    }
    for (const [key, { code, scope, message, fix }] of stops) {
      conditions.raise({ code, subject: scope, message, fix });
      this.#raised.set(key, code);
    }
  }
}

function budgetsOf(config: Config): Budgets {
  return createBudgets(config, (agent) => config.agents.get(agent)?.kind === 'builtin');
}

function spentBefore(jobs: readonly JobRecord[]): Spent {
  let costUsd: number | null = null;
  let usage = noUsage;
  for (const attempt of jobs.flatMap(({ attempts }) => attempts)) {
    if (attempt.costUsd !== undefined) costUsd = (costUsd ?? 0) + attempt.costUsd;
    if (attempt.usage) usage = addUsage(usage, attempt.usage);
  }
  return { usage, costUsd };
}
