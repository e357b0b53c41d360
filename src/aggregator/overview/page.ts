/**
 * The overview as one page: no script, no request, so it opens from disk and nothing in a file name or a message can do
 * anything. The policy in its head says so to the browser as well.
 */
import { shownName } from '../shown-name.ts';
import { dayChart, durationChart, outcomeBar } from './charts.ts';
import { Html, html } from './html.ts';
import type { OverviewJob, OverviewModel, OverviewRun } from './model.ts';
import { overviewStyle } from './style.ts';
import { shownText } from './text.ts';
import { costText, countOf, countText, durationText, stateSigns, timeText } from './words.ts';

/** Problems shown at once; the rest folds out. */
const openProblems = 5;

export function overviewPage(model: OverviewModel): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${titleOf(model)} · Sluice</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<style>${new Html(overviewStyle)}</style>
</head>
<body>
${hatch()}
<header>
<h1>${titleOf(model)}</h1>
<p class="quiet">As of <time datetime="${model.generated_at}">${timeText(model.generated_at, model.generated_at)} UTC</time>. Reload for what came since.</p>
${(model.totals.jobs > 0 || model.runs.total === 0) && outcomeBar(model.totals)}
${facts(model)}
</header>
<main>
${waitingRuns(model)}
${problems('Waiting for you', model.held, model.generated_at)}
${problems('Failed', model.failures, model.generated_at)}
${model.totals.jobs > 0 && html`<div class="charts">${dayChart(model.days)}${durationChart(model.durations)}</div>`}
${latestRuns(model)}
${latest(model)}
${agents(model)}
</main>
<footer><p>The same as data: <a href="index.json">index.json</a>. ${model.latest.some(({ href }) => href !== undefined) && html`Each result has its receipt beside it, in <a href="files/">files</a>. `}Times are UTC.</p></footer>
</body>
</html>
`;
  return page.text;
}

function titleOf({ totals, open, runs }: OverviewModel): string {
  const done = totals.succeeded + totals.cached;
  const parts = [`${countOf(done, 'file')} processed`];
  if (totals.failed > 0) parts.push(`${countText(totals.failed)} failed`);
  if (runs.total > 0) {
    const { failed = 0 } = runs.counts;
    parts.push(
      `${countText(runs.total)}${runs.more ? '+' : ''} ${runs.total === 1 ? 'run' : 'runs'}${failed > 0 ? ` (${countText(failed)} failed)` : ''}`,
    );
  }
  const waiting = open.held + runs.waiting.length;
  if (waiting > 0) parts.push(`${countText(waiting)} waiting for you`);
  // Where only workflows run there are no files to be told of.
  return (totals.jobs === 0 && runs.total > 0 ? parts.slice(1) : parts).join(', ');
}

function facts({ totals, open, agents: all }: OverviewModel): Html {
  const ran = totals.succeeded + totals.failed;
  const inWork = open.queued + open.running + open.waiting;
  const rows: (readonly [string, string] | undefined)[] = [
    inWork > 0 ? ['In work', countText(inWork)] : undefined,
    ran > 0 ? ['A job takes, on average', durationText(totals.duration_ms / ran)] : undefined,
    totals.duration_ms > 0 ? ['Work done in all', durationText(totals.duration_ms)] : undefined,
    all.length > 0 ? ['Agents', countText(all.length)] : undefined,
    totals.cost_usd > 0 ? ['Cost', costText(totals.cost_usd)] : undefined,
  ];
  return html`<dl class="facts">${rows.map((row) => row && html`<div><dt>${row[0]}</dt><dd>${row[1]}</dd></div>`)}</dl>`;
}

function problems(title: string, jobs: readonly OverviewJob[], now: string): Html | undefined {
  if (jobs.length === 0) return undefined;
  const list = (some: readonly OverviewJob[]) =>
    html`<ul class="problems">${some.map((job) => problem(job, now))}</ul>`;
  const rest = jobs.slice(openProblems);
  return html`<section class="list"><h2>${title}</h2>${list(jobs.slice(0, openProblems))}
${rest.length > 0 && html`<details><summary>${countText(rest.length)} more</summary>${list(rest)}</details>`}</section>`;
}

function problem(job: OverviewJob, now: string): Html {
  return html`<li><p class="name">${nameOf(job)}</p>
<p><span class="state-failed">${(job.reason ?? job.state).replaceAll('_', ' ')}</span>${job.message !== undefined && html` · ${shownText(job.message)}`}</p>
${job.fix !== undefined && html`<p>${shownText(job.fix)}</p>`}
<p class="quiet small">${job.ended_at !== undefined && html`${timeText(job.ended_at, now)} · `}agent <bdi>${agentName(job.agent)}</bdi> · <code>sluice jobs show ${job.job_id}</code></p></li>`;
}

function waitingRuns({ runs }: OverviewModel): Html | undefined {
  if (runs.waiting.length === 0) return undefined;
  return html`<section class="list"><h2>Runs that wait for you</h2><ul class="problems">${runs.waiting.map(
    (run) =>
      html`<li><p class="name">${runName(run)}</p>${run.message !== undefined && html`<p>${shownText(run.message)}</p>`}<p class="quiet small"><code>sluice workflow show ${run.run_id}</code></p></li>`,
  )}</ul></section>`;
}

function latestRuns({ runs, generated_at: now }: OverviewModel): Html | undefined {
  if (runs.latest.length === 0) return undefined;
  const paid = runs.latest.some(({ cost_usd }) => (cost_usd ?? 0) > 0);
  const all = runs.total > runs.latest.length || runs.more;
  return html`<section class="list"><h2 id="runs">Runs of workflows</h2>
<table class="latest" aria-labelledby="runs"><caption>${all ? `The latest ${countText(runs.latest.length)} of ${countText(runs.total)}${runs.more ? ' or more' : ''}` : 'All of them'}, newest first</caption>
<thead><tr><th scope="col">Workflow</th><th scope="col">Outcome</th><th scope="col">Started by</th>${paid && html`<th scope="col" class="number">Cost</th>`}<th scope="col" class="number">Took</th><th scope="col" class="number">Ended</th></tr></thead>
<tbody>${runs.latest.map((run) => runRow(run, now, paid))}</tbody></table></section>`;
}

const runSigns = { ...stateSigns, running: '▸', waiting: '‖' } as const;

function runRow(run: OverviewRun, now: string, paid: boolean): Html {
  const when = run.ended_at ?? run.started_at;
  const said =
    run.reason !== undefined
      ? run.reason.replaceAll('_', ' ')
      : run.warnings > 0
        ? countOf(run.warnings, 'warning')
        : '';
  return html`<tr><td>${runName(run)}</td>
<td class="state-${run.state}"><span class="sign" aria-hidden="true">${runSigns[run.state]}</span>${run.state}${said !== '' && html` <span class="quiet small">${said}</span>`}</td>
<td><bdi>${shownName(run.trigger)}</bdi></td>${paid && html`<td class="number">${run.cost_usd !== null && run.cost_usd > 0 && costText(run.cost_usd)}</td>`}<td class="number">${run.duration_ms !== undefined && durationText(run.duration_ms)}</td>
<td class="number">${when !== undefined && html`<time datetime="${when}">${timeText(when, now)}</time>`}</td></tr>`;
}

function runName(run: OverviewRun): Html {
  const name = html`<bdi>${shownName(run.workflow)}</bdi> <span class="folder small">${shownName(run.run_id)}</span>`;
  return run.href === undefined ? name : html`<a href="${run.href}">${name}</a>`;
}

function latest({ latest: jobs, totals, generated_at: now }: OverviewModel): Html | undefined {
  if (jobs.length === 0) return undefined;
  const caption =
    totals.jobs > jobs.length
      ? `The latest ${countText(jobs.length)} of ${countOf(totals.jobs, 'job')}, newest first`
      : 'All jobs, newest first';
  return html`<section class="list"><h2 id="latest">Latest results</h2>
<table class="latest" aria-labelledby="latest"><caption>${caption}</caption>
<thead><tr><th scope="col">File</th><th scope="col">Outcome</th><th scope="col">Agent</th><th scope="col" class="number">Took</th><th scope="col" class="number">Ended</th></tr></thead>
<tbody>${jobs.map((job) => latestRow(job, now))}</tbody></table></section>`;
}

function latestRow(job: OverviewJob, now: string): Html {
  return html`<tr><td>${nameOf(job)}</td>
<td class="state-${job.state}"><span class="sign" aria-hidden="true">${stateSigns[job.state]}</span>${job.state}</td>
<td><bdi>${agentName(job.agent)}</bdi></td><td class="number">${job.duration_ms !== undefined && job.state !== 'cached' && durationText(job.duration_ms)}</td>
<td class="number">${job.ended_at !== undefined && html`<time datetime="${job.ended_at}">${timeText(job.ended_at, now)}</time>`}</td></tr>`;
}

function agents({ agents: all }: OverviewModel): Html | undefined {
  if (all.length < 2) return undefined;
  const paid = all.some(({ cost_usd }) => cost_usd > 0);
  return html`<section class="list"><h2 id="agents">Agents</h2><table class="figures" aria-labelledby="agents"><caption>Jobs by agent since the beginning</caption>
<thead><tr><th scope="col">Agent</th><th scope="col">Jobs</th><th scope="col">Failed</th><th scope="col">On average</th>${paid && html`<th scope="col">Cost</th>`}</tr></thead>
<tbody>${all.map((row) => html`<tr><th scope="row"><bdi>${agentName(row.agent)}</bdi></th><td>${countText(row.jobs)}</td><td>${countText(row.failed)}</td><td>${durationText(row.mean_ms)}</td>${paid && html`<td>${costText(row.cost_usd)}</td>`}</tr>`)}</tbody></table></section>`;
}

/** Root and folders quietly, the file's own name plainly; a link where its result stands. */
function nameOf(job: OverviewJob): Html {
  const cut = job.path.lastIndexOf('/') + 1;
  const name = html`<span class="folder">${shownName(`${job.root}/${job.path.slice(0, cut)}`)}</span>${shownName(job.path.slice(cut))}`;
  return job.href === undefined
    ? html`<bdi>${name}</bdi>`
    : html`<a href="${job.href}"><bdi>${name}</bdi></a>`;
}

/** The pattern of results from the cache: the colour of a success, work that was not done again. */
export function hatch(): Html {
  return html`<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" style="fill:var(--stripe)"/><rect width="3" height="6" style="fill:var(--succeeded)"/></pattern></defs></svg>`;
}

/** Those that stand for steps and workflows have no name of their own. */
function agentName(agent: string): string {
  if (agent.startsWith('$workflow:')) return `workflow ${shownName(agent.slice('$workflow:'.length))}`;
  if (agent === '$command') return 'commands of workflows';
  return agent === '$http' ? 'requests of workflows' : shownName(agent);
}
