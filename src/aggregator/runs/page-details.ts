/** The quieter questions: who approved what, what was skipped and why, what came from the cache, with what it was started. */
import { type Html, html } from '../overview/html.ts';
import { plainText, shownText } from '../overview/text.ts';
import { costText, countOf, countText, durationText, timeText } from '../overview/words.ts';
import { shownName } from '../shown-name.ts';
import type { ReportStep, RunReport } from './report.ts';
import { skipText } from './words.ts';

const mostListed = 50;
const valueChars = 2_000;

export function approvals({ steps, generated_at: now }: RunReport): Html | undefined {
  const answered = steps.filter(
    ({ approval }) => approval?.verdict !== undefined || approval?.at !== undefined,
  );
  return listed(
    'Approvals',
    answered.map(({ name, approval, reason }) => {
      const verdict = approval?.verdict ?? (reason === 'approval_timeout' ? 'not answered in time' : 'ended');
      return html`<li><b><bdi>${shownName(name)}</bdi></b>: ${verdict}${approval?.by !== undefined && html` by <b><bdi>${shownName(approval.by)}</bdi></b>`}${approval?.at !== undefined && html`, <time datetime="${approval.at}">${timeText(approval.at, now)}</time>`}${approval?.comment !== undefined && html`<blockquote>${shownText(approval.comment)}</blockquote>`}</li>`;
    }),
  );
}

export function skipped({ steps, state }: RunReport): Html | undefined {
  const all = steps.filter((step) => step.state === 'skipped' || step.state === 'cancelled');
  void state;
  return listed(
    'What was skipped, and why',
    all.map(
      (step) =>
        html`<li><b><bdi>${shownName(step.name)}</bdi></b>: ${step.state === 'cancelled' && step.reason === undefined ? 'it was cancelled' : skipText(step, steps)}${step.reason === 'condition' && step.condition !== undefined && html` <code>${shownName(step.condition)}</code>`}${step.message !== undefined && html` <span class="quiet">${shownText(step.message)}</span>`}</li>`,
    ),
  );
}

export function fromCache({ steps, generated_at: now }: RunReport): Html | undefined {
  const cached = steps.filter((step) => step.state === 'cached');
  const files = steps.flatMap((step) => (step.files?.counts.cached ? [step] : []));
  const items = steps.flatMap((step) => (step.items?.counts.cached ? [step] : []));
  return listed('From the cache', [
    ...cached.map((step) => html`<li><b><bdi>${shownName(step.name)}</bdi></b>${saved(step, now)}</li>`),
    ...files.map(
      (step) =>
        html`<li><b><bdi>${shownName(step.name)}</bdi></b>: ${countOf(step.files?.counts.cached ?? 0, 'file')} of ${countText(step.files?.total ?? 0)}</li>`,
    ),
    ...items.map(
      (step) =>
        html`<li><b><bdi>${shownName(step.name)}</bdi></b>: ${countOf(step.items?.counts.cached ?? 0, 'item')} of ${countText(step.items?.total ?? 0)}</li>`,
    ),
  ]);
}

function saved({ saved: by, cached_from: job }: ReportStep, now: string): Html {
  const parts = [
    by?.duration_ms === undefined ? '' : durationText(by.duration_ms),
    by === undefined || by.cost_usd === null || by.cost_usd === 0 ? '' : costText(by.cost_usd),
  ].filter((part) => part !== '');
  return html`${by?.made_at !== undefined && html`: made <time datetime="${by.made_at}">${timeText(by.made_at, now)}</time>`}${parts.length > 0 && html`, ${parts.join(' and ')} saved`}${job !== undefined && html` <span class="quiet small">job <code>${shownName(job)}</code></span>`}`;
}

export function inputsAndOutputs(report: RunReport): Html {
  return html`${values('What it was given', report.inputs)}${values('What it gives', report.outputs ?? {})}`;
}

function values(title: string, all: Readonly<Record<string, unknown>>): Html | undefined {
  const entries = Object.entries(all);
  if (entries.length === 0) return undefined;
  return html`<section class="list"><h2>${title}</h2><dl class="values">${entries.slice(0, mostListed).map(([name, value]) => html`<div><dt><bdi>${shownName(name)}</bdi></dt><dd>${valueText(value)}</dd></div>`)}</dl></section>`;
}

function valueText(value: unknown): Html {
  const text = typeof value === 'string' ? plainText(value) : (JSON.stringify(value, undefined, 1) ?? '');
  const cut = text.length > valueChars ? `${text.slice(0, valueChars).toWellFormed()} …` : text;
  return cut.includes('\n') ? html`<pre>${cut}</pre>` : html`${cut === '' ? '(empty)' : cut}`;
}

function listed(title: string, all: readonly Html[]): Html | undefined {
  if (all.length === 0) return undefined;
  return html`<section class="list"><h2>${title}</h2><ul class="plain">${all.slice(0, mostListed)}</ul>${all.length > mostListed && html`<p class="quiet small">The first ${countText(mostListed)} of ${countText(all.length)}.</p>`}</section>`;
}
