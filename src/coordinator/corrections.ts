/**
 * What launches of an agent CLI turned out to need, remembered per agent: the job that found it out was started twice, the
 * next ones begin with it. The ceiling in force bounds it at each launch (`agents/cli/correction.ts`).
 */
import { merge } from '../agents/cli/correction.ts';
import { isCliAgent } from '../config/config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { CliRecord, Correction } from '../types/agent-cli.ts';
import { type Crew, leaderOf } from './call.ts';

const CORRECTION = 'correction';

/** @returns undefined: a plain launch. */
export async function correctionOf(
  { kept }: Pick<Ledger, 'kept'>,
  crew: Crew,
): Promise<Correction | undefined> {
  if (!isCliAgent(crew.agent)) return undefined;
  const learned = ((await kept.get(CORRECTION, crew.agent.name)) ?? {}) as Correction;
  const told = lackingOf(crew);
  const given = told?.correction ? plain(told.correction) : {};
  const all = [learned, given, told?.next ?? told?.wanted ?? {}].reduce(merge);
  return Object.keys(all).length > 0 ? all : undefined;
}

/** The attempt that follows has been given what one before it lacked: it is not corrected a second time. */
export function isCorrected(crew: Crew): boolean {
  return lackingOf(crew)?.next !== undefined;
}

/** It worked with a correction: the next jobs begin with it. */
export async function learn(
  { kept }: Pick<Ledger, 'kept'>,
  agent: string,
  { correction }: CliRecord,
): Promise<void> {
  if (!correction) return;
  const known = ((await kept.get(CORRECTION, agent)) ?? {}) as Correction;
  await kept.put(CORRECTION, agent, merge(known, plain(correction)));
}

/** The last attempt that said what it lacked. Those after it may have failed of something else: it still holds for the next. */
function lackingOf(crew: Crew): CliRecord | undefined {
  const { attempts } = leaderOf(crew).job;
  return attempts.findLast(
    ({ agent, cli }) =>
      agent === crew.agent.name && cli !== undefined && (cli.next !== undefined || cli.denials.length > 0),
  )?.cli;
}

function plain({ added: _, removed: __, ...correction }: NonNullable<CliRecord['correction']>): Correction {
  return correction;
}
