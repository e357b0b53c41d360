/**
 * Agents that are left alone: until a time that they named themselves (their quota or rate is used up), until they may be
 * let in again (`refusal.ts`), or until a person says so. Kept in the ledger: a restart asks nobody again before the time.
 * What is parked uses up no retry.
 */
import type { AgentConfig, Config } from '../config/config.ts';
import { isCliAgent } from '../config/config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Condition, Conditions } from '../types/condition.ts';
import type { WaitReason } from '../types/job.ts';
import { letTry, mayTry, parseRefused, type Refusal, type Refused, refuse, seeEvidence } from './refusal.ts';

export type Parked = Short | Paused | Refused;

interface Short {
  readonly why: 'quota' | 'rate';
  readonly message: string;
  /** Epoch milliseconds; absent: until a person lets it go on. */
  readonly until?: number;
  /** How often in a row: a pause that nobody named doubles. */
  readonly times: number;
}

interface Paused {
  readonly why: 'paused';
  readonly message: string;
  readonly times: number;
  /** It was not let in, either: what lets it go on does not make that good. */
  readonly behind?: Refused;
}

/** Why an agent is left alone: `quota`, `rate`, `paused`, `auth`. */
export interface ParkedAgent {
  /** When it goes on by itself or, of `auth`, is tried again. Epoch milliseconds. */
  readonly until?: number;
  readonly reason: string;
  readonly message: string;
  /** Of `auth`: how to log in. */
  readonly fix?: string;
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
/** So often in a row a named time is believed; then pauses grow, since each try starts a program for nothing. */
const timesBelieved = 3;
const firstDisbeliefMs = 10_000;
/** Beyond this a named time is taken for a mistake and asked again in between. */
const longestNamedMs = 8 * 86_400_000;
const codes = ['AGENT_PARKED', 'AGENT_PAUSED', 'AGENT_AUTH'] as const;
/** Jobs of an agent that is left alone wait for one of these. Older versions said `quota` for each. */
const reasons: readonly WaitReason[] = ['quota', 'rate_limit', 'paused', 'auth'];

export class Parking {
  readonly #o: ParkingOptions;
  readonly #parked = new Map<string, Parked>();
  /** Agents, and who takes over for each. */
  #chains: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(options: ParkingOptions) {
    this.#o = options;
  }

  async load(): Promise<void> {
    for (const { name, value } of await this.#o.ledger.kept.list(PARKED)) {
      const parked = parseParked(value);
      if (!parked) continue;
      this.#parked.set(name, parked);
      this.#tell(name);
    }
  }

  /** Agents that are gone from the configuration, or are no CLIs any more, have no quota and no log-in any more. */
  async configure(config: Config): Promise<void> {
    this.#chains = new Map([...config.agents].map(([name, { fallback }]) => [name, fallback]));
    for (const [name, { why }] of this.#parked) {
      const agent = config.agents.get(name);
      if (!agent || (why !== 'paused' && !isCliAgent(agent))) await this.#forget(name);
    }
  }

  /** Undefined: it may be called, by one job at a time where `isTried`. */
  of(agent: string): Parked | undefined {
    const parked = this.#parked.get(agent);
    return parked && this.#isInForce(parked) ? parked : undefined;
  }

  /** It was not let in, and what changed may have mended that: one job at a time. */
  isTried(agent: string): boolean {
    const parked = this.#parked.get(agent);
    return parked?.why === 'auth' && !this.#isInForce(parked);
  }

  /** Who is left alone, and who is not let in as far as anybody knows, also where that is about to be tried. */
  list(): ReadonlyMap<string, Parked> {
    return new Map(
      [...this.#parked].filter(([, parked]) =>
        parked.why === 'auth' ? parked.tryAt === undefined : this.#isInForce(parked),
      ),
    );
  }

  async park(
    { name, ...agent }: AgentConfig,
    { why, message, until, retryAfterMs }: Shortage,
  ): Promise<Parked> {
    const now = this.#o.now();
    const before = this.#parked.get(name);
    const isInForce = before !== undefined && this.#isInForce(before);
    // A person's word holds, whatever an attempt says that was under way; and who is not let in has no quota.
    if (isInForce && (before.why === 'paused' || before.why === 'auth')) return before;
    const shortBefore = before?.why === 'quota' || before?.why === 'rate' ? before : undefined;
    // Attempts that ran at once tell of the same shortage.
    const isSame = shortBefore !== undefined && isInForce;
    const times = isSame ? shortBefore.times : (shortBefore?.times ?? 0) + 1;
    const named = until ?? (retryAfterMs === undefined ? undefined : now + retryAfterMs);
    const end =
      now + (named === undefined ? doubled(firstPauseMs[why], times) : namedPauseMs(named - now, times));
    const isPause = 'cli' in agent && agent.cli.onQuota === 'pause';
    const parked: Parked = isPause
      ? { why, message, times }
      : { why, message, times, until: isSame ? Math.max(shortBefore.until ?? end, end) : end };
    await this.#set(name, parked);
    return parked;
  }

  /** It is known that it is not let in: the job that found it out has failed, others wait. */
  isRefused(agent: string): boolean {
    return refusedIn(this.#parked.get(agent)) !== undefined;
  }

  /** An attempt of it was not let in. */
  async refused(agent: string, refusal: Refusal): Promise<void> {
    const before = this.#parked.get(agent);
    const known = refusedIn(before);
    const refused = refuse(known, refusal, this.#o.now());
    if (refused === known) return;
    await this.#set(agent, before?.why === 'paused' ? { ...before, behind: refused } : refused);
  }

  /** Those whose log-in is worth a look. */
  refusedAgents(): readonly string[] {
    return [...this.#parked].flatMap(([name, { why }]) => (why === 'auth' ? [name] : []));
  }

  /** @param evidence What its log-in rests on now; undefined: that cannot be told. */
  async seeEvidence(agent: string, evidence: string | undefined): Promise<void> {
    const parked = this.#parked.get(agent);
    if (parked?.why !== 'auth') return;
    const now = seeEvidence(parked, evidence, this.#o.now());
    if (now === parked) return;
    await this.#set(agent, now);
    if (now.tryAt !== undefined) await this.#wake(agent);
  }

  /** A person wants to know whether it is let in by now: one job tries. What else keeps it back stays. */
  async tryLogIn(agent: string): Promise<void> {
    const parked = this.#parked.get(agent);
    if (parked?.why === 'auth' && parked.tryAt === undefined) await this.resume(agent);
  }

  /** @param startedAt Of an attempt that was let in. One that began before it was not let in proves less than that. */
  async letIn(agent: string, startedAt: number): Promise<void> {
    const parked = this.#parked.get(agent);
    const refused = refusedIn(parked);
    if (!parked || !refused) return;
    if (parked.why === 'paused') {
      const { behind: _, ...pause } = parked;
      await this.#set(agent, pause);
    } else if (startedAt >= refused.at) await this.#forget(agent);
    else await this.tryLogIn(agent);
  }

  /** A person stops it: nothing more is started on it. */
  async pause(agent: string, who: string): Promise<void> {
    const behind = refusedIn(this.#parked.get(agent));
    await this.#set(agent, {
      ...{ why: 'paused', message: `paused by ${who}`, times: 0 },
      ...(behind && { behind }),
    });
  }

  /** A person lets it go on; one that was not let in is tried by one job first. @returns false: it was not parked. */
  async resume(agent: string): Promise<boolean> {
    const parked = this.#parked.get(agent);
    const refused = refusedIn(parked);
    if (!parked) return false;
    if (!refused) {
      await this.#forget(agent);
      return true;
    }
    await this.#set(agent, letTry(refused, this.#o.now()));
    await this.#wake(agent);
    return parked.why === 'paused' || refused.tryAt === undefined;
  }

  /** It works again: the next shortage is the first. */
  async worked(agent: string): Promise<void> {
    const parked = this.#parked.get(agent);
    if (parked && parked.why !== 'auth' && !this.#isInForce(parked)) await this.#forget(agent);
  }

  /** Times that have come: the condition goes, what waits goes on by itself. */
  look(): void {
    for (const [name, parked] of this.#parked)
      if (parked.why !== 'auth' && !this.#isInForce(parked)) this.#tell(name);
  }

  /** Jobs that wait for an agent that is not left alone: a crash came between the one and the other. */
  async wakeLeft(): Promise<void> {
    for (const { agent, reason } of await this.#o.ledger.jobs.waits())
      if (reasons.includes(reason) && !this.of(agent)) await this.#wake(agent);
  }

  #isInForce(parked: Parked): boolean {
    const now = this.#o.now();
    if (parked.why === 'paused') return true;
    if (parked.why === 'auth') return !mayTry(parked, now);
    return parked.until === undefined || parked.until > now;
  }

  async #set(agent: string, parked: Parked): Promise<void> {
    this.#parked.set(agent, parked);
    await this.#o.ledger.kept.put(PARKED, agent, parked);
    this.#tell(agent);
  }

  async #forget(agent: string): Promise<void> {
    this.#parked.delete(agent);
    await this.#o.ledger.kept.forget(PARKED, agent);
    this.#tell(agent);
    await this.#wake(agent);
  }

  /** Also those for whom it takes over: their jobs can go on with it. */
  async #wake(agent: string): Promise<void> {
    const woken = new Set([agent]);
    for (const one of woken) {
      for (const reason of reasons) await this.#o.ledger.jobs.wake({ reason, agent: one });
      for (const [name, chain] of this.#chains) if (chain.includes(one)) woken.add(name);
    }
  }

  #tell(agent: string): void {
    const { conditions } = this.#o;
    const wanted = conditionsOf(agent, this.#parked.get(agent), (parked) => this.#isInForce(parked));
    for (const code of codes)
      if (!wanted.some((condition) => condition.code === code)) conditions.clear(code, agent);
    for (const condition of wanted) conditions.raise(condition);
  }
}

/** For what the jobs of an agent that is left alone wait. */
export function waitReasonOf(parked: Parked): WaitReason {
  if (parked.why === 'auth') return 'auth';
  if (untilOf(parked) === undefined) return 'paused';
  return parked.why === 'rate' ? 'rate_limit' : 'quota';
}

/** When it goes on, or is tried, by itself; undefined: a person says so. Epoch milliseconds. */
export function untilOf(parked: Parked): number | undefined {
  return parked.why === 'paused' ? undefined : parked.until;
}

export function viewParked(parked: Parked): ParkedAgent {
  const { why: reason, message } = parked;
  const until = untilOf(parked);
  return {
    ...{ reason, message },
    ...(until !== undefined && { until }),
    ...(parked.why === 'auth' && { fix: parked.fix }),
  };
}

/** What lets it go on. @param parked `fix`: of one that is not let in, how to log in. */
export function parkedFix(
  agent: string,
  { until, fix }: { readonly until?: number | undefined; readonly fix?: string | undefined },
): string {
  if (fix !== undefined)
    return `${fix} That is noticed within a quarter of a minute where it can be seen; \`sluice agents resume ${agent}\` tries it now.`;
  if (until === undefined) return `\`sluice agents resume ${agent}\` lets it go on.`;
  return `It goes on by itself then; \`sluice agents resume ${agent}\` tries it now, \`fallback\` of the agent would name another one.`;
}

function conditionsOf(
  subject: string,
  parked: Parked | undefined,
  isInForce: (parked: Parked) => boolean,
): readonly Omit<Condition, 'since'>[] {
  const conditions: Omit<Condition, 'since'>[] = [];
  const refused = refusedIn(parked);
  if (refused && refused.tryAt === undefined) {
    const fix = `${parkedFix(subject, refused)} What has failed: \`sluice jobs retry --failed\`.`;
    conditions.push({ code: 'AGENT_AUTH', subject, message: refused.message, fix });
  }
  if (!parked || parked.why === 'auth' || !isInForce(parked)) return conditions;
  const until = untilOf(parked);
  const how = until === undefined ? 'is paused' : `waits until ${new Date(until).toISOString()}`;
  conditions.push({
    code: until === undefined ? 'AGENT_PAUSED' : 'AGENT_PARKED',
    ...{ subject, message: `agent "${subject}" ${how}: ${parked.message}` },
    fix: parkedFix(subject, { until }),
  });
  return conditions;
}

function refusedIn(parked: Parked | undefined): Refused | undefined {
  if (parked?.why === 'paused') return parked.behind;
  return parked?.why === 'auth' ? parked : undefined;
}

/** @param times In a row, from 1. */
function doubled(firstMs: number, times: number): number {
  return Math.min(longestPauseMs, firstMs * 2 ** Math.min(times - 1, 20));
}

function namedPauseMs(leftMs: number, times: number): number {
  const leastMs = times > timesBelieved ? doubled(firstDisbeliefMs, times - timesBelieved) : 0;
  return Math.min(Math.max(leftMs + marginMs, marginMs, leastMs), longestNamedMs);
}

/** What an earlier process kept; anything else is no parking. */
export function parseParked(kept: unknown): Parked | undefined {
  const { why, message, until, times, behind } = (kept ?? {}) as Record<string, unknown>;
  if (why === 'auth') return parseRefused(kept);
  if (typeof message !== 'string') return undefined;
  if (why === 'paused') {
    const refused = parseRefused(behind);
    return { why, message, times: 0, ...(refused && { behind: refused }) };
  }
  if (why !== 'quota' && why !== 'rate') return undefined;
  return {
    ...{ why, message },
    ...(typeof until === 'number' && { until }),
    times: typeof times === 'number' ? times : 1,
  };
}
