/**
 * When each step ran: a row each, the attempts as bars on a thin line that lasts as long as the step. Names are text of
 * the page beside the drawing, so that they break and are read as any other. Items of `for_each` are bars of their own
 * while they are few, then a profile of how many ran at once.
 */
import { type Html, html } from '../overview/html.ts';
import { countOf, countText, durationText } from '../overview/words.ts';
import { shownName } from '../shown-name.ts';
import type { ReportStep, RunReport } from './report.ts';
import { signOf } from './signs.ts';
import { type TimeScale, type TimeSpan, timeScale } from './time-scale.ts';
import { isOver, stateText } from './words.ts';

const mostRows = 60;
/** Items that are drawn one by one. */
const mostItems = 60;
const rowHeight = 22;
const profileHeight = 34;

interface Row {
  readonly step: ReportStep;
  readonly from: number;
  readonly to: number;
}

export function runTimeline(report: RunReport): Html | undefined {
  const now = Date.parse(report.generated_at);
  const rows = report.steps.flatMap((step): Row[] => {
    if (step.started_at === undefined) return [];
    const from = Date.parse(step.started_at);
    return [
      { step, from, to: Math.max(from, step.ended_at === undefined ? now : Date.parse(step.ended_at)) },
    ];
  });
  if (rows.length === 0) return undefined;
  const from = Math.min(
    ...[report.started_at ?? report.created_at].map((time) => Date.parse(time)),
    least(rows),
  );
  const end = report.ended_at === undefined ? now : Date.parse(report.ended_at);
  const scale = timeScale(rows.flatMap(busyOf), from, Math.max(end, ...chosen(rows).map(({ to }) => to)));
  const shown = chosen(rows);
  const left = rows.length - shown.length;
  return html`<section class="timeline"><h2 id="timeline">When what ran</h2>
<div class="gantt" aria-labelledby="timeline" role="group">
<div class="axis" aria-hidden="true"><svg width="100%" height="20">${scale.ticks.map(({ at, elapsedMs }) => html`<text x="${percent(at)}" y="13"${anchor(at)}>${elapsedMs === 0 ? '0' : durationText(elapsedMs)}</text>`)}${scale.breaks.map((one) => html`<text x="${percent((one.from + one.to) / 2)}" y="13" text-anchor="middle">⋯</text>`)}</svg></div>
<ol>${shown.map((row) => lane(row, scale, isOver(report)))}</ol></div>
<p class="quiet small">Time since the start of the run${report.started_at !== undefined && html`, ${report.started_at.slice(0, 19).replace('T', ' ')} UTC`}. Thick: it ran; thin: it waited.${scale.breaks.map(({ ms }) => html` A pause of ${durationText(ms)} is drawn short.`)}${
    left > 0 &&
    html` ${countText(shown.length)} of ${countOf(rows.length, 'step')}: those that failed or wait, and those that took longest.`
  }</p></section>`;
}

function least(rows: readonly Row[]): number {
  return rows.reduce((min, { from }) => Math.min(min, from), Number.POSITIVE_INFINITY);
}

/** In the order in which they began. */
function chosen(rows: readonly Row[]): readonly Row[] {
  const weight = ({ step, from, to }: Row): number =>
    (['failed', 'waiting', 'running'].includes(step.state) ? 1e15 : 0) + (to - from);
  return rows
    .toSorted((a, b) => weight(b) - weight(a))
    .slice(0, mostRows)
    .toSorted((a, b) => a.from - b.from);
}

/** While a person is waited for, nothing runs. */
function busyOf({ step, from, to }: Row): TimeSpan[] {
  if (step.type === 'approval') return [];
  const attempts = spansOf(step);
  return attempts.length > 0 ? attempts : [{ from, to }];
}

function spansOf({ attempts }: ReportStep): (TimeSpan & { isBad: boolean })[] {
  return attempts.map(({ started_at, ended_at, outcome, exit_code }, i) => {
    const from = Date.parse(started_at);
    const isLast = i === attempts.length - 1;
    const isFine = (outcome === 'exited' && exit_code === 0) || outcome === 'responded';
    return { from, to: Math.max(from, Date.parse(ended_at)), isBad: !isLast && !isFine };
  });
}

function lane(row: Row, scale: TimeScale, over: boolean): Html {
  const { step, from, to } = row;
  const { items } = step;
  const profile = items?.load !== undefined && items.load.length > 0;
  const height = profile || (items !== undefined && items.shown.length > 1) ? profileHeight : rowHeight;
  const middle = height / 2;
  const [x1, x2] = [scale.at(from), scale.at(to)];
  const grid = scale.ticks.map(
    ({ at }) => html`<line class="grid" x1="${percent(at)}" x2="${percent(at)}" y1="0" y2="${height}"/>`,
  );
  const breaks = scale.breaks.map(
    (one) =>
      html`<rect class="break" x="${percent(one.from)}" y="0" width="${percent(one.to - one.from)}" height="${height}"/>`,
  );
  const line = html`<line class="wait s-${step.state}" x1="${percent(x1)}" x2="${percent(x2)}" y1="${middle}" y2="${middle}"/>`;
  const drawn = profile
    ? load(row, scale, height)
    : items !== undefined && items.shown.length > 1
      ? itemBars(row, scale, height)
      : attemptBars(row, scale, middle);
  const took = step.state === 'cached' ? stateText('cached') : durationText(to - from);
  return html`<li><span class="what">${signOf(step.state)}<bdi>${shownName(step.name)}</bdi></span><svg class="bars" width="100%" height="${height}" aria-hidden="true">${breaks}${grid}${!profile && !(items !== undefined && items.shown.length > 1) && line}${drawn}</svg><span class="took">${step.ended_at === undefined && html`<span class="quiet">${stateText(step.state, over)} </span>`}${took}</span></li>`;
}

function attemptBars({ step, from, to }: Row, scale: TimeScale, middle: number): Html {
  if (step.type === 'approval') return html``;
  const spans = spansOf(step);
  const bars = spans.length > 0 ? spans : step.state === 'waiting' ? [] : [{ from, to, isBad: false }];
  return html`${bars.map((span) => bar(scale, span, span.isBad ? 'failed' : step.state, middle - 6, 12))}`;
}

function bar(scale: TimeScale, { from, to }: TimeSpan, state: string, y: number, height: number): Html {
  const x = scale.at(from);
  return html`<rect class="bar s-${state}" x="${percent(x)}" y="${y}" width="${percent(Math.max(0.15, scale.at(to) - x))}" height="${height}" rx="2"/>`;
}

/** Items packed into as few lanes as they need. */
function itemBars({ step, to }: Row, scale: TimeScale, height: number): Html {
  const items = (step.items?.shown ?? [])
    .filter(({ started_at }) => started_at !== undefined)
    .slice(0, mostItems)
    .map((item) => {
      const from = Date.parse(item.started_at ?? '');
      return {
        state: item.state,
        from,
        to: item.ended_at === undefined ? to : Math.max(from, Date.parse(item.ended_at)),
      };
    })
    .toSorted((a, b) => a.from - b.from);
  const free: number[] = [];
  const placed = items.map((item) => {
    const found = free.findIndex((at) => at <= item.from);
    const lane = found === -1 ? free.length : found;
    free[lane] = item.to;
    return { ...item, lane };
  });
  const pitch = Math.min(9, (height - 4) / Math.max(1, free.length));
  const top = (height - pitch * free.length) / 2;
  return html`${placed.map((item) => bar(scale, item, item.state, top + item.lane * pitch, Math.max(1, pitch - 1)))}`;
}

/** How many items ran at once; where some failed there is a mark. */
function load({ step, from, to }: Row, scale: TimeScale, height: number): Html {
  const buckets = step.items?.load ?? [];
  const most = Math.max(1, ...buckets.map(({ running }) => running));
  const width = (to - from) / buckets.length;
  return html`${buckets.map(({ running, failed }, i) => {
    const [x1, x2] = [scale.at(from + i * width), scale.at(from + (i + 1) * width)];
    const size = Math.max(running > 0 ? 1 : 0, (running / most) * (height - 8));
    const at = { x: percent(x1), width: percent(Math.max(0.1, x2 - x1)) };
    return html`${running > 0 && html`<rect class="load" x="${at.x}" y="${(height - 3 - size).toFixed(1)}" width="${at.width}" height="${size.toFixed(1)}"/>`}${failed > 0 && html`<rect class="bar s-failed" x="${at.x}" y="${height - 3}" width="${at.width}" height="3"/>`}`;
  })}`;
}

function anchor(at: number): Html | false {
  if (at > 94) return html` text-anchor="end"`;
  return at > 2 && html` text-anchor="middle"`;
}

function percent(n: number): string {
  return `${n.toFixed(3)}%`;
}
