/**
 * From which queues may be claimed right now: those of agents below their limit and their rate, and below the limit of
 * the lane. Counted once for each claim and kept up to date while it takes jobs. Only running jobs are counted, so that a
 * full lane costs nothing however many wait in it.
 */
import type { JobLedger, Lane } from '../ledger.ts';
import type { Database } from './database.ts';
import { forgetFuture, noteStart, rateFreeAt } from './rates.ts';

type Limits = Pick<Parameters<JobLedger['claim']>[0], 'limits' | 'lanes' | 'rates'>;

export interface Room {
  /** Lanes that have room now. */
  lanes(): Iterable<string>;
  has(lane: string): boolean;
  /** An attempt of this lane has begun. */
  taken(lane: string): void;
}

export function roomOf(db: Database, at: number, { limits, lanes, rates }: Limits): Room {
  const open = openLanes(limits, lanes);
  const isLimited = [...open.values()].some(({ limit }) => Number.isFinite(limit)) || isAnyFinite(limits);
  const running = isLimited ? loadByLane(db) : [];
  const ofAgent = new Map<string, number>();
  const ofLane = new Map<string, number>();
  const add = (agent: string, lane: string, n: number): void => {
    ofAgent.set(agent, (ofAgent.get(agent) ?? 0) + n);
    ofLane.set(lane, (ofLane.get(lane) ?? 0) + n);
  };
  for (const { agent, lane, n } of running) add(agent, lane, n);
  for (const agent of rates?.keys() ?? []) forgetFuture(db, at, agent);

  const has = (lane: string): boolean => {
    const { agent, limit } = open.get(lane) as Lane;
    if ((ofLane.get(lane) ?? 0) >= limit) return false;
    if ((ofAgent.get(agent) ?? 0) >= (limits.get(agent) ?? 0)) return false;
    const rate = rates?.get(agent);
    return !rate || rateFreeAt(db, at, agent, rate) === undefined;
  };
  return {
    has,
    *lanes() {
      for (const lane of open.keys()) if (has(lane)) yield lane;
    },
    taken(lane) {
      const { agent } = open.get(lane) as Lane;
      add(agent, lane, 1);
      const rate = rates?.get(agent);
      if (rate) noteStart(db, at, agent, rate);
    },
  };
}

/** Running attempts: a batch is one. */
export function loadBy(db: Database, what: 'agent' | 'rule'): Map<string, number> {
  const rows = db.all<{ name: string; n: number }>(
    `select ${what} name, count(distinct coalesce(flight, seq)) n from job where state = 'running' group by ${what}`,
  );
  return new Map(rows.map(({ name, n }) => [name, n]));
}

function loadByLane(db: Database): { agent: string; lane: string; n: number }[] {
  return db.all(
    `select agent, lane, count(distinct coalesce(flight, seq)) n from job where state = 'running' group by agent, lane`,
  );
}

function openLanes(
  limits: ReadonlyMap<string, number>,
  lanes: ReadonlyMap<string, Lane> | undefined,
): Map<string, Lane> {
  const open = new Map<string, Lane>();
  for (const agent of limits.keys()) open.set(agent, { agent, limit: Number.POSITIVE_INFINITY });
  for (const [name, lane] of lanes ?? []) if (limits.has(lane.agent)) open.set(name, lane);
  return open;
}

function isAnyFinite(limits: ReadonlyMap<string, number>): boolean {
  for (const limit of limits.values()) if (Number.isFinite(limit)) return true;
  return false;
}
