/** What starts a workflow: `on.file`, `on.schedule`, and `schedules` of the configuration. */
import { checkPatterns } from './check-patterns.ts';
import { checkGiven } from './resolve-inputs.ts';
import { type KnownWorkflows, reportUnknownWorkflow } from './resolve-target.ts';
import type { Loose, Resolving } from './resolving.ts';
import type { ScheduleFile } from './schema-schedule.ts';
import type { Path } from './source.ts';
import type { FileTrigger, ScheduleConfig, WorkflowInput } from './workflow.ts';

type FileTriggerFile =
  | string
  | { readonly pattern?: string | readonly (string | undefined)[]; readonly priority?: number };
type ScheduleTriggerFile = string | Loose<Omit<ScheduleFile, 'name' | 'workflow'>>;

/** @param at Of `on.file`. */
export function resolveFileTriggers(
  { findings }: Resolving,
  at: Path,
  written: FileTriggerFile | readonly (FileTriggerFile | undefined)[] | undefined,
  inputs: readonly WorkflowInput[],
): readonly FileTrigger[] {
  if (written === undefined) return [];
  for (const { name, required } of inputs)
    if (required)
      findings.add(
        'error',
        'BAD_INPUT',
        { path: at, key: true },
        `a file that starts this workflow does not give its input "${name}"`,
        'Give the input a `default` instead of `required: true`; the file itself is `${{ file.path }}`.',
      );
  const triggers: FileTrigger[] = [];
  for (const { place, item } of listed(at, written)) {
    const pattern = typeof item === 'string' ? item : item.pattern;
    if (pattern === undefined) continue;
    checkPatterns(findings, typeof item === 'string' ? place : [...place, 'pattern'], pattern);
    triggers.push({
      patterns: [pattern]
        .flat()
        .flatMap((one) => (one === undefined ? [] : [one.replace(/^(!?)(?:\.\/)+/, '$1')])),
      priority: typeof item === 'string' ? 0 : (item.priority ?? 0),
    });
  }
  return triggers;
}

/** @param at Of `on.schedule`. Names are made from that of the workflow. */
export async function resolveOwnSchedules(
  context: Resolving,
  at: Path,
  written: ScheduleTriggerFile | readonly (ScheduleTriggerFile | undefined)[] | undefined,
  workflow: { readonly name: string; readonly inputs: readonly WorkflowInput[] },
): Promise<readonly ScheduleConfig[]> {
  if (written === undefined) return [];
  const schedules: ScheduleConfig[] = [];
  for (const { place, item } of listed(at, written)) {
    const isText = typeof item === 'string';
    const parts = isText ? { cron: item } : item;
    await checkTime(context, isText ? place : [...place, 'cron'], [...place, 'timezone'], parts);
    const given = (parts.inputs ?? {}) as Readonly<Record<string, unknown>>;
    checkGiven(context, [...place, 'inputs'], place, given, workflow);
    const name = schedules.length === 0 ? workflow.name : `${workflow.name} (${schedules.length + 1})`;
    schedules.push({ ...schedule(name, workflow.name, parts), fromWorkflow: true });
  }
  return schedules;
}

/** `schedules` of the configuration. */
export async function resolveSchedules(
  context: Resolving,
  written: readonly (Loose<ScheduleFile> | undefined)[],
  workflows: KnownWorkflows,
): Promise<readonly ScheduleConfig[]> {
  const { findings } = context;
  const schedules: ScheduleConfig[] = [];
  const taken = new Map<string, number>();
  for (const [index, one] of written.entries()) {
    if (one === undefined) continue;
    const at = ['schedules', index];
    await checkTime(context, [...at, 'cron'], [...at, 'timezone'], one);
    const first = one.name === undefined ? undefined : taken.get(one.name);
    if (first !== undefined)
      findings.error(
        'DUPLICATE_NAME',
        [...at, 'name'],
        `the schedule name "${one.name}" is taken (line ${findings.lineOf(['schedules', first, 'name'])})`,
        'Give one of the two another name.',
      );
    if (one.name !== undefined) taken.set(one.name, first ?? index);
    if (one.workflow === undefined) continue;
    const found = workflows.find(one.workflow);
    if (found === undefined)
      reportUnknownWorkflow(
        findings,
        [...at, 'workflow'],
        `unknown workflow "${one.workflow}" in schedule "${one.name ?? index}"`,
        one.workflow,
        workflows,
      );
    else if (found !== 'broken') {
      const given = (one.inputs ?? {}) as Readonly<Record<string, unknown>>;
      checkGiven(context, [...at, 'inputs'], at, given, found);
      schedules.push(schedule(one.name ?? '', found.name, one));
    }
  }
  return schedules;
}

/** Schedules of workflows are called like them, unless another has that name. */
export function withUniqueNames(
  first: readonly ScheduleConfig[],
  others: readonly ScheduleConfig[],
): readonly ScheduleConfig[] {
  const taken = new Set(first.map(({ name }) => name));
  return others.map((one) => {
    let { name } = one;
    for (let n = 2; taken.has(name); n += 1) name = `${one.name} (${n})`;
    taken.add(name);
    return name === one.name ? one : { ...one, name };
  });
}

function schedule(
  name: string,
  workflow: string,
  { cron = '', timezone, inputs = {}, overlap = 'skip', catch_up: catchUp = true }: Loose<ScheduleFile>,
): ScheduleConfig {
  return {
    name,
    workflow,
    cron,
    ...(timezone !== undefined && { timezone }),
    inputs: inputs as Readonly<Record<string, unknown>>,
    overlap,
    catchUp,
  };
}

async function checkTime(
  { findings }: Resolving,
  cronAt: Path,
  zoneAt: Path,
  { cron, timezone }: { readonly cron?: string; readonly timezone?: string },
): Promise<void> {
  if (cron === undefined) return;
  // Loaded here: most configurations have no schedule.
  const { checkCron } = await import('./cron.ts');
  const problem = checkCron(cron, timezone);
  if (problem)
    findings.error('BAD_SCHEDULE', problem.about === 'cron' ? cronAt : zoneAt, problem.message, problem.fix);
}

/** One thing, or a list of them: each with its place. */
function listed<T>(
  at: Path,
  written: T | readonly (T | undefined)[],
): { readonly place: Path; readonly item: T }[] {
  if (!Array.isArray(written)) return [{ place: at, item: written as T }];
  return (written as readonly (T | undefined)[]).flatMap((item, index) =>
    item === undefined ? [] : [{ place: [...at, index], item }],
  );
}
