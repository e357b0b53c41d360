/** Items of `for_each` and files of `file_processing`: how many came to what, and the first of them with their folders. */
import { type Html, html } from '../overview/html.ts';
import { costText, countOf, countText, durationText } from '../overview/words.ts';
import { shownName } from '../shown-name.ts';
import type { ReportFile, ReportItem, ReportStep } from './report.ts';
import { signOf } from './signs.ts';
import { countsText, reasonText, stateText, stepStates } from './words.ts';

/** Beyond these the list folds out. */
const atOnce = 12;

export function itemsOf(step: ReportStep): Html | undefined {
  const { items } = step;
  if (items === undefined || items.total === 0) return undefined;
  const id = `items-${step.name}`;
  return html`<section class="list"><h2><bdi>${shownName(step.name)}</bdi>: ${countOf(items.total, 'item')}</h2>
${shares(items.counts, items.total)}
${table(id, items.shown.map(itemRow), items.total, ['Item', 'Outcome', 'Took'])}</section>`;
}

export function filesOf(step: ReportStep, _now: string): Html | undefined {
  const { files } = step;
  if (files === undefined || files.total === 0) return undefined;
  return html`<section class="list"><h2><bdi>${shownName(step.name)}</bdi>: ${countOf(files.total, 'file')}</h2>
${shares(files.counts, files.total)}
${table(`files-${step.name}`, files.shown.map(fileRow), files.total, ['File', 'Outcome', 'Took'])}</section>`;
}

const fills: Readonly<Record<string, string>> = {
  succeeded: 'succeeded',
  processed: 'succeeded',
  cached: 'cached',
  failed: 'failed',
};

/** One bar of what became of all of them. */
function shares(counts: Readonly<Record<string, number | undefined>>, total: number): Html | undefined {
  const words = countsText(counts);
  if (words === '') return undefined;
  const order = [
    'succeeded',
    'processed',
    'cached',
    ...stepStates.toReversed().filter((s) => !['succeeded', 'cached'].includes(s)),
  ];
  // What is none of these (`unrouted`, `ignored`) stands at the end.
  const placeOf = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  const parts = Object.entries(counts)
    .filter(([name, n]) => name !== 'total' && (n ?? 0) > 0)
    .toSorted(([a], [b]) => placeOf(a) - placeOf(b));
  let x = 0;
  const pieces = parts.map(([name, n = 0]) => {
    const width = (100 * n) / Math.max(1, total);
    const piece = html`<rect class="fill-${fills[name] ?? 'other'}" x="${x.toFixed(3)}%" y="0" width="${Math.max(0.3, width).toFixed(3)}%" height="8"/>`;
    x += width;
    return piece;
  });
  return html`<svg class="outcome-bar thin" width="100%" height="8" role="img" aria-label="${words}">${pieces}</svg><p class="quiet small">${words}</p>`;
}

function table(id: string, rows: readonly Html[], total: number, head: readonly string[]): Html {
  const draw = (some: readonly Html[], caption: string): Html =>
    html`<table class="latest"><caption>${caption}</caption><thead><tr>${head.map((cell, i) => html`<th scope="col"${i === head.length - 1 && html` class="number"`}>${cell}</th>`)}</tr></thead><tbody>${some}</tbody></table>`;
  const rest = rows.slice(atOnce);
  void id;
  const caption =
    total > rows.length
      ? `${countText(rows.length)} of ${countText(total)}, those that failed first`
      : 'Those that failed first';
  return html`${draw(rows.slice(0, atOnce), rest.length > 0 || total > rows.length ? caption : 'All of them')}
${rest.length > 0 && html`<details><summary>${countText(rest.length)} more</summary>${draw(rest, 'More of them')}</details>`}`;
}

function itemRow(item: ReportItem): Html {
  const name = html`<span class="folder">${item.index} </span><bdi>${shownName(item.label)}</bdi>`;
  return html`<tr><td>${item.href === undefined ? name : html`<a href="${item.href}">${name}</a>`}</td>
${outcome(item)}<td class="number">${item.duration_ms !== undefined && item.state !== 'cached' && durationText(item.duration_ms)}</td></tr>`;
}

function fileRow(file: ReportFile): Html {
  const cut = file.path.lastIndexOf('/') + 1;
  const name = html`<bdi><span class="folder">${shownName(`${file.root}/${file.path.slice(0, cut)}`)}</span>${shownName(file.path.slice(cut))}</bdi>`;
  const cost = file.cost_usd === null || file.cost_usd === 0 ? '' : `${costText(file.cost_usd)} · `;
  return html`<tr><td>${file.href === undefined ? name : html`<a href="${file.href}">${name}</a>`}</td>
${outcome(file)}<td class="number">${cost}${file.duration_ms !== undefined && file.state !== 'cached' && durationText(file.duration_ms)}</td></tr>`;
}

function outcome({ state, reason }: { readonly state: string; readonly reason?: string }): Html {
  return html`<td class="state-${state}">${signOf(state)}${stateText(state)}${reason !== undefined && html` <span class="quiet small">${reasonText(reason)}</span>`}</td>`;
}
