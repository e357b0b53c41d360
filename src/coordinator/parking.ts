/**
 * Agents that are left alone until a time that they named themselves (their quota or rate is used up), or until a person
 * says so. Kept in the ledger: a restart asks nobody again before the time. What is parked uses up no retry.
 */
import type { AgentConfig, Config } from '../config/config.ts';
import { isCliAgent } from '../config/config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Conditions } from '../types/condition.ts';

export interface Parked {
  readonly why: 'quota' | 'rate' | 'paused';
  readonly message: string;
  /** Epoch milliseconds; absent: until a person lets it go on. */
  readonly until?: number;
  /** How often in a row: a pause that nobody named doubles. */
  readonly times: number;
}

/** What an agent said of its quota. */
export interface Shortage {
  readonly why: 'quota' | 'rate';
  readonly message: string;
  readonly until?: number;
  readonly retryAfterMs?: number;
}

export interface ParkingOptions {
  readonly ledger: Pick<Ledger, 'kept' | 'jobs'>;
  readonly conditions: Pick<Conditions, 'raise' | 'clear'>;
  readonly now: () => number;
}

const PARKED = 'parked';
/** Where the agent named no time. */
const firstPauseMs = { rate: 60_000, quota: 15 * 60_000 } as const;
const longestPauseMs = 4 * 3_600_000;
/** A time that was named may lie a moment too early, and clocks differ. */
const marginMs = 1_000;
/** Beyond this a named time is taken for a mistake and asked again in between. */
const longestNamedMs = 8 * 86_400_000;

export class Parking {
  readonly #o: ParkingOptions;
  readonly #parked = new Map<string, Parked>();

  constructor(options: ParkingOptions) {
    this.#o = options;
  }

  async load(): Promise<void> {
    for (const { name, value } of await this.#o.ledger.kept.list(PARKED)) {
      const parked = value as Parked;
      if (typeof parked?.why !== 'string') continue;
      this.#parked.set(name, parked);
      this.#tell(name);
    }
  }

  /** Agents that are gone from the configuration, or are no CLIs any more, are no longer parked for a quota. */
  async configure(config: Config): Promise<void> {
    for (const [name, { why }] of this.#parked) {
      const agent = config.agents.get(name);
      if (!agent || (why !== 'paused' && !isCliAgent(agent))) await this.resume(name);
    }
  }

  /** Undefined: it may be called. */
  of(agent: string): Parked | undefined {
    const parked = this.#parked.get(agent);
    if (!parked || (parked.until !== undefined && parked.until <= this.#o.now())) return undefined;
    return parked;
  }

  list(): ReadonlyMap<string, Parked> {
    return new Map(
      [...this.#parked.keys()].flatMap((name) => {
        const parked = this.of(name);
        return parked ? [[name, parked] as const] : [];
      }),
    );
  }

  async park(
    { name, ...agent }: AgentConfig,
    { why, message, until, retryAfterMs }: Shortage,
  ): Promise<Parked> {
    const now = this.#o.now();
    const before = this.#parked.get(name);
    // Attempts that ran at once tell of the same shortage.
    const isSame = before !== undefined && this.of(name) !== undefined;
    // A person's word holds, whatever an attempt says that was under way.
    if (isSame && before.why === 'paused') return before;
    const times = isSame ? before.times : (before?.times ?? 0) + 1;
    const named = until ?? (retryAfterMs === undefined ? undefined : now + retryAfterMs);
    const own = now + Math.min(longestPauseMs, firstPauseMs[why] * 2 ** Math.min(times - 1, 20));
    const end = named === undefined ? own : Math.min(Math.max(named, now) + marginMs, now + longestNamedMs);
    const isPause = 'cli' in agent && agent.cli.onQuota === 'pause';
    const parked: Parked = isPause
      ? { why, message, times }
      : { why, message, times, until: isSame ? Math.max(before.until ?? end, end) : end };
    await this.#set(name, parked);
    return parked;
  }

  /** A person stops it: nothing more is started on it. */
  async pause(agent: string, who: string): Promise<void> {
    await this.#set(agent, { why: 'paused', message: `paused by ${who}`, times: 0 });
  }

  /** @returns false: it was not parked. */
  async resume(agent: string): Promise<boolean> {
    if (!this.#parked.delete(agent)) return false;
    await this.#o.ledger.kept.forget(PARKED, agent);
    for (const code of ['AGENT_PARKED', 'AGENT_PAUSED'] as const) this.#o.conditions.clear(code, agent);
    await this.#o.ledger.jobs.wake({ reason: 'quota', agent });
    return true;
  }

  /** It works again: the next shortage is the first. */
  async worked(agent: string): Promise<void> {
    const parked = this.#parked.get(agent);
    if (parked && this.of(agent) === undefined) await this.resume(agent);
  }

  /** Times that have come: the condition goes, what waits goes on by itself. */
  look(): void {
    for (const name of this.#parked.keys())
      if (this.of(name) === undefined) this.#o.conditions.clear('AGENT_PARKED', name);
  }

  async #set(agent: string, parked: Parked): Promise<void> {
    this.#parked.set(agent, parked);
    await this.#o.ledger.kept.put(PARKED, agent, parked);
    this.#tell(agent);
  }

  #tell(agent: string): void {
    const parked = this.of(agent);
    if (!parked) return;
    const { conditions } = this.#o;
    const { until, message } = parked;
    const code = until === undefined ? 'AGENT_PAUSED' : 'AGENT_PARKED';
    conditions.clear(code === 'AGENT_PAUSED' ? 'AGENT_PARKED' : 'AGENT_PAUSED', agent);
    conditions.raise({
      code,
      subject: agent,
      message: `agent "${agent}" ${until === undefined ? 'is paused' : `waits until ${new Date(until).toISOString()}`}: ${message}`,
      fix: parkedFix(agent, parked),
    });
  }
}

export function parkedFix(agent: string, { until }: Pick<Parked, 'until'>): string {
  if (until === undefined) return `\`sluice agents resume ${agent}\` lets it go on.`;
  return `It goes on by itself then; \`sluice agents resume ${agent}\` tries it now, \`fallback\` of the agent would name another one.`;
}
