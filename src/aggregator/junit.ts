/**
 * Receipts as JUnit XML, for `sluice run --report junit=FILE`: every CI system reads it. Pure. One suite per root, one
 * case per file. There is no one standard; this keeps to the elements and attributes that Jenkins, GitLab and GitHub
 * readers have in common.
 */
import type { Receipt } from '../types/receipt.ts';
import { shownName } from './shown-name.ts';

export function junitReport(receipts: readonly Receipt[]): string {
  const suites = [...Map.groupBy(receipts, ({ input }) => input.root)];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="sluice"${counts(receipts)}>`,
    ...suites.map(([root, some]) => suite(root, some)),
    '</testsuites>',
    '',
  ].join('\n');
}

type Verdict = 'passed' | 'failure' | 'error' | 'skipped';

/** What is not finished when the report is written cannot go on by itself: an error, as nothing was proved. */
function verdictOf({ state }: Receipt): Verdict {
  if (state === 'succeeded' || state === 'cached') return 'passed';
  if (state === 'failed') return 'failure';
  return state === 'cancelled' || state === 'superseded' ? 'skipped' : 'error';
}

function suite(root: string, receipts: readonly Receipt[]): string {
  const began = receipts.map(({ queued_at }) => queued_at).reduce((a, b) => (b < a ? b : a));
  const lines = [
    `  <testsuite name="${xml(shownName(root))}"${counts(receipts)} timestamp="${xml(began.slice(0, 19))}">`,
    ...receipts.map(testCase),
    '  </testsuite>',
  ];
  return lines.join('\n');
}

function testCase(receipt: Receipt): string {
  const { input, rule, agent, message, fix, reason, cached_from } = receipt;
  const path = xml(shownName(input.path));
  const open = `    <testcase name="${path}" classname="${xml(shownName(`${input.root}.${rule}`))}" file="${path}" time="${seconds(receipt)}"`;
  const verdict = verdictOf(receipt);
  if (verdict === 'passed') {
    if (cached_from === undefined) return `${open}/>`;
    return `${open}>\n      <system-out>${xml(`The result of job ${cached_from}, from the cache.`)}</system-out>\n    </testcase>`;
  }
  const kind = xml(reason ?? receipt.state);
  const headline = xml(oneLine(message ?? receipt.state));
  if (verdict === 'skipped') return `${open}>\n      <skipped message="${headline}"/>\n    </testcase>`;
  const text = [message, fix && `fix: ${fix}`, `agent: ${agent}`, `job: ${receipt.job_id}`]
    .filter(Boolean)
    .join('\n');
  return `${open}>\n      <${verdict} type="${kind}" message="${headline}">${xml(text)}</${verdict}>\n    </testcase>`;
}

function counts(receipts: readonly Receipt[]): string {
  const of = (verdict: Verdict): number =>
    receipts.filter((receipt) => verdictOf(receipt) === verdict).length;
  const ms = receipts.reduce((sum, { duration_ms = 0 }) => sum + duration_ms, 0);
  return ` tests="${receipts.length}" failures="${of('failure')}" errors="${of('error')}" skipped="${of('skipped')}" time="${(ms / 1000).toFixed(3)}"`;
}

function seconds({ duration_ms = 0 }: Receipt): string {
  return (duration_ms / 1000).toFixed(3);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0 has no way to write most control characters, not even escaped: they become the replacement character. */
function xml(text: string): string {
  return text
    .toWellFormed()
    .replace(/(?![\t\n])[\p{Cc}\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"']/g, (char) => entities[char] as string);
}
