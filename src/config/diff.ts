/** What a reload changed, for the audit. Roots, rules, agents, workflows and steps are compared by name: a moved rule is not a new one. */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.ts';
import { isMapping } from './unsupported.ts';
import { configView } from './view.ts';

export interface ConfigChange {
  /** `agents.lint.timeout`, `routing_rules.python`; a key that holds a dot is written as it is. */
  readonly path: string;
  /** Absent: it was not there before, or is not there any more. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Secrets stay references: both sides are what `configView` shows. */
export function diffConfig(before: Config, after: Config): ConfigChange[] {
  const changes: ConfigChange[] = [];
  compare([], byName(before), byName(after), changes);
  compareOrder('routing_rules', before.rules, after.rules, changes);
  for (const { name, steps, onFailure } of before.workflows) {
    const now = after.workflows.find((workflow) => workflow.name === name);
    compareOrder(`workflows.${name}.steps`, steps, now?.steps ?? [], changes);
    compareOrder(`workflows.${name}.on_failure`, onFailure, now?.onFailure ?? [], changes);
  }
  return changes;
}

/** The same things in another order. */
function compareOrder(
  path: string,
  before: readonly Named[],
  after: readonly Named[],
  changes: ConfigChange[],
): void {
  const [old, now] = [before, after].map((list) => list.map(({ name }) => name)) as [string[], string[]];
  if (!isDeepStrictEqual(old, now) && isDeepStrictEqual(old.toSorted(), now.toSorted()))
    changes.push({ path, before: old, after: now });
}

type Named = { readonly name: string };

function byName(config: Config): Record<string, unknown> {
  const view = configView(config);
  const keyed = (items: readonly Named[]) =>
    Object.fromEntries(items.map(({ name, ...item }) => [name, item]));
  const workflows = config.workflows.map(({ name, aliases, file }, index) => {
    const { steps = [], on_failure: onFailure = [], ...shown } = view.workflows[index] ?? {};
    return { ...shown, name, aliases, file, steps: keyed(steps), on_failure: keyed(onFailure) };
  });
  return {
    ...view,
    ...{ watch: keyed(view.watch), routing_rules: keyed(view.routing_rules) },
    ...{ workflows: keyed(workflows), schedules: keyed(view.schedules) },
  };
}

function compare(path: readonly string[], before: unknown, after: unknown, changes: ConfigChange[]): void {
  if (isDeepStrictEqual(before, after)) return;
  if (isMapping(before) && isMapping(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      compare([...path, key], before[key], after[key], changes);
    return;
  }
  changes.push({
    path: path.join('.'),
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  });
}
