/** What other agents said of the work of steps: the last round at once, those before it on demand. */
import { type Html, html } from '../overview/html.ts';
import { shownText } from '../overview/text.ts';
import { costText, countOf, countText } from '../overview/words.ts';
import { shownName } from '../shown-name.ts';
import type { ReportReview, ReportStep, RunReport } from './report.ts';
import { signOf } from './signs.ts';
import { decisionText, verdictText } from './words.ts';

const mostSteps = 50;
const mostRounds = 10;
const mostFindings = 10;

export function reviews({ steps }: RunReport): Html | undefined {
  const reviewed = steps.filter((step) => (step.reviews?.length ?? 0) > 0);
  if (reviewed.length === 0) return undefined;
  return html`<section class="list results reviews"><h2>What reviewers say</h2>
${reviewed.slice(0, mostSteps).map(stepReviews)}
${reviewed.length > mostSteps && html`<p class="quiet small">The first ${countText(mostSteps)} of ${countOf(reviewed.length, 'step')}.</p>`}</section>`;
}

function stepReviews({ name, reviews: all = [] }: ReportStep): Html {
  const shown = all.slice(-mostRounds).toReversed();
  return html`<h3><bdi>${shownName(name)}</bdi></h3>
${shown.map((round, i) => roundOf(round, i === 0))}
${all.length > shown.length && html`<p class="quiet small">The last ${countText(shown.length)} of ${countOf(all.length, 'round')}.</p>`}`;
}

function roundOf(review: ReportReview, isLast: boolean): Html {
  const { round, trigger, why, verdicts, href } = review;
  const when = trigger === 'result' || trigger === 'step' ? '' : ` (${trigger})`;
  return html`<details${isLast && html` open`}><summary>${signOf(decisionSign(review))}<b>Round ${countText(round)}${when}</b>: ${decisionText(review)}</summary>
${why !== undefined && html`<p>${shownText(why)}</p>`}
<table class="latest verdicts"><caption>${countOf(verdicts.length, 'reviewer')}, work of job <code>${shownName(review.job_id)}</code></caption><thead><tr><th scope="col">Reviewer</th><th scope="col">Verdict</th><th scope="col">Says</th><th scope="col" class="number">Cost</th></tr></thead>
<tbody>${verdicts.map(verdictRow)}</tbody></table>
${href !== undefined && html`<p class="quiet small"><a href="${href}">the whole of it</a></p>`}</details>`;
}

function verdictRow(one: ReportReview['verdicts'][number]): Html {
  const { agent, verdict, weight, summary, findings, findings_total: total, cost_usd: cost } = one;
  return html`<tr><td><bdi>${shownName(agent)}</bdi>${weight !== 1 && html` <span class="quiet small">weight ${String(weight)}</span>`}</td>
<td>${signOf(verdictSign(verdict))}${verdictText(verdict)}</td>
<td>${shownText(summary)}${findings.length > 0 && html`<ul class="plain small">${findings.slice(0, mostFindings).map(finding)}</ul>`}${total > mostFindings && html`<span class="quiet small">${countText(mostFindings)} of ${countOf(total, 'finding')}</span>`}</td>
<td class="number">${cost !== null && cost > 0 && costText(cost)}</td></tr>`;
}

function finding({
  severity,
  text,
  place,
  evidence,
}: ReportReview['verdicts'][number]['findings'][number]): Html {
  return html`<li><b>${severity}</b>${place !== undefined && html` <code>${shownName(place)}</code>`} ${shownText(text)}${evidence !== undefined && html`<blockquote>${shownText(evidence)}</blockquote>`}</li>`;
}

function decisionSign({ decision, ended_at: endedAt }: ReportReview): string {
  if (decision === undefined) return endedAt === undefined ? 'running' : 'cancelled';
  return { continue: 'succeeded', warn: 'waiting', pause: 'waiting', stop: 'failed' }[decision] ?? 'pending';
}

function verdictSign(verdict: string): string {
  return { approved: 'succeeded', concern: 'waiting', blocker: 'failed' }[verdict] ?? 'skipped';
}
