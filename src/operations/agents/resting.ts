/**
 * How agents stand where no daemon runs: what the ledger kept of pauses, quotas and breakers, and whether their programs
 * are there. Nothing is started, so that a program that is there but broken is found out only when it is used.
 */
import { builtinCliKinds } from '../../agents/cli/kinds.ts';
import { baseEnvironment, searchPath } from '../../agents/environment.ts';
import { findCommand } from '../../agents/find-command.ts';
import { type AgentConfig, type Config, isCliAgent } from '../../config/config.ts';
import { parseBreaker } from '../../coordinator/breaker.ts';
import { type ParkedAgent, parseParked, viewParked } from '../../coordinator/parking.ts';
import { type AgentStanding, standingOf } from '../../engine/agent-standing.ts';
import type { KeptLedger } from '../../ledger/ledger.ts';

export interface RestingOptions {
  readonly config: Pick<Config, 'projectDir'>;
  /** Absent: the project has no ledger yet. */
  readonly kept?: Pick<KeptLedger, 'list'>;
  readonly env: NodeJS.ProcessEnv;
  readonly now: number;
}

export async function restingStandings({
  config,
  kept,
  env,
  now,
}: RestingOptions): Promise<(agent: AgentConfig) => Promise<AgentStanding>> {
  const byName = async (kind: string): Promise<ReadonlyMap<string, unknown>> =>
    new Map(((await kept?.list(kind)) ?? []).map(({ name, value }) => [name, value]));
  const [breakers, parked] = [await byName('breaker'), await byName('parked')];
  const base = baseEnvironment(env);
  return async (agent) =>
    standingOf({
      problem: missingProgram(agent, searchPath(base, agent), config.projectDir),
      parked: restingParked(parked.get(agent.name)),
      breaker: agent.breaker && parseBreaker(breakers.get(agent.name)),
      now,
    });
}

function missingProgram(
  agent: AgentConfig,
  path: string,
  projectDir: string,
): { readonly message: string; readonly fix: string } | undefined {
  const programs = programsOf(agent);
  const [first] = programs;
  // A PATH or a name that is filled in when it runs cannot be looked up here.
  if (first === undefined || [path, ...programs].some((text) => text.includes('${'))) return undefined;
  const found = programs.map((program) => findCommand(program, path, projectDir));
  const refusals = found.flatMap((one) => ('code' in one ? [one] : []));
  const refusal = refusals.find(({ isFile }) => isFile) ?? refusals[0];
  if (!refusal || found.some((one) => 'file' in one)) return undefined;
  if (refusal.fix !== undefined) return { message: refusal.message, fix: `${refusal.fix}.` };
  const kind = isCliAgent(agent) && agent.kind !== 'plugin' ? builtinCliKinds.get(agent.kind) : undefined;
  return {
    message: refusal.message,
    fix: kind
      ? `Install it: \`${kind.install}\`, or name its place in \`agents.${agent.name}.program\`.`
      : `Install it, or correct \`agents.${agent.name}.command\`.`,
  };
}

function programsOf(agent: AgentConfig): readonly string[] {
  if (agent.kind === 'command') return agent.command.slice(0, 1);
  if (!isCliAgent(agent)) return [];
  if (agent.cli.program !== undefined) return [agent.cli.program];
  return agent.kind === 'plugin' ? [] : (builtinCliKinds.get(agent.kind)?.programs ?? []);
}

/** Somebody has logged in, or said so: the next daemon tries it. */
function restingParked(kept: unknown): ParkedAgent | undefined {
  const parked = parseParked(kept);
  return parked?.why === 'auth' && parked.tryAt !== undefined ? undefined : parked && viewParked(parked);
}
