/**
 * The pictures of the overview as inline SVG. No `viewBox`: positions are percentages and letters keep their size, so one
 * drawing is legible on a phone and on a wide screen. A chart library was rejected: it would need a script, and the page
 * has none. Each chart comes with the same figures as a table for those who cannot or would rather not see it.
 */
import { type Html, html } from './html.ts';
import type { OutcomeCounts, OverviewModel } from './model.ts';
import { countOf, countText, dayText, durationText } from './words.ts';

type Outcome = keyof OutcomeCounts;

/** In the order in which they are stacked, from the ground. */
const outcomes: readonly { readonly key: Outcome; readonly label: string }[] = [
  { key: 'succeeded', label: 'Succeeded' },
  { key: 'cached', label: 'From the cache' },
  { key: 'other', label: 'Cancelled or superseded' },
  { key: 'failed', label: 'Failed' },
];

const height = 168;
const top = 22;
const ground = height - 22;

/** One bar for everything so far, with its legend: the first thing to look at. */
export function outcomeBar(totals: OutcomeCounts): Html {
  const all = total(totals);
  if (all === 0)
    return html`<p class="quiet">Nothing has been processed yet. Drop a file into a watched folder.</p>`;
  let x = 0;
  const pieces = outcomes.map(({ key }) => {
    const width = (100 * totals[key]) / all;
    const piece =
      width > 0 &&
      html`<rect class="fill-${key}" x="${percent(x)}" y="0" width="${percent(width)}" height="14"/>`;
    x += width;
    return piece;
  });
  const words = outcomes
    .filter(({ key }) => totals[key] > 0)
    .map(({ key, label }) => `${label} ${countText(totals[key])}`);
  return html`<svg class="outcome-bar" width="100%" height="14" role="img" aria-label="Outcomes: ${words.join(', ')}">${pieces}</svg>
<ul class="legend">${outcomes.map(
    ({ key, label }) =>
      (totals[key] > 0 || key === 'failed') &&
      html`<li>${swatch(key)}<b>${countText(totals[key])}</b> ${label.toLowerCase()} <span class="quiet">${share(totals[key], all)}</span></li>`,
  )}</ul>`;
}

export function dayChart(days: OverviewModel['days']): Html {
  const most = Math.max(1, ...days.map(total));
  const step = 100 / days.length;
  const bars = days.map((day, i) => {
    let y = ground;
    const pieces = outcomes.map(({ key }) => {
      const size = ((ground - top) * day[key]) / most;
      y -= size;
      return (
        size > 0 &&
        html`<rect class="fill-${key}" x="${percent(i * step + step * 0.12)}" y="${y.toFixed(2)}" width="${percent(step * 0.76)}" height="${size.toFixed(2)}"/>`
      );
    });
    return total(day) > 0 && html`<g><title>${dayText(day.day)}: ${describe(day)}</title>${pieces}</g>`;
  });
  const busiest = days.reduce((a, b) => (total(b) > total(a) ? b : a));
  const sum = days.reduce((n, day) => n + total(day), 0);
  const [first, last] = [days[0], days[days.length - 1]];
  const summary = `${countOf(sum, 'job')} in the last ${days.length} days, most on ${dayText(busiest.day)}: ${countText(total(busiest))}.`;
  return chart({
    id: 'days',
    title: 'Jobs by day',
    summary,
    drawing: html`${scale(most)}${bars}
<text x="0" y="${height - 4}">${first && dayText(first.day)}</text><text x="100%" y="${height - 4}" text-anchor="end">today</text>`,
    extra: html`<ul class="legend small">${outcomes.map(({ key, label }) => days.some((day) => day[key] > 0) && html`<li>${swatch(key)}${label}</li>`)}</ul>`,
    head: ['Day (UTC)', ...outcomes.map(({ label }) => label)],
    rows: days
      .filter((day) => total(day) > 0 || day === last)
      .map((day) => [dayText(day.day), ...outcomes.map(({ key }) => countText(day[key]))]),
  });
}

export function durationChart(bins: OverviewModel['durations']): Html {
  const used = usedBins(bins);
  const sum = used.reduce((n, { jobs }) => n + jobs, 0);
  if (sum === 0)
    return html`<section class="chart"><h2>How long jobs take</h2><p class="quiet">No job has run yet.</p></section>`;
  const most = Math.max(1, ...used.map(({ jobs }) => jobs));
  const step = 100 / used.length;
  const bars = used.map(({ jobs, label }, i) => {
    const size = ((ground - top) * jobs) / most;
    return html`<g><title>${label}: ${countOf(jobs, 'job')}</title><rect class="fill-duration" x="${percent(i * step + step * 0.08)}" y="${(ground - size).toFixed(2)}" width="${percent(step * 0.84)}" height="${size.toFixed(2)}"/></g>`;
  });
  // An edge stands between two bars; every second one where there are many.
  const every = used.length > 7 ? 2 : 1;
  const edges = used.map(
    ({ below }, i) =>
      below !== null &&
      i < used.length - 1 &&
      i % every === 0 &&
      html`<text x="${percent((i + 1) * step)}" y="${height - 4}" text-anchor="middle">${durationText(below)}</text>`,
  );
  const commonest = used.reduce((a, b) => (b.jobs > a.jobs ? b : a));
  return chart({
    id: 'durations',
    title: 'How long jobs take',
    summary: `The latest ${countOf(sum, 'job')} that ran; most took ${commonest.label}. The scale is logarithmic.`,
    drawing: html`${scale(most)}${bars}${edges}`,
    extra: undefined,
    head: ['Duration', 'Jobs'],
    rows: used.map(({ label, jobs }) => [label, countText(jobs)]),
  });
}

interface Chart {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly drawing: Html;
  readonly extra: Html | undefined;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function chart(o: Chart): Html {
  return html`<section class="chart"><h2 id="${o.id}">${o.title}</h2>
<svg width="100%" height="${height}" role="img" aria-labelledby="${o.id}" aria-describedby="${o.id}-says">${o.drawing}</svg>
${o.extra}<p class="quiet" id="${o.id}-says">${o.summary}</p>
<details><summary>Figures</summary><table class="figures"><caption>${o.title}</caption>
<thead><tr>${o.head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${o.rows.map(([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></details></section>`;
}

/** The ground line, and the highest value with a faint line at its height. */
function scale(most: number): Html {
  return html`<line class="grid" x1="0" x2="100%" y1="${top}" y2="${top}"/><text x="0" y="${top - 7}">${countText(most)}</text>
<line class="ground" x1="0" x2="100%" y1="${ground}" y2="${ground}"/>`;
}

interface Bin {
  readonly below: number | null;
  readonly jobs: number;
  readonly label: string;
}

/** From the first bin that has something to the last, widened to at least five so that one bar is no wall. */
function usedBins(bins: OverviewModel['durations']): readonly Bin[] {
  const all = bins.map(({ below_ms, jobs }, i): Bin => {
    const above = bins[i - 1]?.below_ms;
    const label =
      below_ms === null
        ? `over ${durationText(above ?? 0)}`
        : above === undefined || above === null
          ? `under ${durationText(below_ms)}`
          : `${durationText(above)} to ${durationText(below_ms)}`;
    return { below: below_ms, jobs, label };
  });
  let first = all.findIndex(({ jobs }) => jobs > 0);
  let last = all.findLastIndex(({ jobs }) => jobs > 0);
  while (last - first < 4) {
    if (first > 0) first -= 1;
    if (last - first < 4 && last < all.length - 1) last += 1;
  }
  return all.slice(Math.max(0, first), last + 1);
}

function describe(counts: OutcomeCounts): string {
  return outcomes
    .filter(({ key }) => counts[key] > 0)
    .map(({ key, label }) => `${countText(counts[key])} ${label.toLowerCase()}`)
    .join(', ');
}

function swatch(key: Outcome): Html {
  return html`<svg class="swatch" width="12" height="12" aria-hidden="true"><rect class="fill-${key}" width="12" height="12"/></svg>`;
}

function share(n: number, all: number): string {
  const part = (100 * n) / all;
  return n > 0 && part < 1 ? '<1%' : n < all && part > 99 ? '>99%' : `${Math.round(part)}%`;
}

function total({ succeeded, cached, failed, other }: OutcomeCounts): number {
  return succeeded + cached + failed + other;
}

function percent(n: number): string {
  return `${n.toFixed(3)}%`;
}
