/**
 * Verdicts → decision. Pure, and careful in one direction only: what is missing, tied or cannot be evaluated never lets
 * work pass, it asks a person.
 */
import type { ReviewDecision, ReviewRule, ReviewsConfig } from '../config/config.ts';
import { evaluateNow, isTrue } from '../expressions/expressions.ts';
import { messageOf } from '../types/errors.ts';
import type { ReviewVerdict } from '../types/review.ts';

/** The part of a verdict that is looked at. */
export type Vote = Pick<ReviewVerdict, 'agent' | 'weight' | 'verdict'>;
export type Policy = Pick<ReviewsConfig, 'policy' | 'quorum'>;

export interface Judgement {
  readonly decision: ReviewDecision;
  /** One sentence. */
  readonly why: string;
  /** The verdicts decide nothing (a tie, too few of them, rules that do not fit): asking the author again would not help. */
  readonly isUndecided: boolean;
}

/** From the lightest to the heaviest. */
const order: readonly ReviewDecision[] = ['continue', 'warn', 'pause', 'stop'];

/** @param round 1 for the first. */
export function decide(votes: readonly Vote[], { policy, quorum }: Policy, round: number): Judgement {
  const count = countOf(votes);
  const judged =
    policy === 'four_rules'
      ? fourRules(count)
      : policy === 'votes'
        ? byMajority(count)
        : byRules(count, policy, round);
  // Nobody's verdict is no approval, whatever the quorum says.
  const needed = Math.max(1, quorum ?? Math.floor(votes.length / 2) + 1);
  if (count.valid >= needed) return judged;
  const missing = `${plural(count.valid, 'valid verdict')}, ${needed} needed${gone(count)}`;
  if (judged.decision === 'stop') return { ...judged, why: `${judged.why}; ${missing}` };
  return { decision: 'pause', why: missing, isUndecided: true };
}

/** Whether `a` is a worse outcome for the work than `b`. */
export function isWorse(a: ReviewDecision, b: ReviewDecision): boolean {
  return order.indexOf(a) > order.indexOf(b);
}

interface Count {
  /** Sums of weights. */
  readonly approved: number;
  readonly concerns: number;
  readonly blockers: number;
  /** Names. */
  readonly concerned: readonly string[];
  readonly blocking: readonly string[];
  readonly missing: readonly string[];
  readonly valid: number;
}

function countOf(votes: readonly Vote[]): Count {
  const of = (which: Vote['verdict']): readonly Vote[] => votes.filter(({ verdict }) => verdict === which);
  const names = (some: readonly Vote[]): readonly string[] => some.map(({ agent }) => agent);
  const [approved, concerns, blockers, missing] = [
    of('approved'),
    of('concern'),
    of('blocker'),
    of('missing'),
  ];
  return {
    approved: weightOf(approved),
    concerns: weightOf(concerns),
    blockers: weightOf(blockers),
    concerned: names(concerns),
    blocking: names(blockers),
    missing: names(missing),
    valid: approved.length + concerns.length + blockers.length,
  };
}

function weightOf(votes: readonly Vote[]): number {
  return sumOf(votes.map(({ weight }) => weight));
}

/** Rounded: 0.1 and 0.2 and 0.7 are 1 in any order. */
function sumOf(weights: readonly number[]): number {
  return Math.round(weights.reduce((sum, weight) => sum + weight, 0) * 1e6) / 1e6;
}

/** Weights count for concerns; no weight silences a blocker. */
function fourRules(count: Count): Judgement {
  const { concerns, concerned, blocking } = count;
  if (blocking.length > 0) return settled('stop', `${said(blocking, 'a blocker')}${gone(count)}`);
  if (concerns >= 2)
    return settled('pause', `${said(concerned, 'concerns')} (weight ${concerns})${gone(count)}`);
  if (concerned.length > 0) return settled('warn', `${said(concerned, 'a concern')}${gone(count)}`);
  return unanimous(count);
}

/**
 * More than half of the weight lets the work pass, or stops it; a dissent that was outvoted is still told. That the heaviest
 * of the three verdicts decides was rejected: two concerns out of four were then worse for the work than a concern and a
 * blocker, which are the heaviest neither alone nor together.
 */
function byMajority(count: Count): Judgement {
  const { approved, concerns, blockers, concerned, blocking } = count;
  const [against, milder] = [sumOf([concerns, blockers]), sumOf([approved, concerns])];
  const weights = `approved ${approved}, concerns ${concerns}, blockers ${blockers}${gone(count)}`;
  if (approved === against || blockers === milder)
    return { decision: 'pause', why: `a tie: ${weights}`, isUndecided: true };
  if (blockers > milder) return settled('stop', `most of the weight is blockers: ${weights}`);
  if (approved < against) return settled('pause', `most of the weight does not approve: ${weights}`);
  if (concerned.length + blocking.length > 0)
    return settled('warn', `approved against ${listed([...blocking, ...concerned])}: ${weights}`);
  return unanimous(count);
}

/** The first rule that holds. One that cannot be evaluated might have been the one that stops the work. */
function byRules(count: Count, rules: readonly ReviewRule[], round: number): Judgement {
  const { approved, concerns, blockers, valid, missing } = count;
  const values = { approved, concerns, blockers, verdicts: valid, missing: missing.length, round };
  for (const [index, rule] of rules.entries()) {
    const name = `rule ${index + 1} (\`${rule.if}\`)`;
    try {
      if (!holds(rule.if, values)) continue;
    } catch (error) {
      return {
        decision: 'pause',
        why: `${name} cannot be evaluated: ${messageOf(error)}`,
        isUndecided: true,
      };
    }
    return settled(rule.decision, `${name} holds${dissent(count)}${gone(count)}`);
  }
  return {
    decision: 'pause',
    why: `none of the ${rules.length} rules holds${dissent(count)}${gone(count)}`,
    isUndecided: true,
  };
}

function holds(expression: string, values: Readonly<Record<string, number>>): boolean {
  const context = (name: string): number | undefined =>
    Object.hasOwn(values, name) ? values[name] : undefined;
  return isTrue(evaluateNow(expression, { context }));
}

/** Nobody has a concern or a blocker; some may be missing. */
function unanimous(count: Count): Judgement {
  if (count.missing.length === 0) return settled('continue', `all approved (${count.valid})`);
  return settled('warn', `approved by ${count.valid}${gone(count)}`);
}

function settled(decision: ReviewDecision, why: string): Judgement {
  return { decision, why, isUndecided: false };
}

function said(names: readonly string[], what: string): string {
  return `${listed(names)} ${names.length === 1 ? 'has' : 'have'} ${what}`;
}

/** Who has not approved: a rule alone does not say it. */
function dissent({ blocking, concerned }: Count): string {
  const parts = [
    ...(blocking.length > 0 ? [said(blocking, 'a blocker')] : []),
    ...(concerned.length > 0 ? [said(concerned, 'a concern')] : []),
  ];
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}

function gone({ missing }: Count): string {
  return missing.length === 0 ? '' : `; no valid verdict from ${listed(missing)}`;
}

function listed(names: readonly string[]): string {
  return names.join(', ');
}

function plural(n: number, one: string): string {
  return `${n} ${one}${n === 1 ? '' : 's'}`;
}
