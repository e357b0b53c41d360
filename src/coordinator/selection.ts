/**
 * Which of several agents gets a job: a named policy is a plain function that puts them in order, best first. The first
 * that can work gets it. A new policy is one function and its line in `policies`; its name goes to the configuration.
 *
 * Where agents say how much work they are for (`load`, `tokens_per_task`), the size of the input comes in: what is too
 * large for one goes to the others first, and small pieces go to light agents as long as those have a place free. Light
 * ones always first was rejected: a thousand small files would wait for one agent beside others that do nothing.
 */
import type { SelectionPolicy } from '../config/config.ts';

export interface Candidate {
  readonly name: string;
  readonly capabilities: readonly string[];
  /** Higher first. */
  readonly priority: number;
  /** `Infinity` when unlimited. */
  readonly maxLoad: number;
  /** Its jobs that have not ended. */
  readonly open: number;
  readonly load?: 'heavy' | 'light';
  /** Tokens that one piece of work should take. */
  readonly tokensPerTask?: number;
}

/** Less than 0: `a` comes first; 0: this policy sees no difference, the order of the file holds. */
type Compare = (a: Candidate, b: Candidate) => number;

/** A light agent is for less than this, when it does not say for how much. */
const LIGHT_TOKENS = 3_000;
const BYTES_PER_TOKEN = 4;

const byLoad: Compare = (a, b) => a.open / a.maxLoad - b.open / b.maxLoad || a.open - b.open;
const byPriority: Compare = (a, b) => b.priority - a.priority;
/** Whoever can do fewer things is the specialist. */
const bySpecialisation: Compare = (a, b) => a.capabilities.length - b.capabilities.length;

const none: Compare = () => 0;

/** Agents for which it is too large last, and of those the light ones. */
function byRoom(tokens: number | undefined): Compare {
  return tokens === undefined ? none : (a, b) => lack(a, tokens) - lack(b, tokens);
}

/** Light agents that have a place free first, for what is small enough. */
function byLightness(tokens: number | undefined): Compare {
  if (tokens === undefined) return none;
  return (a, b) => Number(isLightAndFree(b, tokens)) - Number(isLightAndFree(a, tokens));
}

/** The first of them that sees a difference. */
function inTurn(...all: readonly Compare[]): Compare {
  return (a, b) => {
    for (const compare of all) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** @param tokens Of the input; undefined: not known. */
type Policy = (tokens: number | undefined) => Compare;

export const policies: Readonly<Record<SelectionPolicy, Policy>> = {
  least_loaded: (tokens) => inTurn(byRoom(tokens), byLightness(tokens), byLoad, byPriority, bySpecialisation),
  specialized: (tokens) => inTurn(byRoom(tokens), bySpecialisation, byLightness(tokens), byLoad, byPriority),
  in_order: () => none,
};

/**
 * @param candidates In the order of the file, which decides where the policy sees no difference.
 * @param bytes Of the input or prompt; absent: unknown, and its size says nothing.
 * @returns their names, best first.
 */
export function choose(
  policy: SelectionPolicy,
  candidates: readonly Candidate[],
  bytes?: number,
): readonly string[] {
  const tokens = bytes === undefined ? undefined : Math.ceil(bytes / BYTES_PER_TOKEN);
  return candidates.toSorted(policies[policy](tokens)).map(({ name }) => name);
}

function lack(agent: Candidate, tokens: number): number {
  if (tokens <= boundOf(agent)) return 0;
  return agent.load === 'light' ? 2 : 1;
}

function isLightAndFree(agent: Candidate, tokens: number): boolean {
  return agent.load === 'light' && agent.open < agent.maxLoad && tokens <= boundOf(agent);
}

function boundOf({ load, tokensPerTask }: Candidate): number {
  return tokensPerTask ?? (load === 'light' ? LIGHT_TOKENS : Number.POSITIVE_INFINITY);
}
