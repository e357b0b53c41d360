/**
 * Picks the rule for a changed file. Pure: no file system, no clock. Rules come in the order in which they are tried
 * (priority, then the file's order) and the first that matches wins; asking them one after the other was rejected, since
 * ten thousand rules would then cost four milliseconds a file.
 */
import type { RuleConfig } from '../config/config.ts';
import { explainRule } from './explain.ts';
import { createLiteralIndex } from './literal-index.ts';
import { compileRule, type RuleMatcher } from './rule-matcher.ts';

export interface RuleCandidate {
  readonly rule: RuleConfig;
  /** Its patterns match the path, whether or not another rule comes first. */
  readonly matched: boolean;
  /** A sentence for people, without a full stop. */
  readonly reason: string;
}

export interface RouteExplanation {
  readonly rule: RuleConfig | undefined;
  /** Every rule, in the order in which they are tried. */
  readonly candidates: readonly RuleCandidate[];
}

export interface Router {
  /**
   * @param path Relative to the root, with `/`, as `Change.path` has it.
   * @returns `undefined` when no rule matches.
   */
  route(path: string): RuleConfig | undefined;
  /** The same decision, with what every rule had to say. Asks all of them: for people, not for the intake. */
  explain(path: string): RouteExplanation;
}

/** @param rules Sorted as `Config.rules` is; their patterns have passed `checkPattern`. */
export function createRouter(rules: readonly RuleConfig[]): Router {
  const index = createLiteralIndex(rules);
  const matchers: (RuleMatcher | undefined)[] = new Array(rules.length);
  const matcherOf = (number: number): RuleMatcher => {
    matchers[number] ??= compileRule(rules[number] as RuleConfig);
    return matchers[number];
  };
  const find = (path: string): number | undefined =>
    index.first(path, (number) => matcherOf(number).matches(path));

  return {
    route(path) {
      const number = find(path);
      return number === undefined ? undefined : rules[number];
    },
    explain(path) {
      const number = find(path);
      const winner = number === undefined ? undefined : rules[number];
      const candidates = rules.map((rule, at): RuleCandidate => {
        const verdict = matcherOf(at).judge(path);
        return {
          rule,
          matched: verdict.kind === 'matches',
          reason: explainRule({ path, rule, verdict, winner }),
        };
      });
      return { rule: winner, candidates };
    },
  };
}
