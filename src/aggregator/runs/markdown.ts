/**
 * The report of a run as Markdown: for hosts that draw Mermaid, for chats, for a `less`. Names, messages and results are
 * data: escaped in lines and tables, in fences longer than any fence in them.
 */
import { plainText } from '../overview/text.ts';
import { costText, countOf, countText, durationText, timeText } from '../overview/words.ts';
import { shownName } from '../shown-name.ts';
import { mermaidOf } from './mermaid.ts';
import { shownFile } from './model.ts';
import type { ReportStep, RunReport } from './report.ts';
import {
  costAndTokens,
  countsText,
  decisionText,
  headline,
  isOver,
  reasonText,
  skipText,
  stateText,
  stepsText,
  summary,
  tokensOf,
  tokensText,
  triggerText,
  verdictText,
} from './words.ts';

const most = { steps: 300, problems: 50, rows: 50, results: 30, rounds: 10 };
const resultChars = 3_000;

export function runMarkdown(report: RunReport): string {
  const parts = [
    `# ${escapeMarkdown(headline(report))}`,
    lead(report),
    ...problems(report),
    ...warnings(report),
    report.steps.length > 0 ? `## The steps\n\n\`\`\`mermaid\n${mermaidOf(report)}\n\`\`\`` : '',
    stepTable(report),
    ...report.steps.map(itemTable),
    ...report.steps.map(fileTable),
    ...results(report),
    ...reviews(report),
    list('Approvals', approvals(report)),
    list('What was skipped, and why', skipped(report)),
    list('From the cache', cached(report)),
    values('What it was given', report.inputs),
    values('What it gives', report.outputs ?? {}),
    ['failed', 'cancelled'].includes(report.state)
      ? `To run again what failed and what depends on it: \`sluice workflow resume ${code(report.run_id)}\``
      : '',
    `Run \`${code(report.run_id)}\`. The same as a page: [report.html](report.html), as data: [report.json](report.json). Times are UTC.`,
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function lead(report: RunReport): string {
  const { usage, cost_usd: cost, generated_at: now } = report;
  const facts = [
    report.duration_ms === undefined ? '' : `took ${durationText(report.duration_ms)}`,
    stepsText(report),
    cost === null || cost === 0 ? '' : costText(cost),
    usage === undefined ? '' : `${tokensText(tokensOf(usage))} tokens`,
  ].filter((part) => part !== '');
  const when = `${timeText(report.started_at ?? report.created_at, now)} UTC, ${escapeMarkdown(triggerText(report))}`;
  return [
    escapeMarkdown(summary(report)),
    `${when} · ${facts.join(' · ')}${isOver(report) ? '' : ' · it goes on'}`,
  ]
    .filter((line) => line !== '')
    .join('\n\n');
}

function problems(report: RunReport): string[] {
  const failed = report.steps.filter(
    ({ state, continue_on_error }) => state === 'failed' && !continue_on_error,
  );
  const waiting = report.steps.filter(({ state }) => state === 'waiting');
  const parts: string[] = [];
  if (waiting.length > 0) parts.push('## Waiting for you', ...waiting.slice(0, most.problems).map(problem));
  const runItself =
    ['failed', 'cancelled'].includes(report.state) &&
    failed.length === 0 &&
    (report.message ?? report.reason) !== undefined;
  if (failed.length > 0 || runItself) parts.push('## What failed');
  if (runItself) parts.push(told(report));
  parts.push(...failed.slice(0, most.problems).map(problem));
  return parts;
}

function problem(step: ReportStep): string {
  const title = `### ${link(step.name, step.href)}`;
  const parts = [
    ...(step.items?.shown ?? []).map((item) => ({ ...item, name: item.label })),
    ...(step.files?.shown ?? []).map((file) => ({ ...file, name: shownFile(file) })),
  ].filter(({ state }) => state === 'failed' || state === 'held');
  const failed = parts
    .slice(0, most.rows)
    .map((part) => `- ${link(part.name, part.href)}: ${told(part).replaceAll('\n\n', ' ')}`);
  const ask = step.approval?.ask === undefined ? '' : `\`${code(step.approval.ask)}\``;
  return [
    title,
    told(step),
    failed.join('\n'),
    ask,
    ...(step.tails ?? []).map((tail) => `${tail.title}:\n\n${fence(tail.text)}`),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function told({ reason, message, fix }: { reason?: string; message?: string; fix?: string }): string {
  const first = [
    reason === undefined ? '' : `**${escapeMarkdown(reasonText(reason))}**`,
    message === undefined ? '' : escapeMarkdown(message),
  ]
    .filter((part) => part !== '')
    .join(' · ');
  return [first, fix === undefined ? '' : escapeMarkdown(fix)].filter((part) => part !== '').join('\n\n');
}

function warnings({ steps, warnings: all }: RunReport): string[] {
  const tolerated = steps.filter(({ state, continue_on_error }) => state === 'failed' && continue_on_error);
  const said = list('Warnings', all.map(escapeMarkdown));
  if (tolerated.length === 0) return [said];
  return [said === '' ? '## Warnings' : said, ...tolerated.slice(0, most.problems).map(problem)];
}

function stepTable(report: RunReport): string {
  const all = report.steps.filter(({ on_failure, state }) => !(on_failure && state === 'pending'));
  if (all.length === 0) return '';
  const rows = all
    .slice(0, most.steps)
    .map((step) => [
      link(step.name, step.href ?? step.sub_run?.href),
      `${stateText(step.state, isOver(report))}${step.reason === undefined ? '' : ` (${escapeMarkdown(reasonText(step.reason))})`}`,
      escapeMarkdown(step.agent ?? step.type.replaceAll('_', ' ')),
      step.attempts.length > 1 ? countText(step.attempts.length) : '',
      costAndTokens(step),
      step.duration_ms === undefined || step.state === 'cached' ? '' : durationText(step.duration_ms),
    ]);
  return `${table(['Step', 'Outcome', 'By', 'Attempts', 'Cost', 'Took'], rows)}${more(rows.length, all.length, 'step')}`;
}

function itemTable({ name, items }: ReportStep): string {
  if (items === undefined || items.total === 0) return '';
  const rows = items.shown
    .slice(0, most.rows)
    .map((item) => [
      String(item.index),
      link(item.label, item.href),
      `${stateText(item.state)}${item.reason === undefined ? '' : ` (${escapeMarkdown(reasonText(item.reason))})`}`,
      item.duration_ms === undefined ? '' : durationText(item.duration_ms),
    ]);
  return `## ${escapeMarkdown(shownName(name))}: ${countOf(items.total, 'item')}\n\n${countsText(items.counts)}\n\n${table(['', 'Item', 'Outcome', 'Took'], rows)}${more(rows.length, items.total, 'item')}`;
}

function fileTable({ name, files }: ReportStep): string {
  if (files === undefined || files.total === 0) return '';
  const rows = files.shown
    .slice(0, most.rows)
    .map((file) => [
      link(shownFile(file), file.href),
      `${stateText(file.state)}${file.reason === undefined ? '' : ` (${escapeMarkdown(reasonText(file.reason))})`}`,
      file.duration_ms === undefined ? '' : durationText(file.duration_ms),
    ]);
  return `## ${escapeMarkdown(shownName(name))}: ${countOf(files.total, 'file')}\n\n${countsText(files.counts)}\n\n${table(['File', 'Outcome', 'Took'], rows)}${more(rows.length, files.total, 'file')}`;
}

function more(shown: number, all: number, one: string): string {
  return all > shown ? `\n\n${countText(shown)} of ${countOf(all, one)}.` : '';
}

function results({ steps }: RunReport): string[] {
  const said = steps.filter(
    ({ result, state }) => result !== null && result.trim() !== '' && state !== 'failed',
  );
  return said.slice(0, most.results).map((step, i) => {
    const text = step.result ?? '';
    const cut = text.length > resultChars ? `${text.slice(0, resultChars).toWellFormed()}\n…` : text;
    return `${i === 0 ? '## What the steps say\n\n' : ''}### ${link(step.name, step.href)}\n\n${fence(cut)}`;
  });
}

function reviews({ steps }: RunReport): string[] {
  const reviewed = steps.filter((step) => (step.reviews?.length ?? 0) > 0).slice(0, most.results);
  return reviewed.map((step, i) => {
    const rounds = (step.reviews ?? []).slice(-most.rounds).map((review) => {
      const rows = review.verdicts.map(({ agent, verdict, summary, findings }) => [
        escapeMarkdown(shownName(agent)),
        verdictText(verdict),
        [
          escapeMarkdown(summary),
          ...findings.map(
            ({ severity, text, place }) =>
              `**${severity}**${place === undefined ? '' : ` ${escapeMarkdown(place)}:`} ${escapeMarkdown(text)}`,
          ),
        ].join(' · '),
      ]);
      const why = review.why === undefined ? '' : ` (${escapeMarkdown(review.why)})`;
      return `${link(`Round ${review.round}`, review.href)}: ${decisionText(review)}${why}\n\n${table(['Reviewer', 'Verdict', 'Says'], rows)}`;
    });
    return `${i === 0 ? '## What reviewers say\n\n' : ''}### ${escapeMarkdown(shownName(step.name))}\n\n${rounds.join('\n\n')}`;
  });
}

function approvals({ steps, generated_at: now }: RunReport): string[] {
  return steps.flatMap(({ name, approval }) => {
    if (approval?.at === undefined) return [];
    const by = approval.by === undefined ? '' : ` by **${escapeMarkdown(shownName(approval.by))}**`;
    const said = approval.comment === undefined ? '' : `: ${escapeMarkdown(approval.comment)}`;
    return [
      `${escapeMarkdown(shownName(name))}: ${approval.verdict ?? 'not answered in time'}${by}, ${timeText(approval.at, now)}${said}`,
    ];
  });
}

function skipped({ steps }: RunReport): string[] {
  return steps
    .filter(({ state }) => state === 'skipped')
    .map((step) => {
      const condition =
        step.reason === 'condition' && step.condition !== undefined ? ` \`${code(step.condition)}\`` : '';
      return `${escapeMarkdown(shownName(step.name))}: ${escapeMarkdown(skipText(step, steps))}${condition}`;
    });
}

function cached({ steps }: RunReport): string[] {
  return steps
    .filter(({ state }) => state === 'cached')
    .map(
      ({ name, cached_from: job }) =>
        `${escapeMarkdown(shownName(name))}${job === undefined ? '' : `, from job \`${code(job)}\``}`,
    );
}

function list(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const rest = more(Math.min(lines.length, most.rows), lines.length, 'line');
  return `## ${title}\n\n${lines
    .slice(0, most.rows)
    .map((line) => `- ${line}`)
    .join('\n')}${rest}`;
}

function values(title: string, all: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(all)
    .slice(0, most.rows)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
      return [
        escapeMarkdown(shownName(name)),
        escapeMarkdown(text.length > 500 ? `${text.slice(0, 500).toWellFormed()} …` : text),
      ];
    });
  return rows.length === 0 ? '' : `## ${title}\n\n${table(['Name', 'Value'], rows)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // A column in which nothing stands says nothing.
  const used = head.map((_, i) => i === 0 || rows.some((row) => row[i] !== ''));
  const line = (cells: readonly string[]): string => `| ${cells.filter((_, i) => used[i]).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function link(name: string, href: string | undefined): string {
  const text = escapeMarkdown(shownName(name));
  return href === undefined
    ? text
    : `[${text}](<${href.replace(/[<>()\\]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)}>)`;
}

/** One line, in which nothing is syntax; addresses are no links. */
export function escapeMarkdown(text: string): string {
  return plainText(text)
    .replace(/\s*\n\s*/g, ' ')
    .replace(/[\\`*_{}[\]<>#|!&~$]/g, '\\$&')
    .replace(/^(\s*)([-+=]|\d+[.)])/, '$1\\$2')
    .replace(/:\/\//g, ':\u2060//')
    .replace(/@/g, '&#64;');
}

function code(text: string): string {
  return shownName(text).replaceAll('`', "'");
}

function fence(text: string): string {
  const plain = plainText(text).trimEnd();
  const longest = Math.max(2, ...(plain.match(/`+/g) ?? []).map((run) => run.length));
  const bars = '`'.repeat(longest + 1);
  return `${bars}text\n${plain}\n${bars}`;
}
