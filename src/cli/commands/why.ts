/** `sluice why PATH`: one sentence, then what every rule had to say. */
import { resolve } from 'node:path';
import type { WhyReport } from '../../operations/why.ts';
import { printableName } from '../../types/printable-name.ts';
import type { CommandContext } from '../context.ts';
import { nameOf, shortId, stateWords, timeOf } from '../job-words.ts';
import { paint } from '../paint.ts';
import { printJson, printLine } from '../print.ts';
import { printTable } from '../table.ts';
import { shortTime } from '../times.ts';

export async function run(
  context: CommandContext,
  [path = '']: readonly string[],
  { json }: { readonly json?: boolean },
): Promise<number> {
  await using reader = await context.reader();
  const report = await reader.why(resolve(path));
  if (json) printJson(report);
  else printWhy(report);
  return 0;
}

function printWhy(report: WhyReport): void {
  const { candidates, rule, job, ignored_by: ignored } = report;
  printLine(sentence(report));
  if (job) {
    const { job_id: id, message, fix } = job;
    printLine(`last job ${shortId(id)}: ${stateWords(job)}, ${shortTime(timeOf(job))}`);
    if (message) printLine(`  ${printableName(message)}`);
    if (fix) printLine(`  fix: ${printableName(fix)}`);
  }
  if (ignored || candidates.length === 0) return;
  printLine();
  printTable(candidates, [
    { title: '', cell: (candidate) => (candidate.rule === rule ? '→' : '') },
    {
      title: 'rule',
      cell: (candidate) => printableName(candidate.rule),
      color: (candidate) => (candidate.rule === rule ? 'bold' : undefined),
    },
    { title: 'reason', cell: ({ reason }) => printableName(reason), cut: 'end' },
  ]);
}

function sentence(report: WhyReport): string {
  const { rule, target, ignored_by: ignored } = report;
  const name = paint('bold', nameOf(report));
  const gone = report.exists ? '' : ' (there is no such file now)';
  if (ignored)
    return `${name}${gone} is ignored by ${printableName(ignored.pattern)} (${printableName(ignored.source)})`;
  if (rule === null || target === null)
    return `${name}${gone} → no rule matches: it is counted as unrouted, and nothing runs`;
  const way = targetWords(target);
  return `${name}${gone} → rule ${printableName(rule)} → ${way}${outlook(report)}`;
}

function targetWords(target: NonNullable<WhyReport['target']>): string {
  if ('agent' in target) return `agent ${target.agent}`;
  if ('workflow' in target) return `workflow ${printableName(target.workflow)}`;
  if ('agents' in target) return `one of the agents ${target.agents.join(', ')} (${target.select})`;
  return `action ${target.action}`;
}

/** What would happen if the file were taken in now. */
function outlook({ cache, exists, job }: WhyReport): string {
  if (!exists || cache === null) return '';
  if (job && ['queued', 'running', 'waiting', 'held'].includes(job.state)) return `: ${stateWords(job)} now`;
  switch (cache) {
    case 'unchanged':
      return ': nothing to do, its result is up to date';
    case 'hit':
      return ': would take an earlier result of the same content';
    case 'off':
      return ': would run (its results are not kept: cache: off)';
    case 'miss':
      return job?.state === 'failed'
        ? ': failed as it is; `sluice jobs retry` runs it again'
        : job?.state === 'succeeded' || job?.state === 'cached'
          ? ': would run (it, or its recipe, has changed since its last result)'
          : ': would run (no earlier result)';
    default:
      return cache satisfies never;
  }
}
