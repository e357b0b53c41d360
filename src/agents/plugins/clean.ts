/**
 * What a plugin's reader gives, made into what it should be: plain JSON of known words. What cannot be told is left out;
 * what would widen what an agent may do (cures) is taken only where it is exactly right.
 */
import { isAbsolute, normalize } from 'node:path';
import type { AgentEvent } from '../../types/agent.ts';
import type { Access, CliFault, CliReport, Cure, Denial, FaultClass } from '../../types/agent-cli.ts';
import type { Usage } from '../../types/job.ts';
import { usageBuckets, usageOf } from '../../types/usage.ts';
import { cut } from '../cli/reading/events.ts';
import { amountOf, listOf, objectOf, textOf } from '../cli/reading/values.ts';

const maxEvents = 1_000;
/** Of all but the text, in characters. */
const maxPayload = 256 << 10;
const maxFaults = 50;
const maxDenials = 200;

const eventTypes = {
  ...{ status: true, progress: true, finding: true, task: true },
  ...{ blocker: true, milestone: true, review: true, error: true },
} satisfies Record<AgentEvent['type'], true>;

const faultClasses = {
  ...{ auth: true, quota: true, rate: true, overloaded: true, server: true, network: true, refused: true },
  ...{ model: true, context: true, output_limit: true, shape: true, limits: true, flags: true, setup: true },
} satisfies Record<FaultClass, true>;

const accesses = { read: true, edit: true, all: true } satisfies Record<Access, true>;

/** @throws where it is no list, or holds what is no event: a reader that gives such things cannot be relied upon. */
export function cleanEvents(given: unknown): readonly AgentEvent[] {
  if (!Array.isArray(given)) throw new TypeError('`line` gave no list of events');
  return given.slice(0, maxEvents).map((one: unknown) => {
    const { type, payload } = objectOf(one);
    if (typeof type !== 'string' || !Object.hasOwn(eventTypes, type))
      throw new TypeError(`"${String(type)}" is no type of an event`);
    const { text, ...rest } = objectOf(payload);
    const json = JSON.stringify(rest);
    if (json.length > maxPayload) throw new TypeError(`The payload of an event of type ${type} is too large`);
    const said = textOf(text);
    return {
      type: type as AgentEvent['type'],
      payload: { ...(said !== undefined && { text: said }), ...objectOf(JSON.parse(json)) },
    };
  });
}

/** @throws where it is no report. */
export function cleanReport(given: unknown): CliReport {
  const { terminal, faults, denials, text, structured, sessionId, model, usage, costUsd } = objectOf(given);
  if (terminal !== 'success' && terminal !== 'failure' && terminal !== 'none')
    throw new TypeError('`end` gave no report');
  const json = structured === undefined ? undefined : JSON.stringify(structured);
  const tokens = tokensIn(usage);
  return {
    terminal,
    faults: listOf(faults).slice(0, maxFaults).flatMap(faultOf),
    denials: listOf(denials).slice(0, maxDenials).flatMap(denialOf),
    text: textOf(text) ?? '',
    ...(json !== undefined && { structured: JSON.parse(json) as unknown }),
    ...(textOf(sessionId) && { sessionId: textOf(sessionId) as string }),
    ...(textOf(model) && { model: textOf(model) as string }),
    ...(tokens && { usage: tokens }),
    costUsd: amountOf(costUsd) ?? null,
  };
}

function faultOf(given: unknown): readonly CliFault[] {
  const { class: found, message, until, retryAfterMs, fix, cure } = objectOf(given);
  const known = typeof found === 'string' && Object.hasOwn(faultClasses, found) ? found : 'server';
  const healing = cureOf(cure);
  return [
    {
      class: known as FaultClass,
      message: cut(textOf(message) ?? 'It does not say why', 500),
      ...(amountOf(until) !== undefined && { until: amountOf(until) as number }),
      ...(amountOf(retryAfterMs) !== undefined && { retryAfterMs: amountOf(retryAfterMs) as number }),
      ...(textOf(fix) && { fix: cut(textOf(fix) as string, 500) }),
      ...(healing && { cure: healing }),
    },
  ];
}

function denialOf(given: unknown): readonly Denial[] {
  const { message, tool, file, cure } = objectOf(given);
  const healing = cureOf(cure);
  return [
    {
      message: cut(textOf(message) ?? 'It does not say what', 500),
      ...(textOf(tool) && { tool: textOf(tool) as string }),
      ...(textOf(file) && { file: textOf(file) as string }),
      ...(healing && { cure: healing }),
    },
  ];
}

function cureOf(given: unknown): Cure | undefined {
  const { kind, access, path, write, tool, flag } = objectOf(given);
  const known =
    typeof access === 'string' && Object.hasOwn(accesses, access) ? (access as Access) : undefined;
  switch (kind) {
    case 'access':
      return known && { kind, access: known };
    case 'tool':
      return known && textOf(tool) ? { kind, tool: textOf(tool) as string, access: known } : undefined;
    case 'directory':
      return typeof path === 'string' && isAbsolute(path)
        ? { kind, path: normalize(path), write: write !== false }
        : undefined;
    case 'skip_git_check':
      return { kind };
    case 'without_flag':
      return typeof flag === 'string' && flag.startsWith('-') ? { kind, flag } : undefined;
    default:
      return undefined;
  }
}

function tokensIn(given: unknown): Usage | undefined {
  const told = objectOf(given);
  if (usageBuckets.every((bucket) => amountOf(told[bucket]) === undefined)) return undefined;
  return usageOf((bucket) => amountOf(told[bucket]) ?? 0);
}
