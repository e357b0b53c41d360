/** States, counts and reasons of a run as people read them. Pure. */
import { costText, countOf, countText, durationText } from '../overview/words.ts';
import { shownName } from '../shown-name.ts';
import type { ReportReview, ReportStep, ReportStepState, RunReport } from './report.ts';

/** In the order in which people want to know. */
export const stepStates: readonly ReportStepState[] = [
  'failed',
  'waiting',
  'running',
  'succeeded',
  'cached',
  'skipped',
  'cancelled',
  'pending',
];

export function stateText(state: string, isOver = true): string {
  if (state === 'cached') return 'from the cache';
  if (state === 'pending') return isOver ? 'not run' : 'to come';
  return state;
}

export const isOver = ({ state }: RunReport): boolean => ['succeeded', 'failed', 'cancelled'].includes(state);

export function reasonText(reason: string): string {
  return reason.replaceAll('_', ' ');
}

/** `Code Quality Pipeline failed`. */
export function headline(report: RunReport): string {
  const name = shownName(report.workflow);
  switch (report.state) {
    case 'queued':
      return `${name} waits for its turn`;
    case 'running':
      return `${name} is running`;
    case 'waiting':
      return `${name} is waiting`;
    case 'cancelled':
      return `${name} was cancelled`;
    case 'succeeded':
      return report.warnings.length > 0 ? `${name} succeeded, with a warning` : `${name} succeeded`;
    default:
      return `${name} ${report.state}`;
  }
}

/** One sentence that says what became of it. */
export function summary(report: RunReport): string {
  const { counts } = report;
  const failed = report.steps.filter(
    ({ state, continue_on_error }) => state === 'failed' && !continue_on_error,
  );
  const first = failed[0];
  if (report.state === 'failed' && first !== undefined) {
    const why = first.reason === undefined ? '' : ` (${reasonText(first.reason)})`;
    const more = failed.length > 1 ? ` and ${countOf(failed.length - 1, 'more step')}` : '';
    return `${shownName(first.name)} failed${why}${more}.`;
  }
  if (report.state === 'waiting') {
    const asks = report.steps.find(({ approval }) => approval?.ask !== undefined);
    return asks === undefined
      ? 'Nothing goes on before a person answers.'
      : `${shownName(asks.name)} needs an answer.`;
  }
  if (report.state === 'succeeded' && report.steps.some(({ state }) => state === 'failed'))
    return `${countOf(counts.failed ?? 0, 'step')} failed, and the workflow says to go on without.`;
  return '';
}

/** `7 of 9 steps`, of those that were to run. */
export function stepsText(report: RunReport): string {
  const { counts } = report;
  const done = (counts.succeeded ?? 0) + (counts.cached ?? 0);
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
  return done === all ? countOf(all, 'step') : `${countText(done)} of ${countOf(all, 'step')}`;
}

/** `3 failed, 97 succeeded`. */
export function countsText(counts: Readonly<Record<string, number | undefined>>): string {
  const order = (name: string): number => {
    const at = (stepStates as readonly string[]).indexOf(name);
    return at === -1 ? stepStates.length : at;
  };
  return Object.entries(counts)
    .filter(([name, n]) => n !== undefined && n > 0 && name !== 'total')
    .toSorted(([a], [b]) => order(a) - order(b))
    .map(([name, n]) => `${countText(n as number)} ${stateText(name)}`)
    .join(', ');
}

/**
 * Second line of a step in the picture: `1.2s`, `97 of 100 items`, `skipped`. What succeeded has its sign; everything else
 * is said.
 */
export function stepNote(step: ReportStep, over: boolean): string {
  const took =
    step.duration_ms === undefined || step.state === 'cached' ? '' : shortDuration(step.duration_ms);
  const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' · ');
  for (const [counts, total, one] of [
    [step.items?.counts, step.items?.total, 'item'],
    [step.files?.counts, step.files?.total, 'file'],
  ] as const) {
    if (counts === undefined || total === undefined || total === 0) continue;
    const failed = counts.failed ?? 0;
    if (failed > 0) return `${countText(failed)} of ${countOf(total, one)} failed`;
    return joined(step.state === 'succeeded' ? '' : stateText(step.state, over), countOf(total, one), took);
  }
  return step.state === 'succeeded' && took !== '' ? took : joined(stateText(step.state, over), took);
}

/** `84ms`, `1.4s`, `3m 5s`: for where there is little room. */
function shortDuration(ms: number): string {
  return durationText(ms)
    .replace(' min', 'm')
    .replace(/ (ms|s|h)/g, '$1');
}

/** Why a step was skipped, in words. */
export function skipText(step: ReportStep, steps: readonly ReportStep[]): string {
  const needs = step.needs ?? [];
  const ofState = (states: readonly ReportStepState[]): string =>
    needs
      .filter((need) => states.includes(steps.find(({ name }) => name === need)?.state ?? 'pending'))
      .map(shownName)
      .join(', ');
  switch (step.reason) {
    case 'need_failed':
      return `it needs ${ofState(['failed', 'cancelled']) || 'a step'}, which failed`;
    case 'need_skipped':
      return `it needs ${ofState(['skipped', 'cancelled']) || 'a step'}, which was skipped`;
    case 'condition':
      return step.condition === undefined ? 'its condition was not met' : 'its condition was not met:';
    case 'run_failed':
      return 'the run had failed by then';
    case 'cancelled':
      return 'the run was cancelled';
    default:
      return step.reason === undefined ? 'no reason is known' : reasonText(step.reason);
  }
}

export function triggerText(report: RunReport): string {
  const { trigger } = report;
  switch (trigger.kind) {
    case 'manual':
      return `started by ${shownName(trigger.who)}`;
    case 'schedule':
      return `by the schedule ${shownName(trigger.schedule)}`;
    case 'file':
      return `for the file ${shownName(`${trigger.root}/${trigger.path}`)}`;
    case 'workflow':
      return `called by the step ${shownName(trigger.step)} of ${shownName(trigger.workflow ?? trigger.run_id)}`;
  }
}

export function costAndTokens(one: Pick<ReportStep, 'cost_usd' | 'usage'>): string {
  const tokens = one.usage === undefined ? 0 : tokensOf(one.usage);
  return [
    one.cost_usd === null ? '' : costText(one.cost_usd),
    tokens > 0 ? `${tokensText(tokens)} tokens` : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

export function tokensOf(usage: NonNullable<ReportStep['usage']>): number {
  return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens + usage.output_tokens;
}

/** `840`, `12.4k`, `3.1M`. */
export function tokensText(n: number): string {
  if (n < 1000) return countText(n);
  const [size, unit] = n < 999_500 ? [n / 1000, 'k'] : [n / 1_000_000, 'M'];
  return `${size < 99.95 ? size.toFixed(1).replace(/\.0$/, '') : countText(size)}${unit}`;
}

/** What a round of review came to. */
export function decisionText({
  decision,
  is_revised: isRevised,
  ended_at: endedAt,
}: Pick<ReportReview, 'decision' | 'is_revised' | 'ended_at'>): string {
  if (isRevised) return 'sent back to its author';
  switch (decision) {
    case undefined:
      return endedAt === undefined ? 'it goes on' : 'the work was over before';
    case 'continue':
      return 'accepted';
    case 'warn':
      return 'accepted, with a warning';
    case 'pause':
      return 'a person is asked';
    case 'stop':
      return 'stopped';
    default:
      return decision;
  }
}

export function verdictText(verdict: string): string {
  return verdict === 'missing' ? 'no valid verdict' : verdict;
}
