/**
 * The report of a run as one page: what became of it and what to do first, then the picture, the times, and everything
 * else in the order in which people ask. No script, no request: it opens from disk, by mail and on paper, and nothing in a
 * name or a result can do anything.
 */
import { Html, html } from '../overview/html.ts';
import { hatch } from '../overview/page.ts';
import { plainText } from '../overview/text.ts';
import { costText, countOf, countText, durationText, timeText } from '../overview/words.ts';
import { shownName } from '../shown-name.ts';
import { approvals, fromCache, inputsAndOutputs, skipped } from './page-details.ts';
import { filesOf, itemsOf } from './page-lists.ts';
import { problems, warnings } from './page-problems.ts';
import { reviews } from './page-reviews.ts';
import { runPicture } from './picture.ts';
import { reportNames } from './places.ts';
import type { ReportStep, RunReport } from './report.ts';
import { signOf } from './signs.ts';
import { runStyle } from './style.ts';
import { runTimeline } from './timeline.ts';
import {
  costAndTokens,
  headline,
  isOver,
  reasonText,
  stateText,
  stepsText,
  summary,
  tokensOf,
  tokensText,
  triggerText,
} from './words.ts';

/** Steps that are listed. */
const mostSteps = 200;
const mostResults = 40;
const resultChars = 4_000;
/** A result of so many lines is shown at once. */
const shortResult = 12;
/** Files of a step that are named. */
const atOnceMade = 3;

export function runPage(report: RunReport): string {
  const title = headline(report);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title} · Sluice</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<style>${new Html(runStyle)}</style>
</head>
<body>
${hatch()}
${header(report, title)}
<main>
${problems(report)}
${warnings(report)}
${runPicture(report)}
${runTimeline(report)}
${steps(report)}
${results(report)}
${reviews(report)}
${report.steps.map((step) => itemsOf(step))}
${report.steps.map((step) => filesOf(step, report.generated_at))}
${costs(report)}
${approvals(report)}
${skipped(report)}
${fromCache(report)}
${inputsAndOutputs(report)}
</main>
${footer(report)}
</body>
</html>
`;
  return page.text;
}

function header(report: RunReport, title: string): Html {
  const { generated_at: now } = report;
  const started = report.started_at ?? report.created_at;
  const sentence = summary(report);
  return html`<header>
<p class="crumbs quiet small"><a href="../../../index.html">Overview</a> <span aria-hidden="true">/</span> ${shownName(report.workflow)} <span aria-hidden="true">/</span> <bdi>${shownName(report.run_id)}</bdi></p>
<h1 class="state-${report.state}">${signOf(report.state)} <span>${title}</span></h1>
${sentence !== '' && html`<p class="lead">${sentence}</p>`}
${report.description !== undefined && html`<p class="quiet">${plainText(report.description)}</p>`}
<p class="quiet"><time datetime="${started}">${timeText(started, now)} UTC</time>, ${trigger(report)}${!isOver(report) && html`. As of <time datetime="${now}">${timeText(now, now)}</time>; it goes on`}.</p>
${facts(report)}
</header>`;
}

function trigger(report: RunReport): Html {
  const { trigger: by } = report;
  const words = triggerText(report);
  const href = by.kind === 'file' || by.kind === 'workflow' ? by.href : undefined;
  return href === undefined ? html`<bdi>${words}</bdi>` : html`<a href="${href}"><bdi>${words}</bdi></a>`;
}

function facts(report: RunReport): Html {
  const { usage, cost_usd: cost } = report;
  const over = isOver(report);
  const from = report.started_at === undefined ? undefined : Date.parse(report.started_at);
  const took =
    report.duration_ms ?? (from === undefined ? undefined : Date.parse(report.generated_at) - from);
  const files = report.steps.reduce((sum, step) => sum + (step.files?.total ?? 0), 0);
  const cached = report.counts.cached ?? 0;
  const tokens = usage === undefined ? 0 : tokensOf(usage);
  const rows: readonly (readonly [string, string] | undefined)[] = [
    took === undefined ? undefined : [over ? 'Took' : 'So far', durationText(Math.max(0, took))],
    ['Done', stepsText(report)],
    cached > 0 ? ['From the cache', countOf(cached, 'step')] : undefined,
    files > 0 ? ['Files', countText(files)] : undefined,
    report.attempts > report.jobs
      ? ['Attempts', `${countText(report.attempts)} for ${countOf(report.jobs, 'job')}`]
      : undefined,
    cost !== null && cost > 0 ? ['Cost', costText(cost)] : undefined,
    tokens > 0 ? ['Tokens', tokensText(tokens)] : undefined,
    report.sub_runs > 0 ? ['Runs below', countText(report.sub_runs)] : undefined,
  ];
  return html`<dl class="facts">${rows.map((row) => row && html`<div><dt>${row[0]}</dt><dd>${row[1]}</dd></div>`)}</dl>`;
}

function steps(report: RunReport): Html | undefined {
  const all = report.steps.filter(({ on_failure, state }) => !(on_failure && state === 'pending'));
  if (all.length === 0) return undefined;
  const shown = firstOf(all, mostSteps);
  const paid = shown.some(({ cost_usd, usage }) => cost_usd !== null || usage !== undefined);
  const over = isOver(report);
  return html`<section class="list"><h2 id="steps">Step by step</h2>
<table class="latest steps" aria-labelledby="steps"><caption>${all.length > shown.length ? `${countText(shown.length)} of ${countOf(all.length, 'step')}, those that failed first` : 'In the order of the file'}</caption>
<thead><tr><th scope="col">Step</th><th scope="col">Outcome</th><th scope="col">By</th>${paid && html`<th scope="col" class="number">Cost</th>`}<th scope="col" class="number">Took</th></tr></thead>
<tbody>${shown.map((step) => stepRow(step, paid, over))}</tbody></table></section>`;
}

/** Those that need somebody first, when not all can be shown. */
function firstOf(all: readonly ReportStep[], most: number): readonly ReportStep[] {
  if (all.length <= most) return all;
  const needy = (step: ReportStep): number => (['failed', 'waiting', 'running'].includes(step.state) ? 0 : 1);
  return all.toSorted((a, b) => needy(a) - needy(b)).slice(0, most);
}

function stepRow(step: ReportStep, paid: boolean, over: boolean): Html {
  const name = html`<bdi>${shownName(step.name)}</bdi>`;
  const href = step.href ?? step.sub_run?.href;
  const tries =
    step.attempts.length > 1 &&
    html` <span class="quiet small">${countOf(step.attempts.length, 'attempt')}</span>`;
  const why =
    step.reason !== undefined &&
    step.state !== 'succeeded' &&
    html` <span class="quiet small">${reasonText(step.reason)}</span>`;
  const cost = costAndTokens(step);
  return html`<tr><td>${href === undefined ? name : html`<a href="${href}">${name}</a>`}${madeBy(step)}</td>
<td class="state-${step.state}">${signOf(step.state)}${stateText(step.state, over)}${why}${tries}</td>
<td><bdi>${byWhom(step)}</bdi></td>${paid && html`<td class="number">${cost}</td>`}<td class="number">${step.duration_ms !== undefined && step.state !== 'cached' && durationText(step.duration_ms)}</td></tr>`;
}

/** Links to the first files that a step made. */
function madeBy(step: ReportStep): Html | undefined {
  const { files_made: files = [], files_made_total: total = files.length } = step;
  if (files.length === 0) return undefined;
  const links = files.slice(0, atOnceMade).map(({ path }) => {
    const name = html`<bdi>${shownName(path)}</bdi>`;
    const href = fileHref(step, path);
    return href === undefined ? html` ${name}` : html` <a href="${href}">${name}</a>`;
  });
  return html`<span class="made small">${links}${total > atOnceMade && html` <span class="quiet">and ${countText(total - atOnceMade)} more</span>`}</span>`;
}

/** Undefined for a name that is no text: an address cannot spell it. */
function fileHref(step: ReportStep, path: string): string | undefined {
  if (step.href === undefined || /[\uef80-\uefff]/.test(path) || !path.isWellFormed()) return undefined;
  return `${step.href}outputs/${path.split('/').map(encodeURIComponent).join('/')}`;
}

const typeWords: Readonly<Record<string, string>> = {
  file_processing: 'the routing rules',
  custom_command: 'a command',
  agent: 'an agent',
  http: 'a request',
  workflow: 'a workflow',
  approval: 'a person',
  review: 'other agents',
  report: 'a template',
};

function byWhom(step: ReportStep): string {
  if (step.agent !== undefined) return shownName(step.agent);
  if (step.approval?.by !== undefined) return shownName(step.approval.by);
  if (step.sub_run !== undefined) return shownName(step.sub_run.workflow);
  return typeWords[step.type] ?? '';
}

function results(report: RunReport): Html | undefined {
  const all = report.steps.filter(
    ({ result, state }) => result !== null && result.trim() !== '' && state !== 'failed',
  );
  if (all.length === 0) return undefined;
  const shown = all.slice(0, mostResults);
  return html`<section class="list results"><h2>What the steps say</h2>
${shown.map((step) => resultText(step, shown.length === 1))}
${all.length > shown.length && html`<p class="quiet small">The first ${countText(shown.length)} of ${countText(all.length)}; the others stand in their folders.</p>`}</section>`;
}

function resultText(step: ReportStep, isOnly: boolean): Html {
  const text = plainText(step.result ?? '').trim();
  const lines = text.split('\n').length;
  const isCut =
    text.length > resultChars || (step.result_bytes ?? 0) > Buffer.byteLength(step.result ?? '') + 4;
  const open = (isOnly || lines <= shortResult) && text.length < 1_500;
  const [file = ''] = (step.files_made ?? []).map(({ path }) => path);
  const href = step.type === 'report' ? fileHref(step, file) : step.href && `${step.href}result.md`;
  const name = step.type === 'report' ? shownName(file) : 'result.md';
  const link = href !== undefined && html`<a href="${href}">${isCut ? 'the whole of it' : name}</a>`;
  return html`<details${open && html` open`}><summary><bdi>${shownName(step.name)}</bdi> <span class="quiet small">${countOf(lines, 'line')}</span></summary><pre>${text.slice(0, resultChars).toWellFormed()}${text.length > resultChars && '\n…'}</pre><p class="quiet small">${link}</p></details>`;
}

/** Bars of what was spent, where more than one step spent something. */
function costs(report: RunReport): Html | undefined {
  const byCost = report.steps.some(({ cost_usd }) => (cost_usd ?? 0) > 0);
  const measure = (step: ReportStep): number =>
    byCost ? (step.cost_usd ?? 0) : step.usage === undefined ? 0 : tokensOf(step.usage);
  const spenders = report.steps
    .filter((step) => measure(step) > 0)
    .toSorted((a, b) => measure(b) - measure(a));
  if (spenders.length === 0) return undefined;
  const shown = spenders.slice(0, 20);
  const most = measure(shown[0] as ReportStep);
  const { usage } = report;
  return html`<section class="costs"><h2 id="costs">${byCost ? 'What it cost' : 'Tokens'}</h2>
<ol class="bars" aria-labelledby="costs">${shown.map(
    (step) =>
      html`<li><span class="what"><bdi>${shownName(step.name)}</bdi></span><svg width="100%" height="14" aria-hidden="true"><rect class="spent" width="${((100 * measure(step)) / most).toFixed(2)}%" height="14" rx="3"/></svg><span class="took">${costAndTokens(step)}</span></li>`,
  )}</ol>
${spenders.length > shown.length && html`<p class="quiet small">The dearest ${countText(shown.length)} of ${countText(spenders.length)}.</p>`}
${usage !== undefined && html`<p class="quiet small">In all ${tokensText(usage.input_tokens)} tokens in, ${tokensText(usage.output_tokens)} out${usage.cache_read_tokens + usage.cache_write_tokens > 0 && `, ${tokensText(usage.cache_read_tokens)} read from and ${tokensText(usage.cache_write_tokens)} written to the provider’s cache`}.</p>`}</section>`;
}

function footer(report: RunReport): Html {
  const again = ['failed', 'cancelled'].includes(report.state);
  return html`<footer>${again && html`<p>To run again what failed and what depends on it: <code>sluice workflow resume ${shownName(report.run_id)}</code></p>`}
<p>The same as data: <a href="${reportNames.json}">${reportNames.json}</a>, as text: <a href="${reportNames.markdown}">${reportNames.markdown}</a>. Results of the steps stand below <code>steps/</code>. Times are UTC.</p>
<p>Made <time datetime="${report.generated_at}">${timeText(report.generated_at, report.generated_at)} ${report.generated_at.slice(0, 4)}</time> by Sluice.</p></footer>`;
}
