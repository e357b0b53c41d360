/** `reviews`, and what a `review` step says otherwise: who reviews, how many must answer, what follows from their verdicts. */
import { checkExpression, type Known, withoutBraces } from '../expressions/expressions.ts';
import {
  isCliAgent,
  type ReviewRule,
  type ReviewsConfig,
  type ReviewTerms,
  type RuleConfig,
} from './config.ts';
import { parseDuration } from './duration.ts';
import { type KnownAgents, reportUnknownAgent, workersOf } from './resolve-target.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { ReviewsFile, ReviewTermsFile } from './schema-reviews.ts';
import type { Path } from './source.ts';
import { reportProblems } from './step-texts.ts';

const at = ['reviews'];
/** What an agent must be able to do to review without being named. */
const reviewing = 'code_review';

/** Where nothing is said. */
export const plainTerms: ReviewTerms = {
  reviewers: 2,
  agents: [],
  maxRounds: 2,
  policy: 'four_rules',
  weights: {},
};

/** How long work may be silent before others look at it; undefined: nobody does. */
export function quietOf(reviews: Loose<ReviewsFile> | undefined): number | undefined {
  return reviews?.on?.includes('quiet') ? parseDuration(reviews.quiet_trigger ?? '') : undefined;
}

export function resolveReviews(
  context: Resolving,
  reviews: Loose<ReviewsFile> | undefined,
  agents: KnownAgents,
): ReviewsConfig | undefined {
  if (reviews === undefined) return undefined;
  const { findings } = context;
  const on = new Set((reviews.on ?? []).filter((trigger) => trigger !== undefined));
  if (!on.has('quiet') && findings.has([...at, 'quiet_trigger']) && findings.has([...at, 'on']))
    findings.add(
      'error',
      'CONFLICT',
      { path: [...at, 'quiet_trigger'], key: true },
      '`quiet_trigger` has no effect: `on` does not name `quiet`',
      'Remove it, or add `quiet` to `on`.',
    );
  const terms = resolveTerms(context, at, reviews, plainTerms, agents);
  const able = [...agents.values()].filter(
    (agent) => agent && agent.kind !== 'builtin' && agent.capabilities.includes(reviewing),
  );
  // Whose definition is broken may be one of them.
  const isSure = terms.agents.length === 0 && ![...agents.values()].includes(undefined);
  if (isSure && able.length === 0)
    findings.add(
      'warning',
      'REVIEW_NOBODY',
      { path: at, key: true },
      `no agent has the capability \`${reviewing}\`: only checks of our own look at the work`,
      `Add it to agents: \`capabilities: [${reviewing}]\`; or name who reviews: \`agents: […]\`.`,
    );
  else if (isSure) warnOfFew(context, reviews, able.length);
  return { ...terms, on, quietMs: parseDuration(reviews.quiet_trigger ?? '') ?? 0 };
}

/** @param able How many can review; one of them is mostly the author. */
function warnOfFew({ findings }: Resolving, reviews: Loose<ReviewsFile>, able: number): void {
  for (const key of ['quorum', 'reviewers'] as const) {
    const wanted = reviews[key] ?? 0;
    if (wanted <= able) continue;
    findings.warning(
      'LIMIT_UNREACHED',
      [...at, key],
      key === 'quorum'
        ? `${wanted} valid verdicts are needed, and only ${able} ${able === 1 ? 'agent has' : 'agents have'} the capability \`${reviewing}\`: a person is asked about all work`
        : `${wanted} reviewers are wanted, and only ${able} ${able === 1 ? 'agent has' : 'agents have'} the capability \`${reviewing}\``,
      `Write \`${key}: ${able}\`, or add \`capabilities: [${reviewing}]\` to further agents.`,
    );
    return;
  }
}

/** Of agents whose own work is to be reviewed by nobody but themselves. */
export function warnOfLoneAuthors(
  { findings }: Resolving,
  reviews: ReviewsConfig | undefined,
  rules: readonly RuleConfig[],
  agents: KnownAgents,
): void {
  if (!reviews || [...agents.values()].includes(undefined)) return;
  const reviewers =
    reviews.agents.length > 0
      ? reviews.agents
      : [...agents.values()].flatMap((agent) =>
          agent && agent.kind !== 'builtin' && agent.capabilities.includes(reviewing) ? [agent.name] : [],
        );
  const [only] = reviewers;
  const author = reviewers.length === 1 && only !== undefined ? agents.get(only) : undefined;
  if (!author) return;
  const isReviewed = rules.some(
    ({ target, review }) => workersOf(target, agents).includes(author.name) && (review ?? isCliAgent(author)),
  );
  if (isReviewed)
    findings.add(
      'warning',
      'REVIEW_NOBODY',
      { path: at, key: true },
      `nobody else can review the work of agent "${author.name}": only checks of our own look at it`,
      reviews.agents.length > 0
        ? 'Name further agents under `agents`.'
        : `Give another agent \`capabilities: [${reviewing}]\`, best one of another kind.`,
    );
}

/**
 * @param at Of the section or the step.
 * @param base What holds where nothing is written.
 */
export function resolveTerms(
  context: Resolving,
  at: Path,
  written: Loose<ReviewTermsFile>,
  base: ReviewTerms,
  known: KnownAgents,
): ReviewTerms {
  const { findings } = context;
  const reviewers = written.reviewers ?? base.reviewers;
  const agents =
    written.agents === undefined ? base.agents : resolveReviewers(context, at, written.agents, known);
  const named = [...new Set(agents)].length;
  if (written.agents !== undefined && written.reviewers !== undefined && named < reviewers)
    findings.warning(
      'LIMIT_UNREACHED',
      [...at, 'reviewers'],
      `${reviewers} reviewers are wanted, and ${named} named`,
      `Write \`reviewers: ${named}\`, or name more under \`agents\`.`,
    );
  // One that is written for other reviewers is not meant for these.
  const quorum = written.quorum ?? (written.reviewers === undefined ? base.quorum : undefined);
  if (
    quorum !== undefined &&
    quorum > reviewers &&
    (written.quorum !== undefined || written.reviewers !== undefined)
  )
    findings.error(
      'CONFLICT',
      [...at, written.quorum === undefined ? 'reviewers' : 'quorum'],
      `${quorum} valid verdicts are needed (\`quorum\`), and only ${reviewers} agents asked (\`reviewers\`)`,
      `Write a \`quorum\` of at most ${reviewers}.`,
    );
  return {
    reviewers,
    agents,
    maxRounds: written.max_rounds ?? base.maxRounds,
    ...(quorum !== undefined && { quorum }),
    policy: written.policy === undefined ? base.policy : resolvePolicy(context, at, written.policy),
    weights:
      written.weights === undefined ? base.weights : resolveWeights(context, at, written.weights, known),
  };
}

function resolveReviewers(
  { findings }: Resolving,
  at: Path,
  written: readonly (string | undefined)[],
  known: KnownAgents,
): readonly string[] {
  const found = new Set<string>();
  for (const [index, name] of written.entries()) {
    if (name === undefined) continue;
    const place = [...at, 'agents', index];
    if (found.has(name))
      findings.error('DUPLICATE_NAME', place, `the agent "${name}" is named twice`, 'Remove one of the two.');
    found.add(name);
    if (!known.has(name))
      reportUnknownAgent(findings, place, `unknown agent "${name}" among those who review`, name, known);
    else if (known.get(name)?.kind === 'builtin')
      findings.error(
        'CONFLICT',
        place,
        `the builtin agent "${name}" has no opinion`,
        'Remove it: its checks stand in by themselves where nobody else can review.',
      );
  }
  return [...found];
}

function resolveWeights(
  { findings }: Resolving,
  at: Path,
  written: Readonly<Record<string, number | undefined>>,
  known: KnownAgents,
): Readonly<Record<string, number>> {
  const weights: [string, number][] = [];
  for (const [name, weight] of Object.entries(written)) {
    if (weight === undefined) continue;
    weights.push([name, weight]);
    if (!known.has(name))
      reportUnknownAgent(
        findings,
        [...at, 'weights', name],
        `unknown agent "${name}" in \`weights\``,
        name,
        known,
      );
  }
  return Object.fromEntries(weights);
}

function resolvePolicy(
  context: Resolving,
  at: Path,
  policy: NonNullable<Loose<ReviewTermsFile>['policy']>,
): ReviewTerms['policy'] {
  if (typeof policy === 'string') return policy;
  const rules: ReviewRule[] = [];
  for (const [index, rule] of policy.entries()) {
    if (rule?.if === undefined || rule.decision === undefined) continue;
    const text = String(rule.if);
    const place = [...at, 'policy', index, 'if'];
    reportProblems(context, place, text, checkExpression(text, votes, ['boolean']));
    rules.push({ if: withoutBraces(text).trim(), decision: rule.decision });
  }
  const always = rules.findIndex((rule) => rule.if === 'true');
  if (always >= 0 && always < rules.length - 1)
    context.findings.warning(
      'RULE_SHADOWED',
      [...at, 'policy', always + 1, 'if'],
      'this rule never decides: the one above always does',
      'Move `if: true` to the end.',
    );
  return rules;
}

const number = (doc: string) => ({ kind: 'number', doc }) as const;
const votes: Known = {
  status: false,
  functions: [],
  contexts: {
    approved: number('weight of those who approved'),
    concerns: number('weight of those with concerns'),
    blockers: number('weight of those with a blocker'),
    verdicts: number('number of valid verdicts'),
    missing: number('number of reviewers without a valid verdict'),
    round: number('1 for the first'),
  },
};
