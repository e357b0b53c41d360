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
  const last = lastOf(crew)?.next ?? {};
  const all = merge(learned, last);
  return Object.keys(all).length > 0 ? all : undefined;
}

/** The attempt that follows has been given what the one before it lacked: it is not corrected a second time. */
export function isCorrected(crew: Crew): boolean {
  return lastOf(crew)?.next !== undefined;
}

/** It worked with a correction: the next jobs begin with it. */
export async function learn(
  { kept }: Pick<Ledger, 'kept'>,
  agent: string,
  { correction }: CliRecord,
): Promise<void> {
  if (!correction) return;
  const { added: _, removed: __, ...learned } = correction;
  await kept.put(
    CORRECTION,
    agent,
    merge(((await kept.get(CORRECTION, agent)) ?? {}) as Correction, learned),
  );
}

function lastOf(crew: Crew): CliRecord | undefined {
  const last = leaderOf(crew).job.attempts.at(-1);
  return last?.agent === crew.agent.name ? last.cli : undefined;
}
