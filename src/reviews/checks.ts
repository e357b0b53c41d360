/**
 * What stands in when no agent can review: facts that need no judgement. A clean result says that nothing is plainly
 * broken, and that nobody looked: the work counts, with a warning, because otherwise a machine with one agent could do no
 * work that is reviewed.
 */
import type { ReviewFinding, ReviewVerdict } from '../types/review.ts';
import { faultOf, type ReadSyntax } from './file-faults.ts';
import type { ReviewWork } from './reviews.ts';
import { clean, cutChars } from './texts.ts';
import { type Trace, tracesIn } from './traces.ts';

/** Takes the place of a reviewer's name. */
export const CHECKS_AGENT = 'inspect';

const MAX_FINDINGS = 50;
const NOBODY = 'No agent could review this; built-in checks stand in, and no agent looked at it.';

/** @throws `signal.reason` on abort. */
export async function checkWork(
  work: ReviewWork,
  readSyntax: ReadSyntax,
  signal: AbortSignal,
): Promise<ReviewVerdict> {
  const findings: ReviewFinding[] = [];
  if (work.report.trim() === '' && work.outputs.length === 0 && work.diff === '')
    findings.push({ severity: 'blocking', text: 'There is no report, no change and no output.' });
  else if (work.report.trim() === '') findings.push({ severity: 'major', text: 'The report is empty.' });
  for (const { path, bytes, text } of work.outputs) {
    if (bytes === 0) findings.push({ severity: 'major', text: 'The output is empty.', place: shown(path) });
    if (text === undefined || text === '') continue;
    const fault = await faultOf(path, text, readSyntax, signal);
    if (fault)
      findings.push({
        severity: fault.isCertain ? 'blocking' : 'major',
        text: `${cutChars(clean(fault.text), 300)}.`,
        place: `${shown(path)}:${fault.line}`,
      });
    findings.push(...tracesIn(text).map((trace) => traceFinding(trace, `${shown(path)}:${trace.line}`)));
  }
  findings.push(...tracesIn(work.report).map((trace) => traceFinding(trace, `report:${trace.line}`)));
  findings.push(...tracesIn(work.diff, isAdded).map((trace) => traceFinding(trace, `changes:${trace.line}`)));
  const blocking = findings.filter(({ severity }) => severity === 'blocking').length;
  return {
    agent: CHECKS_AGENT,
    weight: 1,
    verdict: blocking > 0 ? 'blocker' : findings.length > 0 ? 'concern' : 'approved',
    summary: `${NOBODY} ${found(findings.length, work.outputs.length)}`,
    findings: findings
      .toSorted((a, b) => Number(b.severity === 'blocking') - Number(a.severity === 'blocking'))
      .slice(0, MAX_FINDINGS),
    costUsd: 0,
  };
}

function traceFinding({ text, evidence }: Trace, place: string): ReviewFinding {
  return { severity: 'blocking', text: `${text[0]?.toUpperCase()}${text.slice(1)}.`, place, evidence };
}

/** Lines that were there before are not this work's; the name of a file may be. */
function isAdded(line: string): boolean {
  return line.startsWith('+');
}

function shown(path: string): string {
  return cutChars(clean(path).replaceAll(/[\n\t]/g, ' '), 300);
}

function found(findings: number, outputs: number): string {
  const of = `the report, the changes and ${outputs} ${outputs === 1 ? 'output' : 'outputs'}`;
  if (findings === 0) return `They found nothing in ${of}.`;
  return `They found ${findings} ${findings === 1 ? 'thing' : 'things'} in ${of}.`;
}
