/**
 * Tells by an ordered table of patterns what kind of fault a message is. Only texts that are messages of errors belong
 * here (error events, failed tools, stderr): in an answer, or in a file that was read, the same words mean nothing.
 */
import type { CliFault, Cure, FaultClass } from '../../../types/agent-cli.ts';
import { oneLine } from './events.ts';
import { comeBack } from './times.ts';

export interface FaultPattern {
  /** Without `g`. */
  readonly pattern: RegExp;
  readonly class: FaultClass;
  /** Default: the line in which it was found. */
  readonly message?: (match: RegExpExecArray) => string;
  /** What a person should do, where this kind knows better than a general text. */
  readonly fix?: string | ((match: RegExpExecArray) => string);
  readonly cure?: (match: RegExpExecArray) => Cure | undefined;
}

/**
 * The fault that a message is: the first pattern of the table that it matches. `until` and `retryAfterMs` are read from
 * the message, for faults that pass by themselves.
 */
export function findFault(whole: string, table: readonly FaultPattern[], now: number): CliFault | undefined {
  const message = whole.slice(0, maxLooked);
  for (const one of table) {
    const match = one.pattern.exec(message);
    if (match === null) continue;
    const fix = typeof one.fix === 'function' ? one.fix(match) : one.fix;
    const cure = one.cure?.(match);
    return {
      class: one.class,
      message: one.message === undefined ? lineOf(message, match.index) : oneLine(one.message(match)),
      ...(passingFaults.has(one.class) && comeBack(message, now)),
      ...(fix !== undefined && { fix }),
      ...(cure !== undefined && { cure }),
    };
  }
  return undefined;
}

/** Holds what is kept of stderr and what was printed besides; a service's message may be the whole body of an answer. */
const maxLooked = 100_000;

/** These pass by themselves: their messages may say when. */
export const passingFaults: ReadonlySet<FaultClass> = new Set<FaultClass>([
  'quota',
  'rate',
  'overloaded',
  'server',
  'network',
]);

/** The whole line of a match. */
function lineOf(text: string, index: number): string {
  const from = text.lastIndexOf('\n', Math.max(0, index - 1)) + 1;
  const end = text.indexOf('\n', Math.max(index, from));
  return oneLine(text.slice(from, end < 0 ? undefined : end));
}

/** Faults without repeats, most telling first: what says why weighs more than what only followed from it. */
export function mostTelling(faults: readonly CliFault[]): readonly CliFault[] {
  const kept = new Map<string, CliFault>();
  for (const fault of faults) {
    const key = `${fault.class}\0${fault.message}`;
    if (!kept.has(key)) kept.set(key, fault);
  }
  return [...kept.values()].sort((a, b) => weight[a.class] - weight[b.class]);
}

const weight: Readonly<Record<FaultClass, number>> = {
  flags: 0,
  setup: 1,
  auth: 2,
  quota: 3,
  model: 4,
  context: 5,
  refused: 6,
  output_limit: 7,
  shape: 8,
  limits: 9,
  rate: 10,
  overloaded: 11,
  server: 12,
  network: 13,
};
