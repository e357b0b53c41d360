/** A round as Markdown: the decision, who said what, and what was found. What agents wrote is shown, never rendered. */
import { blocks, code, table } from '../agents/inspect/markup.ts';
import { formatDollars } from '../types/dollars.ts';
import { formatElapsed } from '../types/elapsed.ts';
import type { ReviewFinding, ReviewRecord, ReviewVerdict } from '../types/review.ts';
import type { ReviewWork } from './reviews.ts';
import { isLive } from './round-name.ts';
import { clean, cutChars } from './texts.ts';

export function roundPage(record: ReviewRecord, work: ReviewWork): string {
  const { round, decision = 'open', why, author, trigger, verdicts, startedAt, endedAt } = record;
  const wasLive = isLive(record);
  const about = [
    `Work of ${code(author)}`,
    `trigger: ${trigger}`,
    `${new Date(startedAt).toISOString()}${endedAt === undefined ? '' : `, ${formatElapsed(endedAt - startedAt)}`}`,
    `review ${code(record.id)}`,
  ];
  return `${blocks(
    `# Review, ${wasLive ? `${trigger} ${round}` : `round ${round}`}: ${record.isRevised ? `${decision}, revised` : decision}`,
    plain(work.title),
    about.join(' · '),
    why === undefined ? '' : `**${decision}**: ${plain(why)}.`,
    table(['Reviewer', 'Verdict', 'Weight', 'Findings', 'Job', 'Cost'], verdicts.map(row)),
    ...(wasLive && work.report !== '' ? ['## What it had told', quote(cutLines(work.report))] : []),
    ...verdicts.map(section),
  )}\n`;
}

/** The first line is what it was reviewed for, the last are the newest. */
const TOLD_LINES = 20;
const LINE_CHARS = 500;

function cutLines(text: string): string {
  const lines = text.trim().split('\n');
  const shown =
    lines.length <= TOLD_LINES ? lines : [...lines.slice(0, 1), '…', ...lines.slice(2 - TOLD_LINES)];
  return shown.map((line) => cutChars(line, LINE_CHARS)).join('\n');
}

function row({ agent, verdict, weight, findings, jobId, costUsd }: ReviewVerdict): readonly string[] {
  const blocking = findings.filter(({ severity }) => severity === 'blocking').length;
  return [
    code(agent, 60),
    verdict === 'missing' ? 'no valid verdict' : verdict,
    String(weight),
    blocking === 0 ? String(findings.length) : `${findings.length} (${blocking} blocking)`,
    jobId === undefined ? '' : code(jobId),
    costUsd === null ? 'unknown' : formatDollars(costUsd),
  ];
}

function section({ agent, verdict, summary, findings }: ReviewVerdict): string {
  const title = verdict === 'missing' ? 'no valid verdict' : verdict;
  return blocks(
    `## ${code(agent, 60)}: ${title}`,
    quote(summary),
    findings.map((finding, index) => item(finding, index + 1)).join('\n'),
  );
}

function item({ severity, text, place, evidence }: ReviewFinding, n: number): string {
  const where = place === undefined ? '' : ` ${code(place, 300)}`;
  const indent = (lines: string): string => lines.replaceAll('\n', '\n   ');
  const shown = evidence === undefined ? '' : `\n   Evidence:\n   ${indent(quote(evidence))}`;
  return `${n}. **${severity}**${where} ${indent(plain(text))}${shown}`;
}

function quote(text: string): string {
  return plain(text)
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}

/** No markup, no pictures that a viewer would fetch, no HTML: every character that could begin one is escaped. */
function plain(text: string): string {
  return clean(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[\\`*_[\]|~#]/g, '\\$&')
    .replace(/^(\s*)([-+>=]|\d+[.)])/gm, (_, space: string, mark: string) =>
      /\d/.test(mark) ? `${space}${mark.slice(0, -1)}\\${mark.slice(-1)}` : `${space}\\${mark}`,
    )
    .replaceAll('://', ':&#47;/');
}
