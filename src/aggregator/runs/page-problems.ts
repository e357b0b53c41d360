/** What a person must look at: what waits for them, what failed and why, with the last lines it wrote, and the warnings. */
import { type Html, html } from '../overview/html.ts';
import { plainText, shownText } from '../overview/text.ts';
import { countOf, countText } from '../overview/words.ts';
import { shownName } from '../shown-name.ts';
import { shownFile } from './model.ts';
import type { ReportStep, RunReport } from './report.ts';
import { signOf } from './signs.ts';
import { reasonText } from './words.ts';

const atOnce = 8;
const mostShown = 100;

interface Problem {
  readonly name: string;
  readonly href?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly fix?: string;
  readonly tails?: ReportStep['tails'];
  readonly job?: string;
  readonly note?: string;
  readonly state: 'failed' | 'waiting';
  readonly anchor?: string;
}

export function problems(report: RunReport): Html {
  const waiting = report.steps.filter(({ state }) => state === 'waiting').map(toWait);
  const failed = report.steps.filter(
    ({ state, continue_on_error }) => state === 'failed' && !continue_on_error,
  );
  const runItself: Problem[] =
    report.state === 'failed' &&
    failed.length === 0 &&
    (report.message !== undefined || report.reason !== undefined)
      ? [{ name: 'The run', state: 'failed', ...pick(report) }]
      : report.state === 'cancelled'
        ? [{ name: 'The run was cancelled', state: 'failed', ...pick(report) }]
        : [];
  return html`${cards('Waiting for you', waiting)}${cards('What failed', [...runItself, ...failed.flatMap(toFailures)])}`;
}

export function warnings(report: RunReport): Html | undefined {
  const tolerated = report.steps.filter(
    ({ state, continue_on_error }) => state === 'failed' && continue_on_error,
  );
  const known = new Set(tolerated.map(({ name }) => name));
  // What is said of a step is told with the step.
  const others = report.warnings.filter((text) => ![...known].some((name) => text.includes(name)));
  if (tolerated.length === 0 && others.length === 0) return undefined;
  return html`<section class="list"><h2>Warnings</h2><ul class="problems mild">${tolerated.flatMap((step) =>
    toFailures(step).map((problem, i) =>
      card(i === 0 ? { ...problem, note: 'the run goes on without it' } : problem),
    ),
  )}${others.map((text) => html`<li><p>${shownText(text)}</p></li>`)}</ul></section>`;
}

function toWait(step: ReportStep): Problem {
  const { approval } = step;
  const until =
    approval?.wait_until === undefined
      ? undefined
      : `until ${approval.wait_until.slice(0, 16).replace('T', ' ')} UTC`;
  const answer =
    approval?.ask === undefined
      ? undefined
      : `Run \`${approval.ask}\`, or \`${approval.ask.replace(' approve ', ' reject ')}\`.`;
  const fix = answer ?? step.fix;
  return {
    name: shownName(step.name),
    state: 'waiting',
    ...(step.message !== undefined && { message: step.message }),
    ...(step.reason !== undefined && { reason: step.reason }),
    ...(fix !== undefined && { fix }),
    ...(until !== undefined && { note: until }),
  };
}

/** The step, then its failed items and files. */
function toFailures(step: ReportStep): Problem[] {
  const items = (step.items?.shown ?? []).filter(({ state }) => state === 'failed');
  const files = (step.files?.shown ?? []).filter(({ state }) => state === 'failed' || state === 'held');
  const of = (n: number, all: number | undefined, one: string): string =>
    `${countText(n)} of ${countOf(all ?? n, one)} failed`;
  const counted =
    step.items !== undefined
      ? of(step.items.counts.failed ?? items.length, step.items.total, 'item')
      : step.files !== undefined
        ? of(step.files.counts.failed ?? files.length, step.files.total, 'file')
        : step.attempts.length > 1
          ? `after ${countOf(step.attempts.length, 'attempt')}`
          : undefined;
  const note = counted !== undefined && step.message?.includes(counted) ? undefined : counted;
  return [
    {
      name: shownName(step.name),
      state: 'failed',
      ...(step.href !== undefined && { href: step.href }),
      ...pick(step),
      ...(step.tails !== undefined && { tails: step.tails }),
      ...(step.job_id !== undefined && { job: step.job_id }),
      ...(note !== undefined && { note }),
    },
    ...items.map(
      (item): Problem => ({
        name: `${shownName(step.name)}[${item.index}] ${shownName(item.label)}`,
        state: 'failed',
        ...(item.href !== undefined && { href: item.href }),
        ...pick(item),
        ...(item.tails !== undefined && { tails: item.tails }),
      }),
    ),
    ...files.map(
      (file): Problem => ({
        name: shownFile(file),
        state: file.state === 'held' ? 'waiting' : 'failed',
        ...(file.href !== undefined && { href: file.href }),
        ...pick(file),
        ...(file.tails !== undefined && { tails: file.tails }),
        job: file.job_id,
      }),
    ),
  ];
}

function pick(one: {
  reason?: string;
  message?: string;
  fix?: string;
}): Pick<Problem, 'reason' | 'message' | 'fix'> {
  return {
    ...(one.reason !== undefined && { reason: one.reason }),
    ...(one.message !== undefined && { message: one.message }),
    ...(one.fix !== undefined && { fix: one.fix }),
  };
}

function cards(title: string, all: readonly Problem[]): Html | undefined {
  if (all.length === 0) return undefined;
  const more = all.slice(atOnce, mostShown);
  return html`<section class="list"><h2>${title}</h2><ul class="problems">${all.slice(0, atOnce).map(card)}</ul>
${more.length > 0 && html`<details><summary>${countText(more.length)} more</summary><ul class="problems">${more.map(card)}</ul></details>`}</section>`;
}

function card(problem: Problem): Html {
  const name = html`<bdi>${problem.name}</bdi>`;
  return html`<li class="is-${problem.state}"><h3 class="name">${signOf(problem.state)}${problem.href === undefined ? name : html`<a href="${problem.href}">${name}</a>`}</h3>
<p>${problem.reason !== undefined && html`<span class="why">${reasonText(problem.reason)}</span>`}${problem.reason !== undefined && problem.message !== undefined && ' · '}${problem.message !== undefined && shownText(problem.message)}</p>
${problem.fix !== undefined && html`<p>${shownText(problem.fix)}</p>`}
${(problem.tails ?? []).map(({ title, text }) => html`<details open><summary>${title}</summary><pre>${plainText(text)}</pre></details>`)}
${(problem.note !== undefined || problem.job !== undefined) && html`<p class="quiet small">${problem.note}${problem.note !== undefined && problem.job !== undefined && ' · '}${problem.job !== undefined && html`<code>sluice jobs show ${problem.job}</code>`}</p>`}</li>`;
}
